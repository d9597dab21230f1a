#!/usr/bin/env bash
# jobs/slurm/train.sbatch over a time limit.
#
#   tests/slurm/test_time_limit.sh PROGRAM
#
# Truth: the same run, uninterrupted, without SLURM; the same bits must come out.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"
if ! have h5dump; then
  skip "time limit" "h5dump is not installed"
  finish
  exit
fi
cluster_up "time limit"

# shellcheck source-path=SCRIPTDIR source=long_run.sh
. "$support/../slurm/long_run.sh"

# ---- the time limit: SLURM looks every 30 seconds and warns 25 to 55 seconds ahead

long=$(iterations 40)
reference without_limit "$long" &
running=$!
limited=$(train limited "$long" --time=1 --signal=B:USR1@25 --)
wait_until 90 "the time limit to interrupt the job" has_started_again "$limited" 1
# More time for the second part saves further ones.
scontrol update JobId="$limited" TimeLimit=10
expect_end "$limited" 4 200
expect "restarts" "$(job_field "$limited" Restarts)" 1
has_line limited.log "^job: part 2$" || wrong "the log is: $(cat limited.log)"
has_line limited.log "^resumed" || wrong "part 2 did not resume: $(cat limited.log)"
wait $running || wrong "the run without SLURM: $(tail -n 3 without_limit.log)"
same_run without_limit.h5 limited.h5
nothing_left limited
check "time limit: checkpoint, requeued by itself, the same bits as without"

finish
