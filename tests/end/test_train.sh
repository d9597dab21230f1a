#!/usr/bin/env bash
# halfspace train, from data made here to the run file, read with h5dump.
#
#   tests/end/test_train.sh PROGRAM
#
# What must come out is known without a second implementation: objectives agree over ranks, the gap is what the
# bounds say, bounds enclose, equal runs give equal bits, budgets and signals end a run with its results saved.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"
if ! have h5dump; then
  skip "train" "h5dump is not installed"
  finish
  exit
fi

csv_regression 240 3 >r.csv
csv_classes 240 2 4 >two.csv
csv_classes 240 3 5 >three.csv
for name in r two three; do good 1 import $name.csv $name.h5; done
check "data"

# ---- a run and its file

settings="model.gates=20 solver.tolerance=1e-7"
# shellcheck disable=SC2086
for ranks in 1 3; do good $ranks train r.h5 $settings model.activation=gated output.run=run$ranks.h5; done
expect_near "objective on 3 ranks" "$(last_value run3.h5 /history/primal)" "$(last_value run1.h5 /history/primal)" 1e-6
for ranks in 1 3; do
  awk -v g="$(last_value run$ranks.h5 /history/relative_gap)" 'BEGIN { exit !(g >= 0 && g <= 1e-7) }' ||
    wrong "the gap of run$ranks.h5 is $(last_value run$ranks.h5 /history/relative_gap)"
  expect "ranks" "$(attribute run$ranks.h5 config/ranks)" "$ranks"
done
check "1 and 3 ranks: converged, the same objective"

rows=$(values run1.h5 /history/iteration | wc -w)
[ "$rows" -gt 3 ] || wrong "$rows iterations in the history"
for name in iteration primal dual gap relative_gap rho primal_residual dual_residual active_groups seconds \
  compute_seconds comm_seconds comm_bytes; do
  expect "entries of /history/$name" "$(values run1.h5 /history/$name | wc -w)" "$rows"
  h5dump -H -d /history/$name run1.h5 | grep -q H5S_UNLIMITED || wrong "/history/$name cannot grow"
done
expect "iterations" "$(values run1.h5 /history/iteration)" "$(seq -s ' ' 1 "$rows")"
expect "/status/stop" "$(attribute run1.h5 status/stop)" "converged"
for name in version commit ranks threads hosts mpi blas hdf5; do
  [ -n "$(attribute run1.h5 config/$name)" ] || wrong "/config has no attribute $name"
done
values run1.h5 /config | grep -q 'gates: 20' || wrong "/config does not hold model.gates"
check "history, status and settings are complete"

paste <(values run1.h5 /history/primal | tr ' ' '\n') <(values run1.h5 /history/dual | tr ' ' '\n') \
  <(values run1.h5 /history/gap | tr ' ' '\n') <(values run1.h5 /history/relative_gap | tr ' ' '\n') |
  awk '{ d = $1 - $2 - $3; if (d < 0) d = -d
         if (d > 1e-12 * $1) bad = "gap in iteration " NR
         r = ($1 - $2) / $1; if (r < 0) r = 0; e = r - $4; if (e < 0) e = -e
         if (e > 1e-12) bad = "relative gap in iteration " NR
         if (NR > 1 && ($1 > p || $2 < q)) bad = "a bound got worse in iteration " NR
         p = $1; q = $2 } END { print bad }' >verdict
[ -z "$(cat verdict)" ] || wrong "$(cat verdict)"
check "the gap is what the bounds say, and bounds only get better"

gates=$(shape run1.h5 /model/gates)
expect "shape of /model/gates" "${gates#*, }" "4"
expect "shape of /model/weights" "$(shape run1.h5 /model/weights)" "${gates%,*}, 4, 1"
expect "groups that are on" "$(last_value run1.h5 /history/active_groups)" "${gates%,*}"
expect "shape of /model/shift" "$(shape run1.h5 /model/shift)" "3"
expect "shape of /model/scale" "$(shape run1.h5 /model/scale)" "3"
expect "loss" "$(attribute run1.h5 model/loss)" "squared"
expect "groups" "$(attribute run1.h5 model/groups)" "joint"
expect "bias" "$(attribute run1.h5 model/bias)" "1"
expect_near "beta" "$(attribute run1.h5 model/beta)" \
  "$(awk -v b="$(attribute run1.h5 model/beta_max)" 'BEGIN { printf "%.17g", 0.01 * b }')" 1e-12
expect "kind of gates_lower" "$(attribute run1.h5 bounds/gates_lower/kind)" "proved"
expect "gates_lower" "$(attribute run1.h5 bounds/gates_lower/value)" "$(last_value run1.h5 /history/dual)"
h5dump -n run1.h5 | grep -q relu && wrong "a gated run wrote a ReLU network"
good 1 evaluate run1.h5 r.h5 --json
expect_near "objective by evaluate" "$(json out objective gated)" "$(last_value run1.h5 /history/primal)" 1e-9
check "model and bounds"

# ---- losses, groups, precision

run_kind() { # DATA OUTPUTS SETTINGS...
  local data=$1 outputs=$2
  shift 2
  good 1 train "$data" model.gates=12 model.beta=0.05 model.activation=gated output.run=kind.h5 "$@"
  awk -v g="$(last_value kind.h5 /history/relative_gap)" 'BEGIN { exit !(g >= 0 && g <= 1e-3) }' ||
    wrong "$*: gap $(last_value kind.h5 /history/relative_gap)"
  expect "$*: outputs" "$(shape kind.h5 /model/weights | awk '{ print $NF }')" "$outputs"
}
for groups in joint per-output nuclear; do
  run_kind r.h5 1 model.loss=squared model.groups=$groups
  run_kind r.h5 1 model.loss=huber model.groups=$groups
  run_kind three.h5 3 model.loss=softmax model.groups=$groups
  run_kind three.h5 3 model.loss=logistic model.groups=$groups
  run_kind three.h5 3 model.loss=squared-hinge model.groups=$groups
  expect "groups" "$(attribute kind.h5 model/groups)" "$groups"
done
run_kind two.h5 1 model.loss=logistic
expect "loss" "$(attribute kind.h5 model/loss)" "logistic"
check "five losses, three kinds of groups"

for scaling in none center zscore unit-norm common; do run_kind r.h5 1 data.scaling=$scaling data.bias=false; done
expect "shape without bias" "$(shape kind.h5 /model/gates | sed 's/.*, //')" "3"
check "every scaling, without bias"

# shellcheck disable=SC2086
good 1 train r.h5 $settings solver.tolerance=1e-4 solver.precision=single model.activation=gated output.run=single.h5
expect_near "objective" "$(last_value single.h5 /history/primal)" "$(last_value run1.h5 /history/primal)" 1e-4
good 1 evaluate single.h5 r.h5 --json
expect_near "objective by evaluate" "$(json out objective gated)" "$(last_value single.h5 /history/primal)" 1e-9
check "single precision"

# Steps of acceleration on so few numbers are dependent, and led where the losses are flat.
printf '%s\n' "-1.28715,-2.5743,0.569624,no" "-0.928957,-1.85791,0.85772,yes" >tiny.csv
good 1 import tiny.csv tiny.h5
for loss in squared logistic huber squared-hinge; do
  for ranks in 1 3; do good "$ranks" train tiny.h5 model.gates=10 model.activation=gated model.loss=$loss solver.x_update=block-kernel output.run=tiny-run.h5; done
done
check "two rows converge"

# ---- the ReLU network

# shellcheck disable=SC2086
good 3 train r.h5 $settings output.run=relu.h5
m=$(shape relu.h5 /model/relu/W2 | sed 's/,.*//')
[ "${m:-0}" -ge 1 ] || wrong "no neurons"
expect "shape of W1" "$(shape relu.h5 /model/relu/W1)" "4, $m"
expect "shape of W2" "$(shape relu.h5 /model/relu/W2)" "$m, 1"
expect "kind of network" "$(attribute relu.h5 bounds/network/kind)" "attained"
good 1 evaluate relu.h5 r.h5 --json
expect_near "the bound network" "$(attribute relu.h5 bounds/network/value)" "$(json out objective relu)" 1e-9
# Loss plus penalty of a real network: not below its penalty, and here not above that of the zero network.
values relu.h5 /model/relu/W1 | tr ' ' '\n' | awk -v m="$m" '{ s[(NR - 1) % m] += $1 * $1 }
  END { for (k = 0; k < m; k++) print sqrt(s[k]) }' >in
values relu.h5 /model/relu/W2 | tr ' ' '\n' | awk '{ print $1 < 0 ? -$1 : $1 }' >out.norms
penalty=$(paste in out.norms | awk -v beta="$(attribute relu.h5 model/beta)" '{ s += $1 * $2 } END { print beta * s }')
expect_near "the penalty of the network" "$penalty" \
  "$(awk -v o="$(json out objective relu)" -v l="$(json out loss relu)" 'BEGIN { print o - l }')" 1e-5
check "the ReLU network and its bound"

# ---- the ends of the scale of beta

for beta in 1 2.5; do
  good 3 train r.h5 model.beta=$beta output.run=zero.h5
  expect "active groups at beta $beta" "$(last_value zero.h5 /history/active_groups)" "0"
  expect "iterations at beta $beta" "$(values zero.h5 /history/iteration)" "1"
  expect "rows of gates at beta $beta" "$(shape zero.h5 /model/gates | sed 's/,.*//')" "0"
  good 1 evaluate zero.h5 r.h5 --json
  expect_near "loss at beta $beta" "$(json out loss gated)" "$(last_value zero.h5 /history/primal)" 1e-12
  good 3 predict zero.h5 r.h5 zero-out.h5
  expect "a prediction at beta $beta" "$(last_value zero-out.h5 /gated/scores)" "0"
done
check "beta so large that the solution is zero"

good 1 train r.h5 model.gates=20 model.beta_absolute=3 output.run=absolute.h5
expect "beta" "$(attribute absolute.h5 model/beta)" "3"
check "beta_absolute"

# ---- budgets and signals

for ranks in 1 3; do
  expect_code 4 $ranks train r.h5 model.gates=20 solver.tolerance=1e-14 solver.max_iterations=6 output.run=budget.h5
  expect "stop" "$(attribute budget.h5 status/stop)" "iterations"
  expect "iterations" "$(values budget.h5 /history/iteration | wc -w)" "6"
  [ -n "$(values budget.h5 /model/relu/W1)" ] || wrong "no network was saved"
  grep -q "halfspace: error" log && wrong "a budget is told as an error"
done
check "a budget of iterations"

# With a penalty so far off that nothing moves.
endless="model.gates=20 model.activation=gated solver.rho=1e12 solver.anderson=0 solver.max_iterations=2000000000 output.run=endless.h5"
for ranks in 1 3; do
  # shellcheck disable=SC2086
  expect_code 4 $ranks train r.h5 $endless solver.max_seconds=0.5
  expect "stop" "$(attribute endless.h5 status/stop)" "seconds"
  awk -v s="$(last_value endless.h5 /history/seconds)" 'BEGIN { exit !(s >= 0.5 && s < 20) }' ||
    wrong "stopped after $(last_value endless.h5 /history/seconds) s"
  [ -n "$(values endless.h5 /model/weights)" ] || wrong "no model was saved"
done
check "a budget of seconds"

# 75 says that a checkpoint was saved besides the results. What it holds is looked at in test_checkpoint.sh.
interrupt() { # RANKS SIGNAL
  local pid code target tries=0
  rm -f endless.h5 endless.h5.ckpt log
  # shellcheck disable=SC2086
  if [ "$1" = 1 ]; then
    "$program" train r.h5 $endless >out 2>log </dev/null &
  else
    bash "$support/mpirun.sh" "$1" "$program" train r.h5 $endless >out 2>log </dev/null &
  fi
  pid=$!
  # Three iterations printed: it runs.
  while ! grep -qs "^ *3 " log && [ $tries -lt 150 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  target=$pid
  [ "$1" = 1 ] || target=$(children_of $pid | tail -n 1)
  kill -"$2" "$target" 2>/dev/null || wrong "no process to signal: $(tail -n 1 log)"
  (sleep 20 && kill -KILL $pid 2>/dev/null) &
  local guard=$!
  wait $pid
  code=$?
  kill $guard 2>/dev/null && wait $guard 2>/dev/null
  [ $code = 75 ] || wrong "$2 on one of $1 ranks: exit code $code: $(tail -n 1 log)"
  expect "stop after $2" "$(attribute endless.h5 status/stop)" "signal"
  [ -n "$(values endless.h5 /model/weights)" ] || wrong "no model was saved after $2"
  expect_near "gates_lower after $2" "$(attribute endless.h5 bounds/gates_lower/value)" \
    "$(last_value endless.h5 /history/dual)" 1e-12
}
interrupt 1 TERM
interrupt 1 INT
check "a signal ends a run on one rank in good order"
interrupt 3 TERM
check "a signal to one of 3 ranks ends the run in good order"

# ---- the same run again

if have h5diff; then
  # shellcheck disable=SC2086
  for again in a b; do good 3 train three.h5 model.loss=softmax model.gates=20 output.run=again-$again.h5; done
  h5diff again-a.h5 again-b.h5 /model /model >out 2>&1 || wrong "models differ: $(head -n 2 out | xargs)"
  for name in primal dual rho primal_residual dual_residual active_groups; do
    h5diff again-a.h5 again-b.h5 /history/$name >out 2>&1 || wrong "/history/$name differs"
  done
  check "two runs on the same ranks: the same bits"
else
  skip "two runs on the same ranks: the same bits" "h5diff is not installed"
fi

good 1 train r.h5 model.gates=20 model.activation=gated seed=2 output.run=seed.h5
[ "$(values seed.h5 /model/gates)" != "$(values run1.h5 /model/gates)" ] || wrong "the seed changes nothing"
check "the seed"

# ---- given gates, foreign files, settings

"$make_file" gates given.h5 7 4 || wrong "$make_file cannot be run (make tests builds it)"
for ranks in 1 3; do
  good $ranks train r.h5 model.gates_from=given.h5 model.activation=gated solver.tolerance=1e-8 output.run=given-$ranks.h5
done
expect_near "objective" "$(last_value given-3.h5 /history/primal)" "$(last_value given-1.h5 /history/primal)" 1e-6
values given.h5 /gates | tr ' ' '\n' | paste -d ' ' - - - - >given.rows
values given-1.h5 /model/gates | tr ' ' '\n' | paste -d ' ' - - - - >kept.rows
[ -s kept.rows ] && ! grep -vxFf given.rows kept.rows >/dev/null || wrong "gates that were not given"
check "gates from a file"

"$make_file" foreign foreign.h5 || wrong "$make_file cannot be run (make tests builds it)"
good 3 train foreign.h5 data.features=x data.targets=labels/y model.loss=softmax model.gates=6 output.run=foreign-run.h5
expect "outputs" "$(shape foreign-run.h5 /model/weights | awk '{ print $NF }')" "3"
good 1 evaluate foreign-run.h5 foreign.h5 --json
[ -n "$(json out accuracy gated)" ] || wrong "evaluate does not find the names again"
check "the data sets of a foreign file"

cat >config.yaml <<'END'
# comments and nested keys
data:
  train: r.h5
model: {gates: 9, activation: gated}
solver:
  tolerance: 1e-2
output:
  run: config.h5
END
good 1 train config.yaml
values config.h5 /config | grep -q 'gates: 9 ' || wrong "the file's gates were not used"
good 3 train config.yaml model.gates=11 output.run=over.h5
values over.h5 /config | grep -q 'gates: 11 ' || wrong "key=value did not override the file"
values over.h5 /config | grep -q 'tolerance: 0.01 ' || wrong "the file's tolerance was lost"
check "a configuration file and overrides"

"$make_file" two-rows tiny.h5 || wrong "$make_file cannot be run (make tests builds it)"
for ranks in 1 3; do
  good $ranks train tiny.h5 model.gates=4 model.activation=gated solver.tolerance=1e-8 output.run=tiny-$ranks.h5
done
expect_near "objective" "$(last_value tiny-3.h5 /history/primal)" "$(last_value tiny-1.h5 /history/primal)" 1e-6
check "more ranks than rows"

printf 'x,y\n-2,1.5\n-1,0.6\n0.5,0.1\n1.5,1.2\n2.5,2.4\n' >one.csv
good 1 import one.csv one.h5 task=regression
for ranks in 1 3; do
  good $ranks train one.h5 data.bias=false model.gates=4 model.activation=gated solver.tolerance=1e-8 output.run=one-$ranks.h5
done
# In one dimension without bias the half-lines are the only masks.
expect "gates" "$(attribute one-1.h5 status/gates)" "2"
expect_near "objective" "$(last_value one-3.h5 /history/primal)" "$(last_value one-1.h5 /history/primal)" 1e-6
check "one feature, one output"

finish
