#!/usr/bin/env bash
# Runs the tests and sums them up; the last line is "N passed, N failed" (and ", N skipped").
#
#   tests/run.sh [PARTS] [PATTERN]     PARTS: unit, mpi, end, faults, slurm, several with commas,
#                                      or all (default: the first four)
#                                      PATTERN: only files whose name matches the glob *PATTERN*
#
#   unit   build/tests/unit/test_*                  cmocka; its tests are counted
#   mpi    build/tests/mpi/test_* on 1 to 4 ranks   rank 0 prints "ok NAME" or "not ok NAME: reason"
#   end    tests/end/test_*.sh PROGRAM              the same lines, and "skip NAME: reason"
#   faults tests/faults/test_*.sh PROGRAM           the same; stopped processes and cut links, some as root only
#   slurm  tests/slurm/test_*.sh PROGRAM            the same on a SLURM cluster of their own; not part of all
#
# Passing output is summed up in a line per file, failing output shown in full. A crash, a time-out, an exit
# code without a failed test and a run that reports nothing count as one failed test.
#
#   B=build           build folder               HS_RANKS="1 2 3 4"   rank counts of part mpi
#   HS_TIMEOUT=300    seconds for one file       HS_UNDER=            sanitizers or valgrind (see below)
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 2
parts=${1:-all}
pattern=${2:-}
B=${B:-build}
read -r -a rank_counts <<<"${HS_RANKS:-1 2 3 4}"
limit=${HS_TIMEOUT:-300}
support=$root/tests/support
. jobs/setup/mpi-env.sh

[ "$parts" = all ] && parts=unit,mpi,end,faults
for part in ${parts//,/ }; do
  case $part in
  unit | mpi | end | faults | slurm) ;;
  *) echo "tests/run.sh: unknown part '$part' (unit, mpi, end, faults, slurm or all)" >&2 && exit 2 ;;
  esac
done

# Short, because the sockets of MPI live below TMPDIR and their names may not grow beyond 108 bytes.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/hs.XXXXXX") || exit 2
child=

# Processes of a session: a test gets one of its own, because ranks are in other process groups than mpirun.
in_session() { # SESSION
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- "$1" ${line##*) } # state, parent, group, session, ...
    if [ "$5" = "$1" ] && [ "$2" != Z ]; then
      stat=${stat#/proc/}
      echo "${stat%/stat}"
    fi
  done
}

# mpirun needs a moment to end its ranks after a time-out; nothing of a test outlives the test.
end_session() { # SESSION
  local left
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    left=$(in_session "$1")
    [ -z "$left" ] && return
    sleep 0.5
  done
  # A list of process ids.
  # shellcheck disable=SC2086
  kill -KILL $left 2>/dev/null
}

cleanup() {
  [ -n "$child" ] && kill "$child" 2>/dev/null && end_session "$child"
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

under=()
case ${HS_UNDER:-} in
sanitizers)
  # MPI keeps memory until the end; without whole stacks its leaks cannot be told from ours.
  export ASAN_OPTIONS=fast_unwind_on_malloc=0 UBSAN_OPTIONS=print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$support/lsan.supp:print_suppressions=0
  limit=$((limit * 3))
  ;;
valgrind)
  under=(valgrind -q --error-exitcode=9 --suppressions="$support/valgrind.supp")
  [ -e /usr/share/openmpi/openmpi-valgrind.supp ] &&
    under+=(--suppressions=/usr/share/openmpi/openmpi-valgrind.supp)
  export OPENBLAS_CORETYPE=Haswell # valgrind does not know AVX-512
  limit=$((limit * 10))
  ;;
esac

passed=0 failed=0 skipped=0
failures=()

seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }

count() { grep -c -e "$1" "$log"; }

# Each of these sets ok, bad and skip from the log, and skips to the lines to show.
count_cmocka() {
  local all
  all=$(awk '/\[==========\] .*Running [0-9]+ test/ { sub(/.*Running /, ""); n += $1 } END { print n + 0 }' "$log")
  ok=$(count '\[       OK \]')
  # cmocka names skipped tests twice, in place and in the summary, and gives no reason: the test prints it.
  skips=$(awk '/\[ RUN      \]/ { reason = ""; running = 1; next }
    running && /\[  SKIPPED \]/ { print "skip " $NF ": " (reason == "" ? "no reason given" : reason); running = 0 }
    running && /\[       OK \]|\[  FAILED  \]/ { running = 0 }
    running { reason = $0 }' "$log")
  skip=$(grep -c . <<<"$skips")
  bad=$((all - ok - skip)) # also those that a crash has kept from running
}

count_lines() {
  ok=$(count '^ok ')
  bad=$(count '^not ok ')
  skip=$(count '^skip ')
  skips=$(grep '^skip ' "$log")
}

# Run one file and add it up.
run() { # COUNTER LABEL COMMAND...
  local counter=$1 label=$2 start end rc text trouble=
  local ok bad skip skips
  shift 2
  log=$scratch/log
  rm -rf "$scratch/tmp" && mkdir "$scratch/tmp"
  start=$(date +%s%N)
  TMPDIR=$scratch/tmp setsid timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null &
  child=$!
  { wait "$child"; } 2>/dev/null
  rc=$?
  end_session "$child"
  child=
  end=$(date +%s%N)
  "$counter"

  if [ $rc = 124 ]; then
    trouble="stopped after $limit seconds"
  elif [ $rc -gt 128 ]; then
    trouble="killed by signal $((rc - 128))"
  elif [ $rc != 0 ] && [ "$bad" = 0 ]; then
    trouble="exit code $rc"
  elif [ $((ok + bad + skip)) = 0 ]; then
    trouble="reported nothing"
  fi
  [ -n "$trouble" ] && [ "$bad" = 0 ] && bad=1

  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
  text="$ok passed"
  [ "$bad" = 0 ] || text+=", $bad FAILED"
  [ "$skip" = 0 ] || text+=", $skip skipped"
  printf '%-44s %-32s %7s s\n' "$label" "$text" "$(seconds "$start" "$end")"
  [ -z "$skips" ] || sed 's/^/    /' <<<"$skips"
  if [ "$bad" != 0 ]; then
    failures+=("$label${trouble:+: $trouble}")
    echo "---- $label: output${trouble:+ ($trouble)}"
    cat "$log"
    echo "----"
  fi
}

# A test whose program is missing was not built.
built() { # PROGRAM LABEL
  [ -x "$1" ] && return 0
  printf '%-44s %s\n' "$2" "1 FAILED: $1 is not there (make tests)"
  failures+=("$2: not built")
  failed=$((failed + 1))
  return 1
}

for part in ${parts//,/ }; do
  for source in tests/"$part"/test_*"$pattern"*; do
    [ -e "$source" ] || continue
    name=$(basename "$source")
    case $part-$name in
    unit-*.c)
      program=$B/tests/unit/${name%.c}
      built "$program" "unit/${name%.c}" && run count_cmocka "unit/${name%.c}" "${under[@]}" "$program"
      ;;
    mpi-*.c)
      program=$B/tests/mpi/${name%.c}
      built "$program" "mpi/${name%.c}" || continue
      # The leak checker stops the world at exit, which the threads of MPI do not always survive; leaks of
      # distributed code are looked for by `make valgrind`.
      [ "${HS_UNDER:-}" = sanitizers ] && export ASAN_OPTIONS=fast_unwind_on_malloc=0:detect_leaks=0
      for ranks in "${rank_counts[@]}"; do
        run count_lines "mpi/${name%.c} on $ranks rank$([ "$ranks" = 1 ] || echo s)" \
          bash "$support/mpirun.sh" "$ranks" "${under[@]}" "$program"
      done
      ;;
    end-*.sh | faults-*.sh | slurm-*.sh)
      built "$B/halfspace" "$part/${name%.sh}" &&
        run count_lines "$part/${name%.sh}" bash "$source" "$(cd "$B" && pwd)/halfspace"
      ;;
    esac
  done
done

if [ $((passed + failed + skipped)) = 0 ]; then
  echo "tests/run.sh: no test matches '$parts' '$pattern'" >&2
  exit 2
fi
if [ ${#failures[@]} -gt 0 ]; then
  echo
  echo "failed:"
  printf '  %s\n' "${failures[@]}"
fi
echo
summary="$passed passed, $failed failed"
[ $skipped = 0 ] || summary+=", $skipped skipped"
echo "$summary"
[ $failed = 0 ]
