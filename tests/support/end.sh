# shellcheck shell=bash
# end.sh: what the scripts in tests/end share. Source it with the script's own arguments:
#
#   . "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
#
# It checks the program, changes to an empty folder that is removed at the end, and defines the functions below.
# A case is any number of steps, each of which may call `wrong`, and then `check NAME`.
set -u
program=${1:?usage: $(basename "$0") PROGRAM}
case $program in /*) ;; *) program=$PWD/$program ;; esac
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034
make_file=$(dirname "$program")/tests/support/make_file
. "$support/../../jobs/setup/mpi-env.sh"
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
passed=0 failed=0 skipped=0 problem=

check() { # NAME: ends a case
  if [ -z "$problem" ]; then
    passed=$((passed + 1))
    echo "ok $1"
  else
    failed=$((failed + 1))
    echo "not ok $1: $problem"
  fi
  problem=
}

skip() { # NAME REASON
  skipped=$((skipped + 1))
  echo "skip $1: $2"
}

wrong() { problem=${problem:-$*}; }

have() { command -v "$1" >/dev/null; }

finish() { # the exit code of the script
  local summary="$passed passed, $failed failed"
  [ $skipped = 0 ] || summary+=", $skipped skipped"
  echo "$summary"
  [ $failed = 0 ]
}

# ---- runs

# Run the program on some ranks, on one of them without mpirun. Standard output goes to `out`, errors to `log`.
launch() { # RANKS ARGUMENTS...
  local ranks=$1
  shift
  if [ "$ranks" = 1 ]; then
    timeout -k 5 60 "$program" "$@" >out 2>log </dev/null
  else
    timeout -k 5 60 bash "$support/mpirun.sh" "$ranks" "$program" "$@" >out 2>log </dev/null
  fi
}

expect_code() { # CODE RANKS ARGUMENTS...
  local code=$1 got
  shift
  launch "$@"
  got=$?
  [ $got = "$code" ] || wrong "($1 ranks) ${*:2} gave $got, not $code: $(grep -m 1 'halfspace: ' log)"
}

good() { expect_code 0 "$@"; } # RANKS ARGUMENTS...

# ---- contents of files

# All numbers or texts of a data set or attribute, in one line.
dump() { # OPTION FILE NAME
  h5dump -y -w 100000 -m %.17g "$1" "$3" "$2" 2>/dev/null |
    awk '/DATA \{/ { on = 1; next } /^ *\}/ && on { exit }
         on { gsub(/,/, " "); gsub(/"/, ""); for (i = 1; i <= NF; i++) { printf "%s%s", gap, $i; gap = " " } }
         END { print "" }'
}
values() { dump -d "$1" "$2"; }    # FILE SET
attribute() { dump -a "$1" "$2"; } # FILE PATH/NAME
last_value() { values "$1" "$2" | awk '{ print $NF }'; }
shape() { h5dump -H -d "$2" "$1" 2>/dev/null | sed -n 's/.*DATASPACE *SIMPLE { ( \(.*\) ) \/.*/\1/p'; }

expect() { # WHAT FOUND WANTED
  [ "$2" = "$3" ] || wrong "$1 is \"$2\", not \"$3\""
}

expect_near() { # WHAT FOUND WANTED RELATIVE
  awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN {
    d = a - b; if (d < 0) d = -d; s = b < 0 ? -b : b
    exit !(a ~ /^[-+0-9.e]+$/ && b ~ /^[-+0-9.e]+$/ && d <= t * s) }' ||
    wrong "$1 is \"$2\", not \"$3\" up to $4"
}

# A number or text of JSON printed with one key per line: sections are objects by name, outermost first.
json() { # FILE KEY [SECTION...]
  local file=$1 key=$2
  shift 2
  awk -v key="$key" -v sections="$*" '
    BEGIN { depth = split(sections, section, " "); at = 1 }
    at <= depth && $0 ~ "^ *\"" section[at] "\": \\{" { at++; next }
    at > depth && $0 ~ "^ *\"" key "\": " {
      sub(/^[^:]*: /, ""); sub(/,$/, ""); gsub(/^"|"$/, ""); print; exit }' "$file"
}

# Data for regression: a network of two neurons and noise. ROWS SEED
csv_regression() {
  awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); print "a,b,c,y"; for (k = 0; k < n; k++) {
    a = 2 * rand() - 1; b = 2 * rand() - 1; c = 2 * rand() - 1
    y = (a > 0 ? a : 0) - (b > c ? b - c : 0) / 2 + rand() / 5
    printf "%.6f,%.6f,%.6f,%.6f\n", a, b, c, y } }'
}

# Data of CLASSES classes, named k0, k1, ...: sectors of the plane, some labels wrong. ROWS CLASSES SEED
csv_classes() {
  awk -v n="$1" -v classes="$2" -v seed="$3" 'BEGIN { srand(seed); print "a,b,kind"; for (k = 0; k < n; k++) {
    a = 2 * rand() - 1; b = 2 * rand() - 1
    c = int((atan2(b, a) / 6.2832 + 0.5) * classes) % classes
    if (rand() < 0.1) c = int(rand() * classes)
    printf "%.6f,%.6f,k%d\n", a, b, c } }'
}
