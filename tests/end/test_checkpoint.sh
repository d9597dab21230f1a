#!/usr/bin/env bash
# Checkpoints as a user meets them: a run in pieces is the run in one go, bit for bit; signals; other numbers of
# ranks; what is refused and what is said.
#
#   test_checkpoint.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

csv_regression 600 1 >r.csv
csv_classes 500 3 2 >c.csv
good 1 import r.csv r.h5
good 1 import c.csv c.h5
csv_regression 6000 3 >other.csv
good 1 import other.csv other.h5
check "the data sets of this test"

# ---- in pieces

# Stops early, twice on the way, and just before the end; with few=1 on the way and just before the end.
pieces() { # RANKS SETTINGS...
  local ranks=$1 most total stops last=
  shift
  rm -f whole.h5* parts.h5*
  good "$ranks" train "$@" output.run=whole.h5
  [ ! -e whole.h5.ckpt ] || wrong "a converged run left its checkpoint"
  total=$(last_value whole.h5 /history/iteration)
  [ "$total" -ge 9 ] || wrong "only $total iterations: too few for a test"
  stops=($((total / 2)) $((total - 1)))
  [ -n "${few:-}" ] || stops=(3 $((total / 2)) $((total - 2)) $((total - 1)))
  for most in "${stops[@]}"; do
    expect_code 4 "$ranks" train "$@" output.run=parts.h5 solver.max_iterations=$most
    [ -s parts.h5.ckpt ] || wrong "no checkpoint after $most iterations"
    expect "iterations" "$(last_value parts.h5 /history/iteration)" $most
    last=$most
  done
  good "$ranks" train "$@" output.run=parts.h5
  grep -q "resumed : from parts.h5.ckpt, after iteration $last" log || wrong "not resumed: $(head -n 8 log | tail -n 1)"
  [ ! -e parts.h5.ckpt ] || wrong "the checkpoint was not removed"
  expect "the last row" "$(last_value parts.h5 /history/iteration)" "$(values parts.h5 /history/iteration | wc -w)"
  same_run whole.h5 parts.h5
}

for ranks in 1 3; do
  pieces $ranks r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-7 solver.block_rows=40
done
check "squared loss in pieces: the same bits"
for kind in block-gram global-kernel global-gram; do
  few=1 pieces 2 r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-7 solver.x_update=$kind
done
pieces 2 r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-7 solver.x_update=global-gram solver.newton=false
few=1 pieces 3 c.h5 model.gates=15 model.activation=gated solver.tolerance=1e-5 model.loss=logistic solver.x_update=global-gram
check "every x-update, with and without Newton steps, in pieces: the same bits"
for ranks in 1 2; do
  few=1 pieces $ranks r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-4 solver.precision=single solver.block_rows=40
done
check "single precision in pieces: the same bits"
pieces 3 c.h5 model.gates=15 model.activation=gated solver.tolerance=1e-5 model.loss=softmax solver.block_rows=40
check "softmax, renewed curvatures, in pieces: the same bits"
pieces 1 r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-5 solver.anderson=0 model.loss=huber solver.block_rows=40
check "without acceleration in pieces: the same bits"

expect_code 4 2 train r.h5 model.gates=20 model.activation=gated solver.max_iterations=5 output.run=again.h5
cp again.h5 first.h5
expect_code 4 2 train r.h5 model.gates=20 model.activation=gated solver.max_iterations=5 output.run=again.h5
grep -q 'no iteration was added' log || wrong "does not say that the budget was used up"
same_run first.h5 again.h5
check "the same budget again: nothing is added"

# ---- on other ranks

good 1 train r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-8 output.run=one.h5
objective=$(last_value one.h5 /history/primal)
for change in "2 3 block-kernel" "3 1 auto" "1 4 global-gram" "2 3 block-gram" "3 2 global-kernel"; do
  read -r before after kind <<<"$change"
  rm -f moved.h5*
  expect_code 4 "$before" train r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-8 solver.x_update="$kind" output.run=moved.h5 solver.max_iterations=7
  good "$after" train r.h5 model.gates=20 model.activation=gated solver.tolerance=1e-8 solver.x_update="$kind" output.run=moved.h5
  grep -q 'another number of ranks' log || wrong "does not tell of other ranks"
  expect_near "objective after $change ranks" "$(last_value moved.h5 /history/primal)" "$objective" 1e-6
  expect "rows" "$(last_value moved.h5 /history/iteration)" "$(values moved.h5 /history/iteration | wc -w)"
done
check "resumed on another number of ranks"

rm -f moved.h5*
"$make_file" two-rows tiny.h5 || wrong "$make_file cannot be run (make tests builds it)"
expect_code 4 1 train tiny.h5 model.gates=4 model.activation=gated solver.tolerance=1e-12 solver.max_iterations=3 output.run=tiny-run.h5
launch 4 train tiny.h5 model.gates=4 model.activation=gated solver.tolerance=1e-8 output.run=tiny-run.h5
good 1 train tiny.h5 model.gates=4 model.activation=gated solver.tolerance=1e-8 output.run=tiny-one.h5
expect_near "objective" "$(last_value tiny-run.h5 /history/primal)" "$(last_value tiny-one.h5 /history/primal)" 1e-6
check "resumed on more ranks than rows"

# ---- signals

# Slow enough to be caught, fast enough to be waited for: small steps, and many of them.
csv_regression 6000 4 >slow.csv
good 1 import slow.csv slow.h5
slow="slow.h5 model.gates=20 model.activation=gated solver.rho=1e5 solver.anderson=0 solver.max_iterations=4000 solver.tolerance=1e-13 solver.block_rows=10"

begin() { # RANKS: in the background; its process in pid, the one to signal in target
  : >log
  # shellcheck disable=SC2086
  if [ "$1" = 1 ]; then
    "$program" train $slow output.run=signal.h5 >out 2>log </dev/null &
  else
    bash "$support/mpirun.sh" "$1" "$program" train $slow output.run=signal.h5 >out 2>log </dev/null &
  fi
  pid=$!
  local tries=0
  while ! grep -q '^ *[0-9][0-9]* .*e[-+]' log && [ $tries -lt 150 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  target=$pid
  [ "$1" = 1 ] || target=$(children_of $pid | tail -n 1)
}

await() { # the exit code of the run, killed if it takes too long
  (sleep 60 && kill -KILL $pid 2>/dev/null) &
  local guard=$! code
  wait $pid
  code=$?
  kill $guard 2>/dev/null && wait $guard 2>/dev/null
  return $code
}

for ranks in 1 3; do
  rm -f signal.h5* whole.h5*
  # shellcheck disable=SC2086
  expect_code 4 $ranks train $slow output.run=whole.h5
  begin $ranks
  kill -USR1 "$target" 2>/dev/null || wrong "no process to signal: $(tail -n 1 log)"
  tries=0
  while [ ! -e signal.h5.ckpt ] && [ $tries -lt 50 ]; do sleep 0.1 && tries=$((tries + 1)); done
  [ -e signal.h5.ckpt ] || wrong "no checkpoint after SIGUSR1 on $ranks ranks"
  kill -USR2 "$target" 2>/dev/null || wrong "SIGUSR1 ended the run: $(tail -n 1 log)"
  await
  code=$?
  [ $code = 75 ] || wrong "exit code $code after SIGUSR2 on $ranks ranks: $(tail -n 1 log)"
  expect "stop" "$(attribute signal.h5 status/stop)" "signal"
  # shellcheck disable=SC2086
  expect_code 4 $ranks train $slow output.run=signal.h5
  grep -q 'resumed : ' log || wrong "not resumed"
  same_run whole.h5 signal.h5
done
check "SIGUSR1 checkpoints and goes on, SIGUSR2 ends with 75, resumed: the same bits"

rm -f signal.h5*
# shellcheck disable=SC2086
expect_code 4 3 train $slow output.run=signal.h5 output.checkpoint_seconds=0.05 output.checkpoint=elsewhere.ckpt
[ "$(grep -c 'checkpoint written' log)" -ge 2 ] || wrong "few checkpoints at an interval of 0.05 s"
[ -s elsewhere.ckpt ] || wrong "output.checkpoint was not used"
[ ! -e signal.h5.ckpt ] || wrong "the default name was used as well"
same_run whole.h5 signal.h5
check "checkpoints by the clock change nothing; output.checkpoint"

# ---- what is refused

refused() { # CODE RANKS PATTERN ARGUMENTS...
  local pattern=$3
  expect_code "$1" "$2" "${@:4}"
  [ "$(grep -c 'halfspace: error: ' log)" = 1 ] || wrong "$(grep -c 'halfspace: error: ' log) messages"
  grep 'halfspace: error: ' log | grep -q "$pattern" || wrong "message: $(grep 'halfspace: error: ' log)"
}

rm -f signal.h5*
begin 1
kill -TERM "$target"
await || true
[ -s signal.h5.ckpt ] || wrong "no checkpoint after SIGTERM"
cp signal.h5.ckpt good.ckpt
cp signal.h5 good-run.h5
for ranks in 1 3; do
  # shellcheck disable=SC2086
  refused 2 $ranks "signal.h5.ckpt: .*model.beta was '0.01' and is '0.02' now" train $slow output.run=signal.h5 model.beta=0.02
  refused 3 $ranks 'other data: the features differ' train other.h5 ${slow#slow.h5} output.run=signal.h5
  refused 3 $ranks 'other data: 6000 rows then, 500 now' train c.h5 ${slow#slow.h5} output.run=signal.h5
done
cmp -s signal.h5.ckpt good.ckpt || wrong "a refused checkpoint was touched"
cmp -s signal.h5 good-run.h5 || wrong "a refused run replaced the run file"
check "a checkpoint of other settings or data is refused and kept"

good 1 info good.ckpt --json
expect "kind" "$(json out kind)" checkpoint
expect "stop" "$(json out stop)" signal
expect "iteration" "$(json out iteration)" "$(last_value good-run.h5 /history/iteration)"
expect "ranks" "$(json out ranks)" 1
expect "bytes" "$(json out bytes)" "$(wc -c <good.ckpt)"
awk -v file="$(json out bytes)" -v state="$(json out state_bytes)" 'BEGIN { exit !(state > 0 && file < 1.3 * state) }' ||
  wrong "the file is large: $(json out bytes) bytes for $(json out state_bytes)"
good 1 info good.ckpt
grep -q 'a checkpoint of halfspace' out || wrong "info does not know a checkpoint"
check "info of a checkpoint, at most 1.3 times the state"

size=$(wc -c <good.ckpt)
for at in 40 $((size / 2)) $((size - 2000)); do
  cp good.ckpt signal.h5.ckpt
  byte=$(od -An -tu1 -j "$at" -N 1 good.ckpt)
  # shellcheck disable=SC2059
  printf "\\$(printf %o $((byte ^ 255)))" | dd of=signal.h5.ckpt bs=1 seek="$at" conv=notrunc 2>/dev/null
  # shellcheck disable=SC2086
  launch 2 train $slow output.run=signal.h5
  code=$?
  # A byte between two arrays belongs to nothing; all others must be noticed.
  [ $code = 3 ] || { [ $code = 4 ] && rm -f signal.h5.ckpt; } || wrong "byte $at turned: exit code $code"
done
cp good.ckpt signal.h5.ckpt && truncate -s $((size / 3)) signal.h5.ckpt
# shellcheck disable=SC2086
refused 3 2 'signal.h5.ckpt: .*damaged' train $slow output.run=signal.h5
echo "not a checkpoint" >signal.h5.ckpt
# shellcheck disable=SC2086
refused 3 1 'signal.h5.ckpt: .*damaged' train $slow output.run=signal.h5
cp r.h5 signal.h5.ckpt
# shellcheck disable=SC2086
refused 3 1 'signal.h5.ckpt: .*not a checkpoint' train $slow output.run=signal.h5
check "a damaged, cut off or foreign checkpoint is refused"

rm -f left.h5*
expect_code 4 1 train r.h5 model.gates=20 model.activation=gated solver.max_iterations=5 output.run=left.h5
good 1 train r.h5 model.gates=20 model.activation=gated model.beta=0.05 output.run=left.h5
grep -q 'warning: left.h5.ckpt: .*model.beta.*starting anew' log || wrong "no warning: $(head -n 1 log)"
check "a run that ended at a budget does not stand in the way of another"

finish
