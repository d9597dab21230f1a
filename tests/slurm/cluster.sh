# shellcheck shell=bash
# cluster.sh: a SLURM cluster for one test, and waiting for its jobs. Source it after end.sh.
# shellcheck disable=SC2154
slurm=$(cd "$support/../../jobs/slurm" && pwd)
local_slurm=$slurm/../local-slurm
export HS_SLURM_DIR=$folder/slurm HALFSPACE_PROGRAM=$program
# The names of sockets are short.
[ ${#folder} -le 50 ] || HS_SLURM_DIR=$(mktemp -d -u /tmp/hs-slurm.XXXXXX)
# Alike on every machine.
export HS_SLURM_CPUS=2
# Waiting ranks give their core away: nodes share the cores of this machine.
export OMPI_MCA_mpi_yield_when_idle=1
unset HALFSPACE_LAUNCHER HALFSPACE_MODULES HALFSPACE_JOBS HALFSPACE_OUT HALFSPACE_RETRIES

cluster_down() {
  "$local_slurm" down 2>/dev/null
  rm -rf "$folder"
}
trap cluster_down EXIT
trap 'exit 143' INT TERM

# Ends the test, as skipped, where there can be no cluster.
cluster_up() { # NAME [NODES]
  local code
  "$local_slurm" up "${2:-3}" >up.out 2>up.err
  code=$?
  if [ $code = 77 ]; then
    skip "$1" "$(sed 's/^local-slurm: //' up.err | paste -sd' ')"
    finish
    exit
  elif [ $code != 0 ]; then
    wrong "$(cat up.err)"
    check "$1"
    finish
    exit
  fi
  # The way that users do it.
  # shellcheck disable=SC1091
  . ./up.out
}

job_field() { # JOB FIELD
  timeout 20 scontrol -o show job "$1" 2>/dev/null | sed -n "1s/.* $2=\([^ ]*\).*/\1/p"
}

# The seconds are those of a machine with nothing else to do.
wait_until() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + 3 * $1)) what=$2
  shift 2
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      wrong "waited in vain: $what"
      return 1
    fi
    sleep 0.2
  done
}

is_in_state() { [[ $(job_field "$1" JobState) =~ ^($2)$ ]]; }                # JOB STATES
has_started_again() { [ "$(job_field "$1" Restarts)" -ge "$2" ] 2>/dev/null; } # JOB TIMES
has_line() { grep -qE "$2" "$1" 2>/dev/null; }                                # FILE PATTERN

wait_for_state() { wait_until "$3" "job $1 to be $2, it is $(job_field "$1" JobState)" is_in_state "$1" "$2"; } # JOB STATES SECONDS
wait_for_line() { wait_until "$3" "'$2' in $1: $(tail -n 3 "$1" 2>/dev/null)" has_line "$1" "$2"; }             # FILE PATTERN SECONDS

ended='COMPLETED|FAILED|TIMEOUT|CANCELLED|NODE_FAIL|DEADLINE|OUT_OF_MEMORY'

expect_end() { # JOB CODE SECONDS
  [ -n "$1" ] || wrong "a job was not submitted"
  wait_for_state "$1" "$ended" "$3" || return
  expect "exit code of job $1 ($(job_field "$1" JobState))" "$(job_field "$1" ExitCode)" "$2:0"
}

submit() { # SBATCH'S ARGUMENTS...: prints the job's number
  timeout 30 sbatch --parsable "$@"
}
