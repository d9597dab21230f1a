#!/usr/bin/env bash
# The automatic x-update against the other three, measured.
#
#   tests/end/test_auto.sh PROGRAM
#
# On small problems of several shapes the kind that the model chooses takes at most half as long again as the best of
# the four, the shortest of three runs each, and 0.05 s that other programs on the machine may take. A wrong choice is
# wrong again in a second measurement, which is allowed for the same reason. The model itself: tests/unit/test_choose.c.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"

# Lines "SHAPE: CHOSEN took S s, KIND S s" of the shapes where the choice is too slow, and how many were measured.
judge() { # FILE
  awk -F'": ' '
    function text(value) { gsub(/^"|",?$/, "", value); return value }
    /^ *\{$/ { delete seconds }
    /"shape": / { shape = text($2) }
    /_seconds": [0-9]/ {
      kind = $1; gsub(/^ *"|_seconds$/, "", kind); gsub(/_/, "-", kind)
      seconds[kind] = $2 + 0
    }
    /"auto": / {
      chosen = text($2); best = ""
      for (kind in seconds) if (best == "" || seconds[kind] < seconds[best]) best = kind
      count++
      if (!(chosen in seconds)) print shape ": " chosen " did not reach the gap"
      else if (seconds[chosen] > 1.5 * seconds[best] + 0.05)
        print shape ": " chosen " took " seconds[chosen] " s, " best " " seconds[best] " s"
    }
    /"x_updates_small_model"/ { exit }
    END { print count + 0 " shapes" }' "$1"
}

measure() { # REPEATS
  good 1 bench only=x-updates-small "repeat=$1" --json
  judge out >verdict
}

measure 3
expect "number of shapes" "$(tail -n 1 verdict)" "6 shapes"
[ "$(wc -l <verdict)" = 1 ] || measure 5
[ "$(wc -l <verdict)" = 1 ] || wrong "$(head -n -1 verdict | paste -sd ';')"
check "the automatic x-update is among the best"

# A test that cannot fail says nothing: a choice that is too slow is seen.
sed 's/"auto": "[a-z-]*"/"auto": "global-kernel"/' out >changed
[ "$(judge changed | wc -l)" -gt 1 ] || wrong "global-kernel everywhere passes"
check "a slow choice is noticed"

finish
