#!/usr/bin/env bash
# The polish as a user meets it: gaps of 1e-10, recomputed here from data and model; what the run file says; a signal in
# the middle; tolerances that nothing reaches.
#
#   test_polish.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

zcat "$support/../../configs/data/magic04.data.gz" | awk 'NR % 20 == 0' >m.csv
good 1 import m.csv m.h5
csv_regression 600 1 >r.csv
good 1 import r.csv r.h5
csv_classes 1500 6 2 >c.csv
good 1 import c.csv c.h5
check "the data sets of this test"

all_rows() { # RUN: iterations count up from 1 without a gap
  values "$1" /history/iteration | awk '{ for (i = 1; i <= NF; i++) if ($i != i) exit 1 }' || wrong "$1: iterations are not 1, 2, ..."
}

at_most() { # WHAT FOUND LIMIT
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a ~ /^[-+0-9.e]+$/ && a + 0 <= b + 0) }' || wrong "$1 is \"$2\", more than $3"
}

polished() { # RUN: converged by Newton's method, and says so
  expect "stop of $1" "$(attribute "$1" status/stop)" converged
  expect "end of the polish of $1" "$(attribute "$1" status/polish_end)" converged
  at_most "gap of $1" "$(last_value "$1" /history/relative_gap)" 1e-10
  local from steps
  from=$(attribute "$1" status/polish_from)
  steps=$(attribute "$1" status/polish_steps)
  expect "iterations and steps of $1" $((from + steps - 1)) "$(last_value "$1" /history/iteration)"
  all_rows "$1"
}

# Objective and lower bound of a logistic model of one output, from the CSV alone, sample by sample. All gates of the
# problem have to be on: those that are off are not in the file. Prints objective, relative gap, and |1 - |s|/beta|.
recompute() { # RUN CSV
  {
    attribute "$1" model/beta
    values "$1" /model/shift
    values "$1" /model/scale
    values "$1" /model/gates
    values "$1" /model/weights
  } >model.txt
  awk -F '[ ,]' '
    FNR == NR && FNR == 1 { beta = $1; next }
    FNR == NR && FNR == 2 { d = NF; for (j = 1; j <= d; j++) shift[j] = $j; next }
    FNR == NR && FNR == 3 { for (j = 1; j <= d; j++) scale[j] = $j; next }
    FNR == NR && FNR == 4 { P = NF / (d + 1); for (e = 1; e <= NF; e++) g[e - 1] = $e; next }
    FNR == NR { for (e = 1; e <= NF; e++) u[e - 1] = $e; next }
    {
      n++
      for (j = 0; j < d; j++) x[j] = ($(j + 1) - shift[j + 1]) / scale[j + 1]
      x[d] = 1
      y = $(d + 1) == "h" ? 1 : -1
      a = 0
      for (i = 0; i < P; i++) {
        side = 0
        for (j = 0; j <= d; j++) side += x[j] * g[i * (d + 1) + j]
        open[i] = side >= 0
        for (j = 0; j <= d && open[i]; j++) a += u[i * (d + 1) + j] * x[j]
      }
      loss += log(1 + exp(-y * a))
      q[n] = 1 / (1 + exp(y * a))
      for (i = 0; i < P; i++)
        for (j = 0; j <= d && open[i]; j++) s[i * (d + 1) + j] += y * q[n] * x[j]
    }
    END {
      for (i = 0; i < P; i++) {
        norm = slope = 0
        for (j = 0; j <= d; j++) {
          norm += u[i * (d + 1) + j] ^ 2
          slope += s[i * (d + 1) + j] ^ 2
        }
        penalty += sqrt(norm)
        off = sqrt(slope) / beta - 1
        if (sqrt(slope) > largest) largest = sqrt(slope)
        if (off < 0) off = -off
        if (off > worst) worst = off
      }
      c = largest > beta ? beta / largest : 1
      for (k = 1; k <= n; k++) dual -= c * q[k] * log(c * q[k]) + (1 - c * q[k]) * log(1 - c * q[k])
      primal = loss + beta * penalty
      printf "%.15g %.3g %.3g\n", primal, (primal - dual) / primal, worst
    }' model.txt "$2"
}

# ---- gaps

logistic="m.h5 model.loss=logistic model.gates=8 model.activation=gated solver.polish=true"
for ranks in 1 3; do
  # shellcheck disable=SC2086
  good $ranks train $logistic solver.tolerance=1e-13 output.run=p$ranks.h5
  polished p$ranks.h5
  [ ! -e p$ranks.h5.ckpt ] || wrong "a converged run left its checkpoint"
  expect "gates on" "$(shape p$ranks.h5 /model/gates)" "8, 11"
  read -r objective gap slope < <(recompute p$ranks.h5 m.csv)
  expect_near "objective of $ranks ranks, recomputed" "$objective" "$(last_value p$ranks.h5 /history/primal)" 1e-12
  at_most "gap of $ranks ranks, recomputed" "$gap" 1e-10
  at_most "gradients of $ranks ranks, recomputed" "$slope" 1e-7
done
check "logistic loss, real data, 1 and 3 ranks: gap 1e-10, recomputed"

huber="model.activation=gated model.loss=huber model.gates=20 solver.polish=true"
for precision in single double; do
  # shellcheck disable=SC2086
  good 2 train r.h5 $huber solver.precision=$precision output.run=$precision.h5
  polished $precision.h5
done
expect_near "objective in single precision" "$(last_value single.h5 /history/primal)" "$(last_value double.h5 /history/primal)" 1e-6
check "single precision: gap 1e-10"

good 4 train c.h5 model.activation=gated model.loss=softmax model.groups=nuclear model.gates=6 solver.polish=true solver.tolerance=1e-8 output.run=s.h5
at_most "gap" "$(last_value s.h5 /history/relative_gap)" 1e-8
"$make_file" two-rows tiny.h5 || wrong "$make_file cannot be run (make tests builds it)"
good 4 train tiny.h5 model.activation=gated model.gates=4 solver.polish=true output.run=tiny-run.h5
at_most "gap of two rows" "$(last_value tiny-run.h5 /history/relative_gap)" 1e-10
check "softmax to a gap of its own; more ranks than rows"

# shellcheck disable=SC2086
good 2 train r.h5 $huber output.run=again.h5
same_run double.h5 again.h5
check "the same ranks, the same bits"

# shellcheck disable=SC2086
expect_code 4 2 train r.h5 $huber solver.polish=false solver.tolerance=1e-6 solver.max_iterations=4 output.run=short.h5
# shellcheck disable=SC2086
good 2 train r.h5 $huber solver.tolerance=1e-6 solver.max_iterations=4 output.run=short.h5
polished short.h5
expect "first row of the polish" "$(attribute short.h5 status/polish_from)" 5
check "a budget of iterations: what there is is polished"

# ---- out of reach

# Only where rounding lets the bounds meet, the run converges.
# shellcheck disable=SC2086
launch 2 train $logistic model.beta=0.001 solver.tolerance=1e-300 solver.max_iterations=300 output.run=far.h5
code=$?
all_rows far.h5
at_most "gap" "$(last_value far.h5 /history/relative_gap)" 1e-10
expect "exit code" $code "$([ "$(last_value far.h5 /history/relative_gap)" = 0 ] && echo 0 || echo 4)"
if grep -q 'plain iterations go on' log; then
  [ $code = 0 ] || expect "iterations" "$(last_value far.h5 /history/iteration)" 300
  [ -z "$(attribute far.h5 status/polish_from)" ] || wrong "rows of the polish that was given up are announced"
  expect "end of the polish" "$(attribute far.h5 status/polish_end)" stalled
fi
check "a tolerance out of reach: plain iterations go on, and nothing is lost"

# ---- a signal in the middle

# Steps of a tenth of a second and more, between the first and the last of which there is time for a signal.
slow="c.h5 model.loss=softmax model.groups=nuclear model.gates=60 model.beta=0.001 model.activation=gated solver.polish=true"
for ranks in 1 2; do
  # shellcheck disable=SC2086
  good $ranks train $slow output.run=whole.h5
  rm -f cut.h5*
  : >log
  if [ $ranks = 1 ]; then
    # shellcheck disable=SC2086
    "$program" train $slow output.run=cut.h5 >out 2>log </dev/null &
  else
    # shellcheck disable=SC2086
    bash "$support/mpirun.sh" $ranks "$program" train $slow output.run=cut.h5 >out 2>log </dev/null &
  fi
  pid=$! tries=0
  while ! grep -q '^Newton' log && [ $tries -lt 1200 ]; do sleep 0.05 && tries=$((tries + 1)); done
  target=$pid
  [ $ranks = 1 ] || target=$(children_of $pid | tail -n 1)
  kill -TERM "$target" 2>/dev/null || wrong "no process to signal: $(tail -n 1 log)"
  (sleep 60 && kill -KILL $pid 2>/dev/null) &
  guard=$!
  wait $pid
  code=$?
  kill $guard 2>/dev/null && wait $guard 2>/dev/null
  [ $ranks != 1 ] || expect "exit code after a signal" $code 75
  expect "stop" "$(attribute cut.h5 status/stop)" signal
  expect "end of the polish" "$(attribute cut.h5 status/polish_end)" signal
  [ -n "$(values cut.h5 /model/weights)" ] || wrong "no model after a signal"
  [ -s cut.h5.ckpt ] || wrong "no checkpoint after a signal"
  # shellcheck disable=SC2086
  good $ranks train $slow output.run=cut.h5
  grep -q 'resumed : ' log || wrong "not resumed"
  same_run whole.h5 cut.h5
  [ ! -e cut.h5.ckpt ] || wrong "the checkpoint was not removed"
done
check "a signal during the polish: saved, resumed, the same bits"

finish
