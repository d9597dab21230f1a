#!/usr/bin/env bash
# A path of beta: the same on any number of ranks, every point certified, scores as `evaluate` has them, stopped and
# gone on with, drawn, and what is refused.
#
#   test_path.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

csv_classes 900 2 4 >c.csv
csv_regression 800 5 >r.csv
csv_regression 4000 6 >slow.csv
good 1 import c.csv c.h5 split=0.3
good 1 import r.csv r.h5 split=0.25
good 1 import slow.csv slow.h5
check "the data sets of this test"

# Each number of the first list is at most the one of the second, up to rounding.
expect_below() { # WHAT LIST LIST
  awk -v a="$2" -v b="$3" 'BEGIN { n = split(a, x); m = split(b, y)
    for (i = 1; i <= n; i++) if (!(x[i] <= y[i] + 1e-10 * (y[i] < 0 ? -y[i] : y[i]))) exit 1
    exit !(n == m && n > 0) }' || wrong "$1: \"$2\" is not below \"$3\""
}
nth() { echo "$1" | awk -v k="$2" '{ print $(k + 1) }'; } # LIST INDEX, from 0
sum() { echo "$1" | awk '{ for (i = 1; i <= NF; i++) s += $i; print s }'; }

# ---- the points

settings="model.gates=16 model.activation=gated model.beta=0.003 path.points=12 solver.tolerance=1e-5"
for ranks in 1 2 3; do
  # shellcheck disable=SC2086
  good $ranks path c.h5 data.validation=c.test.h5 $settings output.run=c$ranks.h5
  expect "stop" "$(attribute c$ranks.h5 status/stop)" converged
  expect "points" "$(values c$ranks.h5 /path/beta | wc -w)" 12
  [ ! -e c$ranks.h5.ckpt ] || wrong "the path left a checkpoint"
done
chosen=$(attribute c1.h5 path/chosen)
for ranks in 2 3; do
  expect "chosen point on $ranks ranks" "$(attribute c$ranks.h5 path/chosen)" "$chosen"
  expect "scores on $ranks ranks" "$(values c$ranks.h5 /path/validation_score)" "$(values c1.h5 /path/validation_score)"
  for other in 1 2 3; do
    expect_below "brackets of $ranks and $other ranks" "$(values c$ranks.h5 /path/dual)" "$(values c$other.h5 /path/primal)"
  done
done
check "the same points and the same choice on 1, 2 and 3 ranks"

expect "weights of the first point" "$(nth "$(values c1.h5 /path/active_groups)" 0)" 0
expect "its gap" "$(nth "$(values c1.h5 /path/relative_gap)" 0)" 0
expect "its beta" "$(nth "$(values c1.h5 /path/beta_relative)" 0)" 1
expect "its loss" "$(nth "$(values c1.h5 /path/train_loss)" 0)" 315 # half of 630 targets of +-1
expect_near "the last beta" "$(nth "$(values c1.h5 /path/beta_relative)" 11)" 0.003 1e-12
check "the path begins at zero and ends at model.beta"

expect "iterations" "$(sum "$(values c1.h5 /path/iterations)")" "$(last_value c1.h5 /history/iteration)"
expect "rows of history" "$(values c1.h5 /history/iteration | wc -w)" "$(last_value c1.h5 /history/iteration)"
first=$(values c1.h5 /path/first_iteration)
gaps=$(values c1.h5 /history/relative_gap)
for k in 0 4 11; do # the last row of a point has its gap
  last=$(($(nth "$first" $k) + $(nth "$(values c1.h5 /path/iterations)" $k) - 2))
  expect_near "gap of point $k" "$(nth "$gaps" $last)" "$(nth "$(values c1.h5 /path/relative_gap)" $k)" 1e-12
done
check "the history holds the points one after the other"

for k in 2 6 11; do
  # shellcheck disable=SC2086
  good 2 train c.h5 $settings model.beta_absolute="$(nth "$(values c1.h5 /path/beta)" $k)" output.run=alone.h5
  expect_below "bound of point $k" "$(nth "$(values c1.h5 /path/dual)" $k)" "$(last_value alone.h5 /history/primal)"
  expect_below "bound of a run alone" "$(last_value alone.h5 /history/dual)" "$(nth "$(values c1.h5 /path/primal)" $k)"
done
check "every bracket meets that of a run of its own"

good 1 evaluate c1.h5 c.test.h5 --json
expect_near "accuracy" "$(json out accuracy gated)" "$(nth "$(values c1.h5 /path/validation_score)" "$chosen")" 1e-12
expect_near "loss" "$(json out loss gated)" "$(nth "$(values c1.h5 /path/validation_loss)" "$chosen")" 1e-9
good 1 info c1.h5 --json
expect_near "beta" "$(json out beta)" "$(nth "$(values c1.h5 /path/beta)" "$chosen")" 1e-12
expect_near "primal" "$(json out primal)" "$(nth "$(values c1.h5 /path/primal)" "$chosen")" 1e-12
expect "chosen in JSON" "$(json out chosen path)" "$chosen"
expect "score in JSON" "$(json out score path)" accuracy
good 1 info c1.h5
grep -q "chosen *point $((chosen + 1))," out || wrong "info does not tell the chosen point"
highest=$(values c1.h5 /path/validation_score | tr ' ' '\n' | sort -g | tail -n 1)
expect "the best score" "$(nth "$(values c1.h5 /path/validation_score)" "$(attribute c1.h5 path/best)")" "$highest"
check "the model of the run is that of the chosen point"

# The weights of all points: groups that are on, and their sizes.
first=$(values c1.h5 /path/weights/first)
active=$(values c1.h5 /path/active_groups)
expect "points with weights" "$(values c1.h5 /path/weights/point)" "0 1 2 3 4 5 6 7 8 9 10 11"
for k in 1 7; do
  expect "gates of point $k" $(($(nth "$first" $((k + 1))) - $(nth "$first" $k))) "$(nth "$active" $k)"
done
expect "shape" "$(shape c1.h5 /path/weights/values)" "$(nth "$first" 12), 3, 1"
check "the weights of all points are in the file"

# ---- the choice

for ranks in 1 3; do
  # shellcheck disable=SC2086
  good $ranks path r.h5 $settings path.hold_out=0.25 path.choose=one-error output.run=r$ranks.h5
done
expect "rows held out" "$(attribute r1.h5 path/validation_rows)" 150
expect "rows trained on" "$(attribute r1.h5 status/rows)" 450
expect "score" "$(attribute r1.h5 path/score)" r2
chosen=$(attribute r1.h5 path/chosen) best=$(attribute r1.h5 path/best)
expect "chosen on 3 ranks" "$(attribute r3.h5 path/chosen)" "$chosen"
expect "chosen" "$chosen" "$(attribute r1.h5 path/one_error)"
[ "$chosen" -le "$best" ] || wrong "one-error chose point $chosen, beyond the best, $best"
scores=$(values r1.h5 /path/validation_score) errors=$(values r1.h5 /path/validation_error)
expect_below "score of the chosen" "$(awk -v s="$(nth "$scores" "$best")" -v e="$(nth "$errors" "$best")" 'BEGIN { printf "%.17g", s - e }')" \
  "$(nth "$scores" "$chosen")"
awk -v a="$scores" -v b="$(values r3.h5 /path/validation_score)" 'BEGIN { n = split(a, x); split(b, y)
  for (i = 1; i <= n; i++) if (x[i] - y[i] > 1e-3 || y[i] - x[i] > 1e-3) exit 1 }' || wrong "scores differ between 1 and 3 ranks"
check "rows held out do not depend on ranks; the one-error choice"

# shellcheck disable=SC2086
good 2 path r.h5 $settings data.test=r.test.h5 path.weights=chosen model.activation=relu output.run=relu.h5
[ "$(values relu.h5 /path/weights/point | wc -w)" = 1 ] || wrong "weights of more than the chosen point"
grep -q '^test ' log || wrong "the test data were not evaluated"
good 1 evaluate relu.h5 r.test.h5 --json
[ -n "$(json out r2 relu)" ] || wrong "no ReLU network"
check "the chosen point becomes a ReLU network, and is tested"

for loss in logistic huber; do
  # shellcheck disable=SC2086
  good 2 path c.h5 $settings model.loss=$loss path.points=6 solver.tolerance=1e-4 output.run=$loss.h5
done
# shellcheck disable=SC2086
good 3 path r.h5 $settings solver.precision=single solver.tolerance=1e-3 solver.x_update=block-kernel output.run=single.h5
check "other losses and single precision"

# ---- stopped and gone on with

slow="slow.h5 model.gates=40 model.activation=gated model.beta=0.001 path.points=40 solver.tolerance=1e-7 solver.x_update=block-kernel solver.block_rows=100"
for ranks in 1 2; do
  rm -f whole.h5* parts.h5*
  # shellcheck disable=SC2086
  good $ranks path $slow output.run=whole.h5
  seconds=$(last_value whole.h5 /history/seconds)
  # shellcheck disable=SC2086
  expect_code 4 $ranks path $slow output.run=parts.h5 solver.max_seconds="$(awk -v s="$seconds" 'BEGIN { print s / 4 }')"
  [ -s parts.h5.ckpt ] || wrong "no checkpoint"
  expect "stop" "$(attribute parts.h5 status/stop)" seconds
  some=$(values parts.h5 /path/beta | wc -w)
  if [ "$some" -lt 1 ] || [ "$some" -ge 40 ]; then wrong "$some points after a part"; fi
  # shellcheck disable=SC2086
  good $ranks path $slow output.run=parts.h5
  grep -q "resumed : from parts.h5.ckpt, with $some of 40 points done" log || wrong "not resumed: $(grep resumed log)"
  same_run whole.h5 parts.h5
  for name in primal dual iterations validation_score; do
    expect "/path/$name" "$(values parts.h5 /path/$name)" "$(values whole.h5 /path/$name)"
  done
  expect "weights of the points" "$(values parts.h5 /path/weights/values)" "$(values whole.h5 /path/weights/values)"
  [ ! -e parts.h5.ckpt ] || wrong "the checkpoint was not removed"
done
check "a path in two parts is the path in one go, bit for bit"

rm -f parts.h5*
# shellcheck disable=SC2086
"$program" path $slow output.run=parts.h5 output.checkpoint_seconds=0.01 2>log >out </dev/null &
pid=$!
for ((tries = 0; tries < 100; tries++)); do
  [ -e parts.h5.ckpt ] && break
  sleep 0.05
done
kill -TERM $pid
wait $pid
code=$?
[ $code = 75 ] || wrong "exit code $code after SIGTERM: $(tail -n 1 log)"
expect "stop" "$(attribute parts.h5 status/stop)" signal
# shellcheck disable=SC2086
good 1 path $slow output.run=parts.h5
# shellcheck disable=SC2086
good 1 path $slow output.run=whole.h5
same_run whole.h5 parts.h5
check "a path that a signal has stopped goes on, bit for bit"

# shellcheck disable=SC2086
expect_code 4 1 path c.h5 $settings solver.max_iterations=2 output.run=few.h5
expect "stop" "$(attribute few.h5 status/stop)" iterations
expect "points" "$(values few.h5 /path/beta | wc -w)" 12
[ ! -e few.h5.ckpt ] || wrong "a path that is done left a checkpoint"
check "a budget of iterations is one of each point"

# ---- pictures

if have gnuplot; then
  good 1 report c1.h5 path.svg
  grep -q 'Accuracy on the validation rows' path.svg || wrong "no picture of the scores"
  good 1 report c1.h5 c2.h5 both.svg
  grep -q 'Relative duality gap' both.svg || wrong "two paths are not compared by their gaps"
  check "the picture of a path"
else
  skip "the picture of a path" "gnuplot is missing"
fi

# ---- what is refused

refused() { # CODE RANKS PATTERN ARGUMENTS...
  local pattern=$3
  expect_code "$1" "$2" "${@:4}"
  [ "$(grep -c 'halfspace: error: ' log)" = 1 ] || wrong "$(grep -c 'halfspace: error: ' log) messages"
  grep 'halfspace: error: ' log | grep -q "$pattern" || wrong "message: $(grep 'halfspace: error: ' log)"
}

refused 2 2 'model.beta: the path would end at .* not below beta_max' path c.h5 model.beta=1 output.run=no.h5
refused 2 1 'path.points = 0' path c.h5 path.points=0 output.run=no.h5
refused 2 1 'path.hold_out = 0.7' path c.h5 path.hold_out=0.7 output.run=no.h5
refused 3 2 'r.h5: has 3 features, the training data have 2' path c.h5 data.validation=r.h5 output.run=no.h5
refused 3 1 'none can be held out' path c.h5 path.hold_out=0.0001 output.run=no.h5
refused 2 1 'path.choose: one-error needs the weights of all points' path c.h5 path.choose=one-error path.weights=chosen output.run=no.h5
refused 2 1 'output.run = c.test.h5: would overwrite data.validation' path c.h5 data.validation=c.test.h5 output.run=c.test.h5
[ ! -e no.h5 ] || wrong "a refused path left a run file"
# shellcheck disable=SC2086
expect_code 4 1 train c.h5 data.validation=c.test.h5 model.gates=16 path.points=12 solver.max_iterations=3 solver.tolerance=1e-9 output.run=train.h5
refused 2 1 'checkpoint of a single training' path c.h5 data.validation=c.test.h5 model.gates=16 path.points=12 output.run=train.h5 solver.tolerance=1e-9
check "what is refused"

finish
