#!/usr/bin/env bash
# halfspace report --networks: how near to the global optimum networks are, in numbers and pictures; and jobs/study.sh, the
# study on Gaussian data, from the data to the picture.
#
#   tests/end/test_study.sh PROGRAM
#
# Truth: run files with known objectives and bounds (tests/support/make_run.c); of the study, what info tells of each run.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
make_run=$(dirname "$program")/tests/support/make_run
[ -x "$make_run" ] || { echo "not ok runs: $make_run is not there (make tests builds it)" && exit 1; }
run() { "$make_run" "$@" || wrong "$make_run $1 failed"; } # FILE key=value...

valid_json() { # FILE
  ! have python3 || python3 -m json.tool "$1" >/dev/null 2>&1 || wrong "$1 is not JSON: $(head -n 3 "$1")"
}
# All values of a key, in the order of the file.
each() { # FILE KEY
  awk -v key="\"$2\":" '$1 == key && $2 != "{" { sub(/,$/, "", $2); printf "%s%s", gap, $2; gap = " " } END { print "" }' "$1"
}
well_formed() { # FILE.svg
  if have xmllint; then
    xmllint --noout "$1" 2>xml-errors || wrong "$1 is no XML: $(head -n 2 xml-errors | xargs)"
  elif have python3; then
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1" 2>/dev/null || wrong "$1 is no XML"
  fi
  grep -q '</svg>' "$1" || wrong "$1 is not whole"
}
# A picture's marks: one for each value, and one in the key for each kind.
marks() { grep -c "<use xlink:href='#gpPt[0-9]*' transform='translate" "$1"; } # FILE.svg

# ---- numbers

# Kinds: 0 sign map, 1 cones, 2 max-margin cones, 3 L-BFGS, 4 Adam.
run one.h5 rows=200 features=100 starts=0:300:104,1:180:103,2:150:-,3:900:110,4:900:130,3:900:105,4:900:115,3:900:120 \
  network=102 estimated=100 rounds=3 optimum=90 zero=1
run two.h5 rows=100 features=50 starts=1:190:103 network=103 proved=102.5 estimated=101 zero=1
run four.h5 rows=400 features=100 starts=3:900:110,3:900:120 network=110 estimated=100 zero=1
run gated.h5 rows=50 features=50
good 1 report --networks --json one.h5 four.h5 gated.h5 two.h5
valid_json out
expect "runs, by n/d and n" "$(each out run)" '"two.h5" "one.h5" "four.h5"'
expect "columns" "$(each out columns)" "50 100 100"
expect "lower bounds" "$(each out lower)" "102.5 100 100"
expect "their kinds" "$(each out lower_kind)" '"proved" "estimated" "estimated"'
read -r -a best <<<"$(each out lbfgs_best)"
expect_near "ratio of L-BFGS" "${best[3]}" 1.05 1e-12
read -r -a values <<<"$(each out lbfgs_median | tr ' ' '\n' | xargs)"
expect "medians: objectives and ratios of each run" "${values[*]:0:6}" "null null 110 1.1 115 1.15"
expect "ratios of cones" "$(each out cones | cut -d ' ' -f 3-6)" "180 1.8 null null"
expect "ratios after the local method" "$(each out polished | cut -d ' ' -f 3-6)" "103 1.03 null null"
expect "column generation" "$(each out column_generation | cut -d ' ' -f 1-6)" "null null 102 1.02 null null"
expect_near "claim" "$(each out claim | cut -d ' ' -f 2)" "$(awk 'BEGIN { print sqrt(log(400)) }')" 1e-5
expect "kinds of which there is a median over runs" "$(json out count kinds lbfgs_median)" 2
expect_near "constant of L-BFGS" "$(json out constant kinds lbfgs_best)" "$(awk 'BEGIN { print 1.05 / sqrt(log(400)) }')" 1e-5
grep -q 'warning: gated.h5: tells of no ReLU network' log || wrong "no warning about gated.h5: $(cat log)"
[ ! -e one.networks.svg ] || wrong "a picture was drawn without being asked for"
check "the numbers of runs, and what is missing"

refuse() { # CODE TEXT ARGUMENTS...
  expect_code "$1" 1 report "${@:3}"
  grep -qF -e "$2" log || wrong "${*:3} said \"$(cat log)\", not \"$2\""
  [ ! -e no.svg ] || wrong "${*:3} left no.svg behind"
}
run bare.h5 rows=50 features=50 starts=1:190:103 network=103
refuse 3 "nothing to compare" --networks gated.h5 no.svg
refuse 3 "missing.h5" --networks missing.h5 no.svg
refuse 2 "one at a time" --networks --scaling one.h5 two.h5 no.svg
good 1 report --networks --json bare.h5
valid_json out
expect "lower bound" "$(each out lower_kind)" '"none"'
expect "cones without a bound" "$(each out cones)" "190 null"
grep -q 'no lower bound' log || wrong "no warning about the missing bound: $(cat log)"
check "runs without a network or a bound"

# ---- pictures

draw() { # NAME MARKS ARGUMENTS...
  local name=$1 wanted=$2
  shift 2
  good 1 report --networks "$@" "$name.svg"
  well_formed "$name.svg"
  expect "marks of $name.svg" "$(marks "$name.svg")" "$wanted"
  grep -q 'log 2n' "$name.svg" || wrong "$name.svg lacks the curve"
  good 1 report --networks "$@" "$name.html"
  for text in '<svg' '</html>'; do grep -q "$text" "$name.html" || wrong "$name.html lacks $text"; done
  good 1 report --networks "$@" "$name.png"
  tail -c 12 "$name.png" | grep -qa IEND || wrong "$name.png is not whole"
}
if have gnuplot; then
  # gated, sign map, cones, max-margin cones, polished, generated, and best and median of two methods: all of one.h5.
  draw one 20 one.h5
  grep -q '>n/d = 2<' one.svg || wrong "one.svg lacks its panel"
  draw three "$((10 + 3 + 3 + 10))" one.h5 two.h5 four.h5
  for text in 2 4; do grep -q ">n/d = $text<" three.svg || wrong "three.svg lacks the panel n/d = $text"; done
  for text in 1.0300 1.1000; do grep -qF $text log || wrong "the log has no ratio $text: $(cat log)"; done
  for n in 1 2 3 4 5 6 7; do run many$n.h5 rows=$((n * n * 100)) features=100 starts=1:190:103 estimated=100 zero=1; done
  draw many "$((7 * 3 + 3))" many?.h5
  expect "panels" "$(grep -o '>n/d [^<]*<' many.svg | sort -u | wc -l)" 4
  draw bare 0 bare.h5
  good 1 report --networks one.h5
  well_formed one.networks.svg
  check "pictures and pages"
else
  skip "pictures and pages" "gnuplot is not installed"
fi

# ---- the study

study() { # WORDS...: tiny and quick
  timeout -k 5 120 env HALFSPACE_PROGRAM="$program" OMPI_MCA_mpi_yield_when_idle=1 bash "$support/../../jobs/study.sh" \
    n=20,40 ratios=2,4 restarts=2 network.rounds=2 bounds.starts=16 model.gates=16 solver.tolerance=1e-3 out=study "$@" \
    >study.out 2>study.log </dev/null
}

study || wrong "the study gave $?: $(tail -n 3 study.log)"
valid_json study/report.json
expect "rows" "$(each study/report.json rows)" "20 40 20 40"
expect "columns" "$(each study/report.json columns)" "10 20 5 10"
expect "data left behind" "$(ls study/*.data.h5 study/*.ckpt 2>/dev/null)" ""
for key in gated sign_map cones margin_cones polished column_generation lbfgs_best lbfgs_median adam_best adam_median; do
  ! each study/report.json $key | grep -q null || wrong "$key is missing: $(each study/report.json $key)"
  expect "values of $key" "$(each study/report.json $key | wc -w)" 8
done
good 1 info --json study/n40-ratio2.h5
valid_json out
expect "what info tells of the network" "$(json out value bounds network)" \
  "$(each study/report.json column_generation | cut -d ' ' -f 3)"
# What is a real network is above the lower bound, and column generation has the best of all.
for key in sign_map cones margin_cones polished column_generation lbfgs_best adam_best; do
  awk -v a="$(each study/report.json $key)" -v b="$(each study/report.json column_generation)" 'BEGIN {
    n = split(a, x); split(b, y)
    for (i = 2; i <= n; i += 2) if (x[i] < 1 - 1e-9 || x[i] < y[i] * (1 - 1e-12)) exit 1 }' ||
    wrong "$key is better than it can be: $(each study/report.json $key)"
done
if have gnuplot; then
  well_formed study/report.svg
  expect "marks of the study" "$(marks study/report.svg)" 50
  grep -q '</html>' study/report.html || wrong "there is no whole page"
fi
check "the study makes data, trains, and draws"

stamp() { stat -c '%Y.%i' "study/$1"; }
before=$(stamp n20-ratio2.h5)
rm -f study/n40-ratio4.h5 study/report.json
study keep=true || wrong "going on gave $?: $(tail -n 3 study.log)"
expect "run that was complete" "$(stamp n20-ratio2.h5)" "$before"
expect "runs" "$(each study/report.json rows)" "20 40 20 40"
expect "data that stayed" "$(echo study/*.data.h5)" study/n40-ratio4.data.h5
expect "runs that were found complete" "$(grep -c 'is complete' study.log)" 3
check "a study goes on where it was interrupted"

study beta=0.2 && wrong "runs of two values of beta went into one folder"
grep -q 'study of other settings' study.log || wrong "no reason is told: $(tail -n 2 study.log)"
for words in n=0 n= ratios=-1 restarts=two output.run=x.h5 data.train=x.h5 gates=5 beta=none; do
  study "$words" && wrong "$words was taken"
done
check "settings that do not fit are refused"

finish
