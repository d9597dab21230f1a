#!/usr/bin/env bash
# halfspace report: pictures, pages and numbers of runs and of scaling studies.
#
#   tests/end/test_report.sh PROGRAM
#
# Truth: run files are made with known numbers (tests/support/make_run.c), so that kinds, slopes and efficiencies
# are known; pictures and pages are read by other programs.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
make_run=$(dirname "$program")/tests/support/make_run
[ -x "$make_run" ] || { echo "not ok runs: $make_run is not there (make tests builds it)" && exit 1; }
run() { "$make_run" "$@" || wrong "$make_run $1 failed"; } # FILE key=value...

# ---- what kind a study is

for p in 1 2 4; do
  run strong$p.h5 ranks=$p rows=1000 seconds="$(awk "BEGIN { print 0.8 / $p + 0.05 * ($p == 4) }")" \
    setup=1 load=2 memory=8000000
  run weak$p.h5 ranks=$p rows=$((1000 * p + p)) seconds="$(awk "BEGIN { print 0.4 + 0.1 * ($p == 2) }")"
done
for n in 1000 10000 100000; do
  run linear$n.h5 ranks=2 rows=$n seconds="$(awk "BEGIN { print 1e-5 * $n }")" slow=5
  run steep$n.h5 ranks=2 rows=$n seconds="$(awk "BEGIN { print 1e-6 * $n ^ 1.5 }")"
done

valid_json() { # FILE
  ! have python3 || python3 -m json.tool "$1" >/dev/null 2>&1 || wrong "$1 is not JSON: $(head -n 3 "$1")"
}
# All values of a key, in the order of the file.
each() { # FILE KEY
  awk -v key="\"$2\":" '$1 == key { sub(/,$/, "", $2); printf "%s%s", gap, $2; gap = " " } END { print "" }' "$1"
}

good 1 report --scaling --json strong4.h5 strong1.h5 strong2.h5
valid_json out
expect "kind" "$(json out kind)" "strong"
expect "ranks" "$(each out ranks)" "1 2 4"
read -r -a speedup <<<"$(each out speedup)"
read -r -a efficiency <<<"$(each out efficiency)"
expect_near "speed-up on 2 ranks" "${speedup[1]:-}" 2 1e-9
expect_near "speed-up on 4 ranks" "${speedup[2]:-}" 3.2 1e-9
expect_near "efficiency on 2 ranks" "${efficiency[1]:-}" 1 1e-9
expect_near "efficiency on 4 ranks" "${efficiency[2]:-}" 0.8 1e-9
expect "memory" "$(each out bytes_per_rank)" "8000000 4000000 2000000"
expect "setup" "$(each out setup_seconds)" "1 1 1"
expect "reading" "$(each out load_seconds)" "2 2 2"
expect "checkpoints" "$(each out checkpoint_seconds)" "null null null"
expect "lines on stderr" "$(wc -l <log)" "0"
expect "pictures" "$(ls ./*.svg 2>/dev/null)" ""
check "strong scaling: kind, speed-up and efficiency"

good 1 report --scaling --json weak1.h5 weak2.h5 weak4.h5
valid_json out
expect "kind" "$(json out kind)" "weak"
read -r -a efficiency <<<"$(each out efficiency)"
expect_near "efficiency on 2 ranks" "${efficiency[1]:-}" 0.8 1e-9
expect_near "efficiency on 4 ranks" "${efficiency[2]:-}" 1 1e-9
check "weak scaling: kind and efficiency"

for case in "linear 1" "steep 1.5"; do
  read -r name slope <<<"$case"
  good 1 report --scaling --json "$name"*.h5
  valid_json out
  expect "kind" "$(json out kind)" "rows"
  expect_near "slope of $name" "$(json out slope)" "$slope" 1e-6
done
check "scaling over rows: kind and slope, also with slow iterations among the others"

run twin.h5 ranks=2 rows=1000 seconds=0.5
good 1 report --scaling --json strong?.h5 twin.h5
expect "ranks of points and repeats" "$(each out ranks)" "1 2 4 2"
expect_near "time of the point" "$(each out iteration_seconds | cut -d ' ' -f 2)" 0.4 1e-9
check "of repeated points the fastest counts"

# ---- what is no study

refuse() { # CODE TEXTS ARGUMENTS...: one error that holds all texts, separated by |, and nothing written
  local code=$1 texts=$2 text
  shift 2
  expect_code "$code" 1 report "$@"
  [ "$(grep -c '^halfspace: error: ' log)" = 1 ] || wrong "$* printed $(grep -c 'error: ' log) errors"
  while read -r -d '|' text; do
    grep -qF -e "$text" log || wrong "$* said \"$(cat log)\", not \"$text\""
  done <<<"$texts|"
  [ ! -s out ] || wrong "$* printed $(head -n 1 out)"
  for text in out.svg* no.svg*; do [ ! -e "$text" ] || wrong "$* left $text behind"; done
}

run alone.h5 ranks=3 rows=5000
refuse 2 "strong1.h5|one run is no scaling study|same rows on different ranks" --scaling strong1.h5 out.svg
refuse 2 "3 of 4 runs|strong scaling|alone.h5 (3 ranks, 5000 rows)" --scaling strong?.h5 alone.h5 out.svg
refuse 2 "weak2.h5 (2 ranks, 2002 rows)|alone.h5 (3 ranks, 5000 rows)|in proportion" --scaling weak2.h5 alone.h5 \
  out.svg
cp strong1.h5 again.h5
refuse 2 "all 2 runs have 1000 rows and 1 rank" --scaling strong1.h5 again.h5 out.svg
check "sets of runs that are no study"

run untold.h5 ranks=2 rows=-1
run brief.h5 ranks=2 rows=1000 iterations=1
run none.h5 iterations=0 stop=running
printf 'no HDF5' >text.h5
refuse 3 "missing.h5|No such file" --scaling strong1.h5 missing.h5 out.svg
refuse 3 "missing.h5|No such file" missing.h5 out.svg
refuse 3 "text.h5|HDF5" strong1.h5 text.h5 out.svg
refuse 3 "untold.h5|rows" --scaling strong1.h5 untold.h5 out.svg
refuse 3 "brief.h5|two iterations" --scaling strong1.h5 brief.h5 out.svg
refuse 3 "none.h5|no iteration yet" none.h5 out.svg
refuse 2 "out.pdf|.svg, .png or .html" strong1.h5 out.pdf
refuse 2 "RUN.h5 is missing" --scaling out.svg
refuse 2 "scalin|scaling" --scalin strong1.h5
refuse 6 "nowhere/out.svg|No such file" strong1.h5 nowhere/out.svg
check "files that cannot be read, shown or written"

printf '#!/bin/sh\nexit 1\n' >gnuplot && chmod +x gnuplot
PATH=$PWD:$PATH refuse 6 "out.svg|gnuplot failed" strong1.h5 out.svg
rm gnuplot
check "a gnuplot that fails leaves nothing behind"

mkdir bin
for tool in timeout grep cat head wc; do ln -s "$(command -v $tool)" bin/; done
PATH=$PWD/bin refuse 6 "out.svg|gnuplot draws it|apt-get install" strong1.h5 out.svg
PATH=$PWD/bin good 1 report --scaling --json strong?.h5
check "without gnuplot: what to install, and numbers all the same"

if ! have gnuplot; then
  skip "pictures" "gnuplot is not installed"
  finish
  exit
fi

# ---- pictures and pages

well_formed() { # FILE.svg
  if have xmllint; then
    xmllint --noout "$1" 2>xml-errors || wrong "$1 is no XML: $(head -n 2 xml-errors | xargs)"
  elif have python3; then
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1" 2>/dev/null || wrong "$1 is no XML"
  fi
  grep -q '</svg>' "$1" || wrong "$1 is not whole"
}
# From the signature to the last chunk, and of some size.
whole_png() { # FILE.png
  [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || wrong "$1 is no PNG"
  tail -c 12 "$1" | grep -qa IEND || wrong "$1 is not whole"
  [ "$(wc -c <"$1")" -gt 20000 ] || wrong "$1 holds $(wc -c <"$1") bytes"
}
# One file that loads nothing, and the picture in it.
self_contained() { # FILE.html
  grep -q '<svg' "$1" && grep -q '</html>' "$1" || wrong "$1 is not whole"
  grep -oE "(src|href)=[\"'][^\"']*|url\([^)]*\)|@import[^;]*|<script|<link|<iframe" "$1" |
    grep -v "href=[\"']#\|url(#" >loads
  [ ! -s loads ] || wrong "$1 loads $(head -n 1 loads)"
  grep -q 'prefers-color-scheme' "$1" || wrong "$1 has one scheme of colours"
  if have python3; then
    python3 - "$1" 2>/dev/null <<'END' || wrong "$1: tags do not match"
import html.parser, sys
class Tags(html.parser.HTMLParser):
    open, void = [], {"meta", "br", "path", "rect", "use", "circle", "polygon"}
    def handle_starttag(self, tag, attributes):
        if tag not in self.void: self.open.append(tag)
    def handle_endtag(self, tag):
        if tag not in self.void and self.open.pop() != tag: sys.exit(1)
tags = Tags()
tags.feed(open(sys.argv[1]).read())
sys.exit(bool(tags.open))
END
  fi
}
# Every kind of output, of these runs.
draw() { # NAME ARGUMENTS...
  local name=$1
  shift
  for kind in svg png html; do
    good 1 report "$@" "$name.$kind"
    [ -e "$name.$kind" ] || wrong "there is no $name.$kind"
    for left in "$name.$kind".*; do [ ! -e "$left" ] || wrong "$left is left behind"; done
  done
  well_formed "$name.svg"
  whole_png "$name.png"
  self_contained "$name.html"
}

draw one strong1.h5
grep -q 'strong1: converged after 20 iterations' one.svg || wrong "the heading is missing"
check "one run"

for k in 1 2 3 4 5 6 7 8 9 10 11 12; do
  run a-sweep-with-a-rather-long-name_gates$k.h5 gates=$((10 * k)) iterations=$((10 + k)) gap=0.$((40 + k))
done
draw twelve a-sweep*.h5
grep -q 'gates12' twelve.svg || wrong "names are not in the key"
check "twelve runs with long names"

run zero.h5 zero=1
run all-zero.h5 gap=0
run going.h5 stop=running gap=0.9
run single.h5 iterations=1 gap=0.9 stop=iterations
for odd in zero all-zero going single; do draw odd $odd.h5; done
grep -q 'out of iterations after 1 iteration,' odd.svg || wrong "the heading of one iteration is missing"
draw odd zero.h5 going.h5 single.h5 none.h5 all-zero.h5
grep -q 'none.h5: has no iteration yet: left out' log || wrong "no warning about none.h5"
grep -q 'still running' odd.svg || wrong "a run that goes on looks like one that has ended"
check "gaps of 0, one iteration, runs that go on"

odd_name="it's <one> & \"two\" _{x} \$1.h5"
run "$odd_name"
draw names "$odd_name" strong1.h5
grep -qF '&lt;one&gt; &amp; &quot;two&quot;' names.html || wrong "the page does not show the name"
check "names with characters that mean something to gnuplot, XML and HTML"

draw compared strong1.h5 weak2.h5
grep -q 'What differs between the runs' compared.html || wrong "no table of differences"
grep -q '<th>ranks</th>' compared.html || wrong "ranks are not among the differences"
! grep -q '<th>model.gates</th>' compared.html || wrong "equal settings are among the differences"
grep -q 'gates_lower' compared.html || wrong "no bounds"
grep -qF 'of the gated problem &lt;made up&gt;' compared.html || wrong "the page does not tell what a bound is of"
check "a page of two runs tells what differs and the bounds"

for study in strong weak linear; do
  draw scaling --scaling $study?*.h5
  grep -q 'Where the time of a run goes' scaling.svg || wrong "a panel of $study is missing"
done
grep -q 'slope 1.00' scaling.svg || wrong "the slope is not in the picture"
grep -q 'to the power 1.000' scaling.html && grep -q 'to the power 1.000' log || wrong "the slope is not told"
draw scaling --scaling strong?.h5 twin.h5
grep -q '80.0' log && grep -q '3.20' log || wrong "the table lacks the efficiency: $(cat log)"
grep -q 'slower repeat' scaling.svg && grep -q 'Slower repeats' scaling.html || wrong "repeats are not shown"
good 1 report --scaling strong?.h5
well_formed strong1.scaling.svg
check "pictures, pages and tables of studies"

run other.h5 ranks=8 rows=1000 seconds=0.1 gates=512 threads=2
run resumed.h5 ranks=16 rows=1000 seconds=0.06 resumes=2
good 1 report --scaling strong?.h5 other.h5 resumed.h5 --json
grep -q 'warning: the runs differ in model.gates, threads' log || wrong "no warning of other work: $(cat log)"
grep -q 'warning: resumed.h5: was resumed' log || wrong "no warning of a resumed run: $(cat log)"
check "doubtful studies are told"

good 1 report strong1.h5 going.h5 --json
valid_json out
expect "stop" "$(each out stop)" '"converged" "running"'
expect_near "seconds of an iteration" "$(json out iteration_seconds)" 0.8 1e-9
check "numbers of an ordinary report"

finish
