#!/usr/bin/env bash
# Scaling studies on synthetic data: submits a job that makes the data and one job for each point, all with the
# same number of iterations; the collect command draws what came out.
#
#   jobs/slurm/scaling.sh strong RANKS... [rows=1000000]     the same rows on different ranks
#   jobs/slurm/scaling.sh weak RANKS... [rows=100000]        so many rows for each rank
#   jobs/slurm/scaling.sh n ROWS... [ranks=16]               different rows on the same ranks
#   jobs/slurm/scaling.sh collect FOLDER                     when the jobs are done: FOLDER/report.html, .json
#
# for instance
#
#   jobs/slurm/scaling.sh strong 16 32 64 128 rows=4000000 features=100 --partition=batch
#   jobs/slurm/scaling.sh n 10000 100000 1000000 ranks=2 solver.precision=single
#
# Further words: features=50, gates=128, iterations=30, seed=1, precision=single (of the data); settings of
# halfspace train (key=value with a dot in the key); options of sbatch (--name=value), for the points.
# Resources: scaling.sbatch. Rows must be enough for a block of a few hundred on every rank.
#
#   HALFSPACE_OUT   folder for everything (default: scaling-KIND in the current folder)
#
# A study on a local cluster: make it with one node (jobs/local-slurm up 1), so that points wait for each other.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" || exit 2

usage="usage: jobs/slurm/scaling.sh strong|weak|n POINTS... [key=value...] [--SBATCH-OPTION...], or collect FOLDER"

collect() { # FOLDER
  local runs
  [ -e "${1:-}/points" ] || refuse "${1:-}: no folder of a scaling study ($usage)"
  find_program
  mapfile -t runs < <(cut -d ' ' -f 3 "$1/points" | while read -r label; do ls "$1/$label.h5" 2>/dev/null; done)
  [ ${#runs[@]} = "$(wc -l <"$1/points")" ] || say "$(wc -l <"$1/points") points, ${#runs[@]} of them done"
  [ ${#runs[@]} -gt 0 ] || exit 2
  "$program" report --scaling "${runs[@]}" "$1/report.html" &&
    "$program" report --scaling --json "${runs[@]}" >"$1/report.json"
}

kind=${1:-}
case $kind in
strong) rows=1000000 ;;
weak) rows=100000 ;;
n) ranks=16 ;;
collect)
  collect "${2:-}"
  exit
  ;;
*) refuse "$usage" ;;
esac
command -v sbatch >/dev/null || refuse "sbatch is not in PATH: this machine has no SLURM"

whole() { # NAME NUMBER
  [[ $2 =~ ^[1-9][0-9]{0,14}$ ]] || refuse "$1 is '$2' (a whole number, at least 1)"
}

features=50 gates=128 iterations=30 seed=1 precision=single
points=() settings=() options=() shared=()
for word in "${@:2}"; do
  case $word in
  --partition=* | --account=* | --qos=* | --reservation=* | --clusters=*) options+=("$word") shared+=("$word") ;;
  --*) options+=("$word") ;;
  precision=single | precision=double) precision=${word#*=} ;;
  features=* | gates=* | iterations=* | seed=*)
    whole "${word%%=*}" "${word#*=}"
    printf -v "${word%%=*}" %s "${word#*=}"
    ;;
  rows=*)
    [ "$kind" != n ] || refuse "the points of this study are rows ($usage)"
    whole rows "${word#*=}"
    rows=${word#*=}
    ;;
  ranks=*)
    [ "$kind" = n ] || refuse "the points of this study are ranks ($usage)"
    whole ranks "${word#*=}"
    ranks=${word#*=}
    ;;
  *.*=*) settings+=("$word") ;;
  *=*) refuse "unknown word $word ($usage)" ;;
  *)
    whole "a point" "$word"
    points+=("$word")
    ;;
  esac
done
[ ${#points[@]} -ge 2 ] || refuse "a study needs at least two points ($usage)"

folder=${HALFSPACE_OUT:-scaling-$kind}
[ ! -e "$folder/points" ] || refuse "$folder has a study already (remove it, or set HALFSPACE_OUT)"
mkdir -p "$folder" || exit 6

# One line for each point: rows, ranks, name of the run.
for point in "${points[@]}"; do
  case $kind in
  strong) echo "$rows $point ranks-$point" ;;
  weak) echo "$((rows * point)) $point ranks-$point" ;;
  n) echo "$point $ranks rows-$point" ;;
  esac
done >"$folder/points" || exit 6

# A study that cannot be submitted whole is no study.
submitted=()
submit() { # OPTIONS...
  local job
  job=$(sbatch --parsable "$@") || {
    [ ${#submitted[@]} = 0 ] || scancel "${submitted[@]}"
    rm "$folder/points"
    exit 2
  }
  submitted+=("${job%%;*}")
}

submit --output="$folder/data.log" "${shared[@]}" "$jobs/scaling-data.sbatch" "$folder" \
  d="$features" seed="$seed" precision="$precision"
while read -r rows ranks label; do
  submit --job-name="scaling-$label" --ntasks="$ranks" --output="$folder/$label.log" \
    --dependency="afterok:${submitted[0]}" --kill-on-invalid-dep=yes "${options[@]}" \
    "$jobs/scaling.sbatch" "$folder" "$label" data.train="$folder/data-$rows.h5" model.gates="$gates" \
    solver.max_iterations="$iterations" "${settings[@]}"
done <"$folder/points"
echo "job ${submitted[0]}: data; jobs ${submitted[1]} to ${submitted[${#points[@]}]}: ${#points[@]} points; logs: $folder/*.log"
echo "when they are done: jobs/slurm/scaling.sh collect $(printf %q "$folder")"
