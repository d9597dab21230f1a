#!/usr/bin/env bash
# evaluate, predict, info and the help texts, after a training run.
#
#   tests/end/test_commands.sh PROGRAM
#
# Truth: accuracy, RMSE and R2 are recomputed by awk from the predictions and the targets, predictions by hand from
# the model in the run file, and numbers of --json are compared with those of the run file.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
if ! have h5dump; then
  skip "commands" "h5dump is not installed"
  finish
  exit
fi

csv_regression 150 6 >r.csv
csv_classes 150 3 7 >three.csv
good 1 import r.csv r.h5 split=0.2
good 1 import three.csv three.h5 split=0.2
good 1 train r.h5 model.gates=16 output.run=r-run.h5
good 1 train three.h5 model.gates=16 model.loss=softmax model.beta=0.02 output.run=three-run.h5
check "two runs"

# ---- JSON

valid_json() { # FILE
  if have python3; then
    python3 -m json.tool "$1" >/dev/null 2>&1 || wrong "$1 is not JSON: $(head -c 200 "$1" | xargs)"
  fi
}
have python3 || skip "JSON by python3 -m json.tool" "python3 is not installed"

good 1 info r-run.h5 --json
cp out info.json
valid_json info.json
for key in primal dual gap relative_gap; do
  expect_near "$key" "$(json info.json $key)" "$(last_value r-run.h5 /history/$key)" 1e-15
done
expect "stop" "$(json info.json stop)" "converged"
expect "iterations" "$(json info.json iterations)" "$(last_value r-run.h5 /history/iteration)"
expect "active_groups" "$(json info.json active_groups)" "$(last_value r-run.h5 /history/active_groups)"
expect "gates" "$(json info.json gates)" "16"
expect "ranks" "$(json info.json ranks)" "1"
expect_near "beta" "$(json info.json beta)" "$(attribute r-run.h5 model/beta)" 1e-15
expect_near "beta_max" "$(json info.json beta_max)" "$(attribute r-run.h5 model/beta_max)" 1e-15
[ -n "$(json info.json seconds)" ] || wrong "no seconds"
for bound in gates_lower network; do
  expect_near "$bound" "$(json info.json value bounds $bound)" "$(attribute r-run.h5 bounds/$bound/value)" 1e-15
  expect "kind of $bound" "$(json info.json kind bounds $bound)" "$(attribute r-run.h5 bounds/$bound/kind)"
done
expect "lines on stderr" "$(wc -l <log)" "0"
check "info --json of a run"

good 1 info three.h5 --json
valid_json out
expect "rows" "$(json out rows)" "120"
expect "features" "$(json out features)" "2"
good 1 info three.h5
for class in k0 k1 k2; do grep -qw $class out || wrong "info does not name class $class"; done
good 1 info r-run.h5
grep -q 'gates_lower' out && grep -q 'beta_max' out && grep -q 'mean' out || wrong "info of a run is short"
check "info of data and of a run"

# ---- predict against the model, and evaluate against predict

good 3 predict r-run.h5 r.test.h5 r-out.h5
expect "shape of scores" "$(shape r-out.h5 /gated/scores)" "30, 1"
expect "shape of scores" "$(shape r-out.h5 /relu/scores)" "30, 1"
numbers() { values "$1" "$2" | tr ' ' '\n'; }
# f(x) = sum_i 1[x . g_i >= 0] u_i . x with x = ((raw - shift) / scale, 1)
for set in shift scale gates weights; do numbers r-run.h5 /model/$set | sed "s/^/$set /"; done >model.txt
numbers r.test.h5 /features | sed 's/^/x /' >>model.txt
awk '{ v[$1, n[$1]++] = $2 } END { for (k = 0; k < n["x"] / 3; k++) { sum = 0
    for (j = 0; j < 3; j++) x[j] = (v["x", 3 * k + j] - v["shift", j]) / v["scale", j]
    x[3] = 1
    for (i = 0; i < n["gates"] / 4; i++) { dot = inner = 0
      for (j = 0; j < 4; j++) { dot += v["gates", 4 * i + j] * x[j]; inner += v["weights", 4 * i + j] * x[j] }
      if (dot >= 0) sum += inner }
    printf "%.15g\n", sum } }' model.txt >by-hand
numbers r-out.h5 /gated/scores | paste by-hand - |
  awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-9) bad = NR } END { exit bad > 0 || NR != 30 }' ||
  wrong "scores are not those of the model"
check "predictions are those of the gated model in the file"

for model in gated relu; do
  numbers r.test.h5 /targets >targets
  numbers r-out.h5 /$model/scores | paste targets - | awk '{ n++; y += $1; yy += $1 * $1; e += ($1 - $2)^2 }
    END { printf "%.12g %.12g %.12g\n", sqrt(e / n), 1 - e / (yy - y * y / n), e / 2 }' >truth
  read -r rmse r2 loss <truth
  for ranks in 1 3; do
    good $ranks evaluate r-run.h5 r.test.h5 --json
    valid_json out
    expect_near "$model: rmse" "$(json out rmse $model)" "$rmse" 1e-9
    expect_near "$model: r2" "$(json out r2 $model)" "$r2" 1e-9
    expect_near "$model: loss" "$(json out loss $model)" "$loss" 1e-9
    expect "$model: n" "$(json out n $model)" "30"
  done
done
check "regression: RMSE, R2 and loss follow from the predictions"

good 3 predict three-run.h5 three.test.h5 three-out.h5
good 1 predict three-run.h5 three.test.h5 three-one.h5
for model in gated relu; do
  numbers three.test.h5 /targets >targets
  accuracy=$(numbers three-out.h5 /$model/classes | paste targets - |
    awk '{ right += $1 == $2 } END { printf "%.12g", right / NR }')
  for ranks in 1 3; do
    good $ranks evaluate three-run.h5 three.test.h5 --json
    valid_json out
    expect_near "$model: accuracy" "$(json out accuracy $model)" "$accuracy" 1e-12
  done
  awk -v a="$accuracy" 'BEGIN { exit !(a > 0.5) }' || [ $model = relu ] || wrong "the accuracy is only $accuracy"
  expect "$model: classes of 1 and 3 ranks" "$(values three-one.h5 /$model/classes)" "$(values three-out.h5 /$model/classes)"
  numbers three-out.h5 /$model/scores | paste - - - >scores
  numbers three-out.h5 /$model/probabilities | paste - - - | paste scores - |
    awk '{ s = exp($1) + exp($2) + exp($3); if ($4 + $5 + $6 < 1 - 1e-12 || $4 + $5 + $6 > 1 + 1e-12) bad = 1
           d = $4 - exp($1) / s; if (d * d > 1e-20) bad = 1 } END { exit bad || NR != 30 }' ||
    wrong "$model: probabilities are not the softmax of the scores"
  numbers three-out.h5 /$model/classes | paste scores - |
    awk '{ c = 0; if ($2 > $1) c = 1; if ($3 > $(c + 1)) c = 2; if (c != $4) bad = 1 } END { exit bad }' ||
    wrong "$model: a class has not the largest score"
done
check "classes: accuracy, probabilities and classes follow from the scores"

# ---- help

good 1 --version
grep -q '^halfspace [0-9]' out || wrong "--version said \"$(cat out)\""
good 1 --help
commands=$(awk '/^commands/ { on = 1; next } on && /^ *$/ { exit } on && /^[m ] [a-z]/ { print substr($0, 3) }' out | awk '{ print $1 }')
[ "$(wc -w <<<"$commands")" -ge 7 ] || wrong "--help lists \"$commands\""
for command in $commands; do
  good 1 "$command" --help
  cp out by-flag
  good 1 help "$command"
  cmp -s out by-flag || wrong "help $command and $command --help differ"
  grep -q "usage: halfspace $command" out || wrong "help $command shows no usage"
done
good 3 --help
expect "usage lines on 3 ranks" "$(grep -c '^usage:' out)" "1"
check "help and version"

# Every key of the contract is explained, and stands in the settings of the run file.
good 1 help train
cp out help.txt
values r-run.h5 /config | tr -d '\\' >config.txt
for key in data.train data.test data.features data.targets data.bias data.scaling model.layers model.activation \
  model.gates model.gates_from model.gate_rounds model.gate_batch model.solve model.init model.width \
  model.restarts model.hidden model.loss model.groups model.beta model.beta_absolute solver.tolerance \
  solver.max_iterations solver.max_seconds solver.x_update solver.block_rows solver.rho solver.anderson \
  bounds.max_seconds solver.polish solver.precision seed output.run output.checkpoint output.checkpoint_seconds; do
  grep -qE "^ *${key//./\\.} " help.txt || wrong "help train does not explain $key"
  grep -qF "${key##*.}:" config.txt || wrong "the run file does not hold $key"
done
check "help train explains every setting"

good 3 train r.h5 model.gates=4 output.run=quiet.h5 --quiet
expect "lines with --quiet" "$(wc -l <log)" "0"
check "--quiet"

finish
