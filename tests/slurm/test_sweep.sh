#!/usr/bin/env bash
# jobs/slurm/sweep.sh: an array of runs and the job that waits for them.
#
#   tests/slurm/test_sweep.sh PROGRAM
#
# Truth: the objective of each run without SLURM; `halfspace evaluate` says which one is best.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"
if ! have h5dump; then
  skip "sweep" "h5dump is not installed"
  finish
  exit
fi
cluster_up "sweep"

csv_classes 600 2 4 >two.csv
good 1 import two.csv two.h5 split=0.3
printf 'data: {train: two.h5, test: two.test.h5}\nmodel: {gates: 20, activation: gated}\n' >"my config.yaml"
sweep() { timeout 60 "$slurm/sweep.sh" "$@" --ntasks-per-node=2 >submitted 2>&1; }
job_number() { sed -n "s/.*; job \([0-9]*\): table.*/\1/p" submitted; } # of the last job

# ---- three runs and a table

sweep "my config.yaml" 0.5 1e-2 0.0001 model.gates=16 solver.tolerance=1e-6 --time=5 || wrong "$(cat submitted)"
out="my config-sweep"
collect=$(job_number)
expect_end "$collect" 0 120
for beta in 0.5 1e-2 0.0001; do
  good 1 train "my config.yaml" model.gates=16 solver.tolerance=1e-6 model.beta=$beta output.run=here.h5
  expect_near "objective at beta $beta" "$(last_value "$out/beta-$beta.h5" /history/primal)" \
    "$(last_value here.h5 /history/primal)" 2e-6
  expect "ranks at beta $beta" "$(attribute "$out/beta-$beta.h5" config/ranks)" 2
  good 1 evaluate "$out/beta-$beta.h5" two.test.h5 --json
  expect "line of beta $beta" "$(grep "^$beta," "$out/table.csv" | cut -d, -f1-3,10,11)" \
    "$beta,gated,$(json out accuracy gated),converged,beta-$beta.h5"
done
expect "lines of the table" "$(wc -l <"$out/table.csv")" 4
best=$(tail -n +2 "$out/table.csv" | sort -t, -k3,3gr -k1,1gr | head -n 1)
expect "best.h5" "$(readlink "$out/best.h5")" "${best##*,}"
has_line "$out/collect.log" "^best: beta ${best%%,*}, " || wrong "the log is: $(cat "$out/collect.log")"
if have gnuplot; then
  grep -q "beta-1e-2" "$out/report.html" || wrong "the report does not name a run"
fi
mv "$out/table.csv" before.csv
timeout 60 bash "$slurm/sweep-collect.sbatch" "$out" >by_hand.log 2>&1 || wrong "by hand: $(cat by_hand.log)"
cmp -s before.csv "$out/table.csv" || wrong "the table made by hand differs"
check "three values of beta: runs, table, best one"

# ---- regression is judged by its error; a run out of budget is told, and no failure

csv_regression 400 5 >r.csv
good 1 import r.csv r.h5 split=0.3
HALFSPACE_OUT=regression sweep r.h5 0.3 0.003 data.test=r.test.h5 model.gates=10 solver.newton=false solver.tolerance=1e-9 solver.max_iterations=9 ||
  wrong "$(cat submitted)"
expect_end "$(job_number)" 0 120
expect "head of the table" "$(head -n 1 regression/table.csv | cut -d, -f1-3)" "beta,model,rmse"
expect "ends" "$(tail -n +2 regression/table.csv | cut -d, -f10 | sort -u)" iterations
expect "best.h5" "$(readlink regression/best.h5)" "$(tail -n +2 regression/table.csv | sort -t, -k3,3g | head -n 1 | sed 's/.*,//')"
check "regression, stopped at a budget"

# ---- one run fails: the last job does not wait for ever

mkdir broken && : >broken/beta-0.1.h5 && chmod 000 broken/beta-0.1.h5 && mkdir broken/beta-0.1.h5.lock
HALFSPACE_OUT=broken sweep "my config.yaml" 0.5 0.1 || wrong "$(cat submitted)"
collect=$(job_number)
wait_for_state "$collect" CANCELLED 60
is_gone() { [ -z "$(timeout 20 squeue -h)" ]; }
wait_until 60 "the queue to be empty" is_gone
[ -e broken/beta-0.5.h5 ] || wrong "the run that could do its work did not"
[ ! -e broken/table.csv ] || wrong "there is a table"
check "a run that fails takes the last job out of the queue"

# ---- refusals

refused() { # WORDS OF THE MESSAGE, ARGUMENTS...
  sweep "${@:2}" && wrong "accepted: ${*:2}"
  grep -q "$1" submitted || wrong "${*:2}: $(cat submitted)"
}
refused "usage" "my config.yaml"
refused "cannot be read" none.yaml 0.1
refused "is no beta" "my config.yaml" 0.1 o.2
refused "given twice" "my config.yaml" 0.1 0.1
refused "has a sweep already" "my config.yaml" 0.1
HALFSPACE_OUT=new refused "no validation data" r.h5 0.1
HALFSPACE_OUT=new refused "." "my config.yaml" 0.1 --partition=none
[ ! -e new/betas ] || wrong "a sweep that was not submitted has left its list"
expect "jobs" "$(timeout 20 squeue -h)" ""
check "refusals"

finish
