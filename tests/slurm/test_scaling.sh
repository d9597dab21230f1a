#!/usr/bin/env bash
# jobs/slurm/scaling.sh: scaling studies, from submission to the report.
#
#   tests/slurm/test_scaling.sh PROGRAM
#
# Truth: what was asked for is what the run files say. Times are not judged.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"
if ! have h5dump; then
  skip "scaling study" "h5dump is not installed"
  finish
  exit
fi
cluster_up "scaling study"

scaling() { timeout 60 "$slurm/scaling.sh" "$@" >submitted 2>&1; }
first_job() { sed -n 's/^job \([0-9]*\): data.*/\1/p' submitted; }
small=(features=5 gates=8 iterations=7 --time=5)

expect_point() { # RUN ROWS RANKS
  good 1 info "$1" --json
  expect "rows of $1" "$(json out rows)" "$2"
  expect "ranks of $1" "$(json out ranks)" "$3"
  expect "iterations of $1" "$(json out iterations)" 7
  expect "stop of $1" "$(json out stop)" iterations
  [ ! -e "$1.ckpt" ] || wrong "$1.ckpt is left"
}

expect_report() { # FOLDER POINTS
  if ! have gnuplot; then
    skip "report of $1" "gnuplot is not installed"
    return
  fi
  timeout 60 "$slurm/scaling.sh" collect "$1" >collected 2>&1 || wrong "collect $1: $(cat collected)"
  expect "points of $1/report.json" "$(grep -c '"ranks":' "$1/report.json")" "$2"
  grep -q '</html>' "$1/report.html" || wrong "$1/report.html is not whole"
}

# ---- over rows

scaling n 500 1000 2000 ranks=2 solver.precision=single "${small[@]}" || wrong "$(cat submitted)"
data=$(first_job)
for job in $((data + 1)) $((data + 2)) $((data + 3)); do expect_end "$job" 0 120; done
for rows in 500 1000 2000; do
  expect_point scaling-n/rows-$rows.h5 $rows 2
  expect "shape of the data" "$(shape scaling-n/data-$rows.h5 /features)" "$rows, 5"
done
values scaling-n/rows-500.h5 /config | grep -q 'precision: single' || wrong "a setting did not reach the run"
expect_report scaling-n 3
check "over rows: three points and a report"

# ---- over ranks, two nodes

scaling strong 1 3 rows=900 "${small[@]}" || wrong "$(cat submitted)"
strong=$(first_job)
HALFSPACE_OUT="weak study" scaling weak 1 3 rows=300 "${small[@]}" || wrong "$(cat submitted)"
weak=$(first_job)
for job in $((strong + 1)) $((strong + 2)) $((weak + 1)) $((weak + 2)); do expect_end "$job" 0 120; done
expect_point scaling-strong/ranks-1.h5 900 1
expect_point scaling-strong/ranks-3.h5 900 3
expect_point "weak study/ranks-1.h5" 300 1
expect_point "weak study/ranks-3.h5" 900 3
expect_report scaling-strong 2
expect_report "weak study" 2
check "over ranks, strong and weak"

# ---- refusals

refused() { # WORDS OF THE MESSAGE, ARGUMENTS...
  scaling "${@:2}" && wrong "accepted: ${*:2}"
  grep -q "$1" submitted || wrong "${*:2}: $(cat submitted)"
}
refused "usage" sideways 1 2
refused "at least two points" n 100
refused "a point is '1e4'" n 100 1e4
refused "unknown word" n 100 200 colour=red
refused "points of this study are rows" n 100 200 rows=5
refused "points of this study are ranks" weak 1 2 ranks=4
refused "has a study already" n 100 200
refused "no folder of a scaling study" collect nowhere
HALFSPACE_OUT=new refused "." n 100 200 --partition=none
[ ! -e new/points ] || wrong "a study that was not submitted has left its points"
is_gone() { [ -z "$(timeout 20 squeue -h)" ]; }
wait_until 30 "jobs of a refused study to leave the queue" is_gone
check "refusals"

finish
