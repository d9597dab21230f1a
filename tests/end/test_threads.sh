#!/usr/bin/env bash
# OMP_NUM_THREADS, as a user sets it.
#
#   tests/end/test_threads.sh PROGRAM
#
# Any number of threads comes to the same objective, the same number of threads to the same bits.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
if ! have h5dump; then
  skip "threads" "h5dump is not installed"
  finish
  exit
fi

train() { # THREADS RANKS NAME [SETTINGS...]
  local threads=$1 ranks=$2 name=$3
  shift 3
  unset OMP_NUM_THREADS
  [ "$threads" = unset ] || export OMP_NUM_THREADS=$threads
  good "$ranks" train data.h5 model.gates=40 model.activation=gated solver.block_rows=90 solver.tolerance=1e-8 \
    "output.run=$name.h5" "$@"
}

same_bits() { # NAME NAME
  local set
  for set in /model/weights /history/primal /history/dual; do
    [ "$(values "$1.h5" $set)" = "$(values "$2.h5" $set)" ] || wrong "$set of $1 and $2 differ"
  done
}

good 1 generate gaussian data.h5 n=3000 d=12
check "data"

train unset 1 unset
expect "number of threads" "$(attribute unset.h5 /config/threads)" 1
grep -q ', 1 thread$' log || wrong "the first line does not say 1 thread"
train 1 1 one
same_bits unset one
check "one thread if nothing is said"

train 2 1 two
expect "number of threads" "$(attribute two.h5 /config/threads)" 2
grep -q ', 2 threads$' log || wrong "the first line does not say 2 threads"
train 2 1 again
same_bits two again
check "two threads give the same bits twice"

train 3 2 three
expect "threads of a rank" "$(attribute three.h5 /config/threads)" 3
for name in two three; do
  expect_near "objective of $name" "$(last_value $name.h5 /history/primal)" "$(last_value one.h5 /history/primal)" 1e-7
done
check "any number of threads gives the same objective"

# Bound to one CPU, as mpirun binds its ranks.
if have taskset; then
  cpu=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
  OMP_NUM_THREADS=2 taskset -c "$cpu" timeout -k 5 60 "$program" train data.h5 model.gates=10 \
    solver.tolerance=0.1 output.run=bound.h5 >out 2>log </dev/null || wrong "the run failed"
  grep -q 'warning: 2 threads to a rank, which may use 1 CPU ' log || wrong "no word about two threads on one CPU"
  check "threads that share a CPU are told of"
else
  skip "threads that share a CPU are told of" "taskset is not installed"
fi

# Fewer blocks than threads: all work on the same block.
train 3 1 few solver.block_rows=1500
train 3 1 few_again solver.block_rows=1500
same_bits few few_again
expect_near "objective" "$(last_value few.h5 /history/primal)" "$(last_value one.h5 /history/primal)" 1e-7
check "fewer blocks than threads"

train 2 1 single solver.precision=single solver.tolerance=1e-4
train 2 1 single_again solver.precision=single solver.tolerance=1e-4
same_bits single single_again
expect_near "objective" "$(last_value single.h5 /history/primal)" "$(last_value one.h5 /history/primal)" 1e-4
check "two threads in single precision"

finish
