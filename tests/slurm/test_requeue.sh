#!/usr/bin/env bash
# jobs/slurm/train.sbatch across interruptions: a warning, a cancellation, a lost node, a program that stalls.
#
#   tests/slurm/test_requeue.sh PROGRAM
#
# Truth: the same run, uninterrupted, without SLURM; the same bits must come out.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"
if ! have h5dump; then
  skip "requeue" "h5dump is not installed"
  finish
  exit
fi
cluster_up "requeue"

# shellcheck source-path=SCRIPTDIR source=long_run.sh
. "$support/../slurm/long_run.sh"
short=$(iterations 6)

# ---- the same warning by hand, mpirun

reference short "$short" || wrong "the run without SLURM: $(tail -n 3 short.log)"
export HALFSPACE_LAUNCHER=mpirun
warned=$(train warned "$short" --)
wait_for_line warned.log '^ *5 ' 60
timeout 20 scancel --batch --signal=USR1 "$warned"
wait_until 40 "the warning to interrupt the job" has_started_again "$warned" 1
expect_end "$warned" 4 120
same_run short.h5 warned.h5
nothing_left warned
unset HALFSPACE_LAUNCHER
check "a warned job under mpirun: the same"

# ---- cancelled: a checkpoint, and the end

cancelled=$(train cancelled "$short" --)
wait_for_line cancelled.log '^ *5 ' 60
timeout 20 scancel "$cancelled"
wait_for_state "$cancelled" CANCELLED 40
has_line cancelled.log "^job: asking" && wrong "the log is: $(cat cancelled.log)"
expect "restarts" "$(job_field "$cancelled" Restarts)" 0
[ -e cancelled.h5.ckpt ] || wrong "there is no checkpoint"
again=$(train cancelled "$short" --)
expect_end "$again" 4 120
has_line cancelled.log "^resumed" || wrong "the same command did not go on"
same_run short.h5 cancelled.h5
check "a cancelled job stays away; submitted again, it goes on"

# ---- a node is switched off: the one with rank 0 and the batch script

lost=$(train lost "$short" -- output.checkpoint_seconds=1)
wait_for_line lost.log 'checkpoint written' 60
"$local_slurm" off n1
scontrol update NodeName=n1 State=DOWN Reason="lost in a test"
wait_until 60 "SLURM to requeue the job" has_started_again "$lost" 1
expect_end "$lost" 4 200
has_line lost.log "^job: part 2, after losing 1$" || wrong "the log is: $(cat lost.log)"
has_line lost.log "^resumed" || wrong "part 2 did not resume: $(cat lost.log)"
expect "hosts of part 2" "$(attribute lost.h5 config/hosts)" "n2 n3"
same_run short.h5 lost.h5
nothing_left lost
"$local_slurm" on n1
check "a lost node: requeued, the same bits on other nodes"

# ---- a program that stalls is tried again, but not for ever

printf '#!/bin/sh\nexit 8\n' >stalled && chmod +x stalled
stalled=$(HALFSPACE_PROGRAM=$PWD/stalled HALFSPACE_RETRIES=1 submit --output=stalled.log --ntasks-per-node=1 "$slurm/train.sbatch" x)
expect_end "$stalled" 8 60
expect "restarts" "$(job_field "$stalled" Restarts)" 1
has_line stalled.log "given up" || wrong "the log is: $(cat stalled.log)"
[ -z "$(ls .halfspace-job-* 2>/dev/null)" ] || wrong "notes are left"
check "exit code 8: requeued, up to a limit"

finish
