#!/usr/bin/env bash
# A study on Gaussian data: how near to the global optimum are networks rounded from the convex solution, networks of local
# methods from random starts, and those of column generation, as the number of rows n grows with n/d fixed?
#
#   jobs/study.sh [key=value...]
#
#   n=100,200,400,800,1600,3200   rows
#   ratios=1,2,4                  rows per feature
#   restarts=2                    random starts of each local method; one where n d is above a million
#   seconds=60                    for column generation and the starts from the convex solution, and more where n d is large;
#                                 random starts take what they need
#   beta=0.05                     regularisation relative to beta_max
#   seed=1                        of data and training
#   ranks=2                       of each run; in a SLURM job those of the job
#   out=build/study               folder for everything
#   keep=false                    true: the data stay
#
# and settings of halfspace train (key=value with a dot in the key), which override configs/study.yaml. For instance
#
#   jobs/study.sh n=50,100 ratios=2 restarts=2 out=/tmp/study                    (a few seconds)
#   sbatch --ntasks=16 --time=01:00:00 --wrap 'jobs/study.sh out=study'
#
# A study that was interrupted goes on with the same command: runs that are complete are not repeated. It leaves a run file for
# each n and n/d, report.html, report.svg and report.json. About 40 minutes on 2 cores.
# shellcheck source-path=SCRIPTDIR source=slurm/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/slurm/common.sh" || exit 2
root=$(cd "$jobs/../.." && pwd)

usage="usage: jobs/study.sh [n=N,...] [ratios=R,...] [restarts=] [seconds=] [beta=] [seed=] [ranks=] [out=] [keep=true] [SETTING=...]"
n=100,200,400,800,1600,3200 ratios=1,2,4 restarts=2 seconds=60 beta=0.05 seed=1 ranks=2 out=$root/build/study keep=false
settings=()

number() { # NAME VALUE: a positive number, perhaps with a fraction
  [[ $2 =~ ^[0-9]*\.?[0-9]+(e-?[0-9]+)?$ && ! $2 =~ ^[0.]+(e.*)?$ ]] || refuse "$1 is '$2' (a number above 0)"
}
whole() { # NAME VALUE
  [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || refuse "$1 is '$2' (a whole number, at least 1)"
}

for word in "$@"; do
  value=${word#*=}
  case $word in
  n=*) n=$value ;;
  ratios=*) ratios=$value ;;
  restarts=* | ranks=* | seed=*)
    whole "${word%%=*}" "$value"
    printf -v "${word%%=*}" %s "$value"
    ;;
  beta=* | seconds=*)
    number "${word%%=*}" "$value"
    printf -v "${word%%=*}" %s "$value"
    ;;
  out=?*) out=$value ;;
  keep=true | keep=false) keep=$value ;;
  data.train=* | output.*=*) refuse "$word: the study names its files itself (out=FOLDER)" ;;
  *.*=*) settings+=("$word") ;;
  *) refuse "unknown word $word ($usage)" ;;
  esac
done
IFS=, read -r -a sizes <<<"$n"
IFS=, read -r -a shapes <<<"$ratios"
[ ${#sizes[@]} -gt 0 ] || refuse "no n ($usage)"
[ ${#shapes[@]} -gt 0 ] || refuse "no ratios ($usage)"
for size in "${sizes[@]}"; do whole n "$size"; done
for shape in "${shapes[@]}"; do number ratios "$shape"; done

# ---- one run

complete() { # RUN: is it there, and did it come to its end?
  [ -e "$1" ] || return 1
  case $("$program" info "$1" --json 2>/dev/null | json stop) in
  converged | iterations | seconds) return 0 ;;
  *) return 1 ;;
  esac
}

train() { # ROWS RATIO RUN: the exit code of the program, with 0 for a budget that was used up
  local rows=$1 run=$3 data starts=$restarts features limit code
  features=$(awk "BEGIN { d = int($1 / $2 + 0.5); print d < 1 ? 1 : d }")
  [ $((rows * features)) -le 1000000 ] || starts=1
  # An iteration costs about n d: a million numbers, on 2 cores, want half a minute more.
  limit=$(awk "BEGIN { printf \"%.0f\", $seconds + 26e-6 * $rows * $features + 0.5 }")
  data=${run%.h5}.data.h5
  "$program" generate gaussian "$data" n="$rows" d="$features" seed="$seed" --quiet || return
  launch train "$root/configs/study.yaml" model.restarts="$starts" model.beta="$beta" seed="$seed" \
    network.max_seconds="$limit" "${settings[@]}" data.train="$data" output.run="$run"
  code=$?
  [ $code != 4 ] || code=0
  # A checkpoint is of use only to a run that goes on, and then so are the data: they are the same when made again.
  [ $code != 0 ] || rm -f "$run.ckpt"
  [ "$keep" = true ] || rm -f "$data"
  return $code
}

# ---- all of them

end() { # CODE: of the study; in a SLURM job one that was interrupted puts itself back into the queue
  [ -z "${SLURM_JOB_ID:-}" ] || finish "$1"
  exit "$1"
}

prepare
if [ -z "${SLURM_JOB_ID:-}" ]; then
  # shellcheck source=setup/mpi-env.sh
  . "$root/jobs/setup/mpi-env.sh"
  launcher=()
  [ "$ranks" = 1 ] || launcher=(mpirun -n "$ranks")
  # Ctrl-C is for the whole study: the program ends with a checkpoint, and no further run is begun.
  trap warn INT
fi
mkdir -p "$out" || exit 6

# Runs of other settings would not belong to the same picture.
what="restarts=$restarts seconds=$seconds beta=$beta seed=$seed ${settings[*]}"
if [ -e "$out/settings" ]; then
  [ "$(cat "$out/settings")" = "$what" ] ||
    refuse "$out has a study of other settings: $(cat "$out/settings") (remove it, or choose another folder by out=)"
else
  echo "$what" >"$out/settings" || exit 6
fi

runs=()
for size in "${sizes[@]}"; do
  for shape in "${shapes[@]}"; do
    run=$out/n$size-ratio$shape.h5
    runs+=("$run")
    if complete "$run"; then
      say "$run is complete"
      continue
    fi
    say "n = $size, n/d = $shape"
    train "$size" "$shape" "$run"
    code=$?
    [ $code = 0 ] || end $code
  done
done

"$program" report --networks --json "${runs[@]}" >"$out/report.json" || end $?
command -v gnuplot >/dev/null || say "no picture: gnuplot is not in PATH (the numbers are in $out/report.json)"
if command -v gnuplot >/dev/null; then
  "$program" report --networks "${runs[@]}" "$out/report.svg" &&
    "$program" report --networks "${runs[@]}" "$out/report.html" --quiet
fi
end $?
