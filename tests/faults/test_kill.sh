#!/usr/bin/env bash
# kill -9 of a random rank, or of mpirun, at a random moment, and the same command again, until the run is done: the
# model and the history are those of a run that nobody disturbed, bit for bit, and no file is ever unreadable.
#
#   test_kill.sh PROGRAM          HS_TRIALS=4 trials, HS_SEED=1 for their moments
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"
trials=${HS_TRIALS:-4}
RANDOM=${HS_SEED:-1}
most_kills=4 # of one trial; then it may finish

good 1 generate gaussian g.h5 n=20000 d=12
settings="g.h5 model.gates=40 model.activation=gated model.beta=0.001 solver.tolerance=1e-7 solver.block_rows=400"
# shellcheck disable=SC2086
good 3 train $settings output.run=whole.h5
check "the undisturbed run"
milliseconds=$(awk -v s="$(last_value whole.h5 /history/seconds)" 'BEGIN { printf "%d", 1000 * s + 400 }')

# Processes that work on this test's run: mpirun and ranks.
workers() {
  local process
  for process in /proc/[0-9]*; do
    { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -q "$program train .*output.run=$PWD/killed.h5" && echo "${process#/proc/}"
  done
}

readable() {
  [ ! -e killed.h5 ] && return
  "$program" info killed.h5 --json >info.json 2>info.log || wrong "unreadable run file: $(cat info.log)"
  [ -n "$(h5dump -d /history/iteration killed.h5 2>/dev/null)" ] || wrong "h5dump cannot read the run file"
}

disturb() { # start the run, and end one of its processes after a while; 0 if it was done before
  local pid victims victim tries=0
  # shellcheck disable=SC2086
  bash "$support/mpirun.sh" 3 "$program" train $settings "output.run=$PWD/killed.h5" \
    output.checkpoint_seconds=0.03 >log 2>&1 </dev/null &
  pid=$!
  sleep "$(awk -v m=$((RANDOM % milliseconds)) 'BEGIN { printf "%.3f", m / 1000 }')"
  readable
  mapfile -t victims < <(workers)
  if [ ${#victims[@]} -gt 0 ]; then
    victim=${victims[$((RANDOM % ${#victims[@]}))]}
    kill -KILL "$victim" 2>/dev/null && kills=$((kills + 1))
  fi
  { wait $pid; } 2>/dev/null
  local code=$?
  while [ -n "$(workers)" ] && [ $tries -lt 100 ]; do sleep 0.1 && tries=$((tries + 1)); done
  [ -z "$(workers)" ] || wrong "processes are left 10 s after the kill"
  readable
  return $code
}

done_once=0 kills=0 total=0
for ((trial = 1; trial <= trials; trial++)); do
  rm -f killed.h5*
  kills=0 code=1
  while [ $code != 0 ] && [ $kills -lt $most_kills ] && [ -z "$problem" ]; do
    disturb
    code=$?
  done
  total=$((total + kills))
  if [ $code != 0 ] && [ -z "$problem" ]; then
    # shellcheck disable=SC2086
    good 3 train $settings "output.run=$PWD/killed.h5"
  fi
  same_run whole.h5 killed.h5
  [ ! -e killed.h5.ckpt ] || wrong "the checkpoint is left"
  [ -z "$(find . -name 'killed.h5*' ! -name killed.h5)" ] || wrong "files are left: $(ls killed.h5*)"
  [ -z "$problem" ] || break
  done_once=$((done_once + 1))
done
[ $total -ge $((trials / 2)) ] || wrong "only $total kills hit a running process"
echo "$done_once of $trials trials with $total kills ended as the undisturbed run"
check "killed and resumed until done: the same bits, no unreadable file"

finish
