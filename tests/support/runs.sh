# shellcheck shell=bash
# runs.sh: comparing runs and finding processes; source it after end.sh.

# History without the clocks, and the model: everything that has to be the same.
same_run() { # RUN RUN
  local name
  for name in iteration primal dual gap relative_gap rho primal_residual dual_residual active_groups comm_bytes; do
    [ -n "$(values "$1" /history/$name)" ] && [ "$(values "$1" /history/$name)" = "$(values "$2" /history/$name)" ] ||
      wrong "/history/$name differs between $1 and $2"
  done
  for name in gates weights shift scale; do
    [ -n "$(values "$1" /model/$name)" ] && [ "$(values "$1" /model/$name)" = "$(values "$2" /model/$name)" ] ||
      wrong "/model/$name differs between $1 and $2"
  done
}

children_of() { # PID
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    # shellcheck disable=SC2086
    set -- "$1" ${line##*) } # state, parent, ...
    [ "$3" = "$1" ] && stat=${stat#/proc/} && echo "${stat%/stat}"
  done
}
