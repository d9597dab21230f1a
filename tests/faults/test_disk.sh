#!/usr/bin/env bash
# Disks that fill up, folders that vanish or lose their permissions, memory that one rank does not get, and two jobs
# on one output: one message, the right exit code on all ranks, and what was whole stays whole.
#
#   test_disk.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

good 1 generate gaussian g.h5 n=20000 d=12
settings="g.h5 model.gates=40 model.activation=gated model.beta=0.001 solver.tolerance=1e-13 solver.block_rows=400"
# Never done: steps of no size.
endless="g.h5 model.gates=20 model.activation=gated solver.rho=1e12 solver.anderson=0 solver.max_iterations=2000000000 solver.block_rows=400"

one_message() { # PATTERN
  [ "$(grep -c 'halfspace: error: ' log)" = 1 ] || wrong "$(grep -c 'halfspace: error: ' log) messages: $(head -n 3 log)"
  grep 'halfspace: error: ' log | grep -q "$1" || wrong "message: $(grep 'halfspace: error: ' log)"
}

mounted=
unmount() { [ -z "$mounted" ] || umount "$mounted" 2>/dev/null; }
trap 'unmount; rm -rf "$folder"' EXIT

mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64m tmpfs small 2>/dev/null; then
  mounted=$PWD/small
  for ranks in 1 3; do
    mount -o remount,size=64m small
    rm -f small/*
    # shellcheck disable=SC2086
    expect_code 4 $ranks train $settings output.run=small/run.h5 solver.max_iterations=3
    cp small/run.h5.ckpt before.ckpt
    # Room for half another checkpoint.
    used=$(du -sk small | cut -f 1)
    mount -o remount,size=$((used + $(wc -c <before.ckpt) / 2048 + $(wc -c <small/run.h5) / 1024))k small
    # shellcheck disable=SC2086
    expect_code 6 $ranks train $settings output.run=small/run.h5 solver.max_iterations=9
    one_message 'small/run.h5.ckpt.new: .*No space left'
    cmp -s small/run.h5.ckpt before.ckpt || wrong "the checkpoint before it was touched"
    [ ! -e small/run.h5.ckpt.new ] || wrong "half a checkpoint is left"
    good 1 info small/run.h5
    mount -o remount,size=64m small
    # shellcheck disable=SC2086
    expect_code 4 $ranks train $settings output.run=small/run.h5 solver.max_iterations=9
    grep -q 'resumed : .* after iteration 3' log || wrong "the checkpoint before it was not gone on from"
  done
  check "disk full at a checkpoint: code 6, one message, the one before it is whole"

  for ranks in 1 3; do
    mount -o remount,size=64m small
    rm -f small/*
    # shellcheck disable=SC2086
    expect_code 4 $ranks train $endless output.run=small/run.h5 output.checkpoint="$PWD/other.ckpt" solver.max_iterations=3
    rm -f other.ckpt
    mount -o remount,size=$(($(du -sk small | cut -f 1) + 60))k small
    # shellcheck disable=SC2086
    expect_code 6 $ranks train $endless output.run=small/run.h5 output.checkpoint="$PWD/other.ckpt" output.checkpoint_seconds=0
    one_message 'small/run.h5: .*No space left'
    good 1 info small/run.h5
    rm -f other.ckpt
  done
  check "disk full at the run file: code 6, one message, the file is readable"
  umount small && mounted=
else
  skip "a full disk" "a small file system cannot be mounted here"
fi

# ---- folders

start() { # RANKS OUTPUT: in the background until three rows are printed
  rm -f job.log
  # shellcheck disable=SC2086
  bash "$support/mpirun.sh" "$1" "$program" train $endless output.run="$2" >job.out 2>job.log </dev/null &
  pid=$!
  local tries=0
  while ! grep -qs '^ *3 ' job.log && [ $tries -lt 150 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
}

end() { # sets code to the exit code of the run, killed if it takes too long
  (sleep 30 && kill -KILL $pid 2>/dev/null) &
  local guard=$!
  { wait $pid; } 2>/dev/null
  code=$?
  cp job.log log
  kill $guard 2>/dev/null && { wait $guard; } 2>/dev/null
}

for ranks in 1 3; do
  mkdir -p vanishing
  start $ranks vanishing/run.h5
  rm -rf vanishing
  end
  expect "exit code when the folder vanishes ($ranks ranks)" $code 6
  one_message 'vanishing/run.h5.*: .*No such file'
done
check "the folder is removed during the run"

if [ "$(id -u)" = 0 ]; then
  skip "the permission is taken away during the run" "root may write everywhere"
else
  mkdir locked
  start 2 locked/run.h5
  chmod a-w locked
  end
  expect "exit code without permission" $code 6
  one_message 'locked/run.h5.*: .*Permission denied'
  chmod u+w locked
  good 1 info locked/run.h5
  check "the permission is taken away during the run"
fi

# ---- memory on one rank

cat >poor.sh <<'END'
#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || ulimit -v "$POOR_KB"
exec "$@"
END
chmod +x poor.sh
# Room for MPI itself, which hangs without it, and then too little for the data, the blocks, or nothing at all.
good 1 generate gaussian wide.h5 n=100000 d=100
for room in 450000 500000 600000 1500000; do
  POOR_KB=$room timeout -k 5 60 bash "$support/mpirun.sh" 3 ./poor.sh "$program" train wide.h5 model.activation=gated \
    model.gates=200 solver.max_iterations=2 watchdog_seconds=20 output.run=poor.h5 >out 2>log </dev/null
  code=$?
  rm -f poor.h5*
  case $code in
  7) one_message 'memory' && seven=1 ;;
  4) four=1 ;;
  *) wrong "exit code $code with $room kB: $(grep -m 1 halfspace: log)" ;;
  esac
done
[ "${seven:-0}" = 1 ] || wrong "no limit was low enough to be noticed"
[ "${four:-0}" = 1 ] || wrong "no limit was high enough to run"
check "one rank is short of memory: code 7, one message"

# ---- two jobs

start 2 shared.h5
cp shared.h5.lock lock.copy 2>/dev/null || wrong "no lock file"
for ranks in 1 3; do
  # shellcheck disable=SC2086
  expect_code 6 $ranks train $endless output.run=shared.h5
  one_message 'shared.h5: '
done
victim=$(children_of $pid | tail -n 1)
kill -USR2 "$victim"
end
expect "exit code of the first job" $code 75
[ ! -e shared.h5.lock ] || wrong "the lock is left"
check "two jobs on one output: the second is refused, the first goes on"

start 2 shared.h5
mapfile -t ranks_of_job < <(children_of $pid)
kill -KILL $pid "${ranks_of_job[@]}"
end
sleep 0.5
[ -e shared.h5.lock ] || wrong "a killed job left no lock"
# shellcheck disable=SC2086
expect_code 4 2 train $endless output.run=shared.h5 solver.max_iterations=10
check "the lock of a killed job is recognised as stale"

finish
