# shellcheck shell=bash
# common.sh: what the job scripts in this folder share; they source it. Settings, all from the environment:
#
#   HALFSPACE_MODULES    modules to load, as for `module load` (default: none)
#   HALFSPACE_PROGRAM    the program (default: build/halfspace of this checkout, else halfspace in PATH)
#   HALFSPACE_LAUNCHER   srun or mpirun (default: srun if it knows PMIx, else mpirun)
#   HALFSPACE_RETRIES    how often a job may lose a node or stall before it is given up (default 5)
#
# A copy of a job script elsewhere finds this file when HALFSPACE_JOBS names its folder.
# No set -u: older shells, which clusters have, take an empty list for an unset one.
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "job: $*" >&2; }
refuse() { # MESSAGE...
  say "$@"
  exit 2
}

# ---- modules: put here what the program was built with, for instance
#
#   HALFSPACE_MODULES=${HALFSPACE_MODULES:-gcc/12 openmpi/4.1 hdf5/1.12-mpi openblas/0.3}

HALFSPACE_MODULES=${HALFSPACE_MODULES:-}

load_modules() {
  local init
  [ -n "$HALFSPACE_MODULES" ] || return 0
  if ! command -v module >/dev/null; then
    for init in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" /etc/profile.d/lmod.sh \
      /etc/profile.d/modules.sh; do
      # shellcheck disable=SC1090
      [ -r "$init" ] && . "$init" && break
    done
  fi
  # A list of names, for the shell to split.
  # shellcheck disable=SC2086
  module load $HALFSPACE_MODULES || refuse "cannot load $HALFSPACE_MODULES (module avail lists what there is)"
}

# ---- the program and its launcher

find_program() {
  program=${HALFSPACE_PROGRAM:-$jobs/../../build/halfspace}
  [ -n "${HALFSPACE_PROGRAM:-}" ] || [ -x "$program" ] || program=$(command -v halfspace)
  [ -x "$program" ] || refuse "no program ${program:-halfspace} (make it, or set HALFSPACE_PROGRAM)"
}

find_launcher() {
  local cpus=${SLURM_CPUS_PER_TASK:-1} choice=${HALFSPACE_LAUNCHER:-mpirun}
  if [ -z "${HALFSPACE_LAUNCHER:-}" ] && srun --mpi=list 2>&1 | grep -qw pmix; then choice=srun; fi
  launcher=()
  [ -n "${SLURM_JOB_ID:-}" ] || return 0 # by hand, without SLURM: one rank
  case $choice in
  srun)
    # srun does not take the CPUs of a task from the job. A rank that ends takes the others along, but gives them
    # time to end by themselves: otherwise srun's exit code would be that of the kill.
    launcher=(srun --mpi=pmix --cpus-per-task="$cpus" --wait=60)
    ;;
  mpirun)
    command -v mpirun >/dev/null || refuse "mpirun is not in PATH (HALFSPACE_MODULES names the modules)"
    launcher=(mpirun -n "$SLURM_NTASKS")
    [ "$cpus" = 1 ] || launcher+=(--map-by "slot:PE=$cpus")
    # Containers run as root, which mpirun refuses unless told twice.
    [ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    ;;
  *) refuse "HALFSPACE_LAUNCHER is '$choice' (srun or mpirun)" ;;
  esac
}

prepare() {
  trap warn USR1 TERM
  load_modules
  find_program
  find_launcher
  # Ranks are the program's parallelism; threads are for CPUs that a rank has beyond its first.
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-${SLURM_CPUS_PER_TASK:-1}}
  count_lost_parts
}

# ---- signals: SLURM warns the batch shell before the time limit, by USR1, and before it ends a job, by TERM. To
# the program both say: checkpoint and end. USR2 says so, because both launchers pass it on to every rank.

warnings=0 child=
warn() {
  warnings=$((warnings + 1))
  [ -z "$child" ] || kill -USR2 "$child" 2>/dev/null
}

# Run the program on all ranks of the job and return its exit code.
launch() { # ARGUMENTS...
  local seen code
  [ $warnings = 0 ] || return 75
  "${launcher[@]}" "$program" "$@" </dev/null &
  child=$!
  # A signal to this shell ends `wait` before the child ends.
  while true; do
    seen=$warnings
    wait "$child"
    code=$?
    [ "$seen" = "$warnings" ] && break
  done
  child=
  # Warned so early that a rank or the launcher did not know the signal yet.
  [ $warnings = 0 ] || [ $code -le 128 ] || code=75
  return $code
}

# ---- the end of a job: does it begin anew? SLURM keeps nothing of a job from one part to the next but the number
# of parts, so the number of those that were lost is in a file, which is there only between parts.

retries=${HALFSPACE_RETRIES:-5}
lost=0
note=${SLURM_SUBMIT_DIR:-.}/.halfspace-job-${SLURM_JOB_ID:-none}

# A part that was lost could not write "interrupted": its node has gone, and SLURM has started the job again.
count_lost_parts() {
  local word=
  [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || { read -r lost word <"$note"; } 2>/dev/null
  rm -f "$note"
  [ "${SLURM_RESTART_COUNT:-0}" != 0 ] || return 0
  [ "$word" = interrupted ] || lost=$((lost + 1))
  say "part $((SLURM_RESTART_COUNT + 1))$([ "$lost" = 0 ] || echo ", after losing $lost")"
  if [ "$lost" -gt "$retries" ]; then
    say "given up: lost more than $retries parts (HALFSPACE_RETRIES)"
    exit 8
  fi
  [ "$lost" = 0 ] || echo "$lost" >"$note"
}

# A job that was cancelled, or that SLURM requeues itself, is not ours to start again.
requeue() { # WORD
  local state code
  state=$(scontrol -o show job "$SLURM_JOB_ID" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p')
  if [ "$state" != RUNNING ]; then
    say "not requeued: the job is ${state:-unknown to SLURM}"
    return
  fi
  echo "$lost $1" >"$note"
  say "asking SLURM to start the job again"
  scontrol requeue "$SLURM_JOB_ID"
  code=$?
  # SLURM ends this script, and perhaps scontrol before it could report, when it does what was asked for.
  if [ $code = 0 ] || [ $code -gt 128 ]; then return; fi
  rm -f "$note"
  say "SLURM does not requeue this job (was it submitted with --no-requeue?); submitting it again goes on"
}

# Codes that are not the program's come from the launcher. mpirun has 205 for a node that it lost; SLURM takes
# longer to know about it.
node_was_lost() { # CODE
  case $1 in
  [0-7]) return 1 ;;
  8 | 205) return 0 ;;
  *) [ -n "$(sinfo -h -N -n "$SLURM_JOB_NODELIST" -t down,fail,no_respond -o %N 2>/dev/null)" ] ;;
  esac
}

# End the job with the program's exit code.
finish() { # CODE
  if [ "$1" = 75 ]; then
    requeue interrupted
  elif [ -n "${SLURM_JOB_ID:-}" ] && node_was_lost "$1"; then
    say "a node was lost, or a rank did not answer (exit code $1)"
    if [ "$lost" -lt "$retries" ]; then
      requeue stalled
    else
      say "given up: lost more than $retries parts (HALFSPACE_RETRIES)"
      rm -f "$note"
    fi
  else
    rm -f "$note"
  fi
  exit "$1"
}

# ---- contents of JSON printed with one key per line

# Value of a key at the top, or in an object at the top; nothing if there is none.
json() { # KEY [OBJECT] <JSON
  awk -v key="$1" -v object="${2:-}" '
    object == "" { wanted = /^  "/ }
    object != "" && /^  "/ { inside = $0 ~ "^  \"" object "\": \\{" }
    object != "" { wanted = inside && /^    "/ }
    wanted && $0 ~ "^ *\"" key "\": " { sub(/^[^:]*: /, ""); sub(/,$/, ""); gsub(/^"|"$/, ""); print; exit }'
}
