#!/usr/bin/env bash
# Train with several betas side by side and choose the best one on validation data: submits an array job with one
# run for each beta, and a job that waits for all of them and makes a table, a report and a link to the best run.
#
#   jobs/slurm/sweep.sh CONFIG.yaml BETA... [key=value...] [--SBATCH-OPTION...]
#   jobs/slurm/sweep.sh configs/demo.yaml 0.1 0.03 0.01 0.003 0.001 --ntasks-per-node=8 --time=10:00
#
# BETA is model.beta, relative to beta_max. The validation data is data.test, in CONFIG.yaml or as key=value.
# key=value go to each run, options of sbatch (in the form --name=value) to the array job; those that say where
# and on whose account to run also to the last one. Resources, and what happens at time limits: sweep.sbatch.
#
#   HALFSPACE_OUT   folder for everything (default: the name of CONFIG, with -sweep, in the current folder)
#
# Needs everything to go well: if a run fails, the last job is taken out of the queue, and the run's log,
# FOLDER/run-K.log, tells why. `bash jobs/slurm/sweep-collect.sbatch FOLDER` makes the table later.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" || exit 2

usage="usage: jobs/slurm/sweep.sh CONFIG.yaml BETA... [key=value...] [--SBATCH-OPTION...]"
config=${1:-}
[ $# -ge 2 ] || refuse "$usage"
[ -r "$config" ] || refuse "$config: cannot be read ($usage)"
command -v sbatch >/dev/null || refuse "sbatch is not in PATH: this machine has no SLURM"

betas=() settings=() options=() shared=()
for word in "${@:2}"; do
  case $word in
  --partition=* | --account=* | --qos=* | --reservation=* | --clusters=*) options+=("$word") shared+=("$word") ;;
  --*) options+=("$word") ;;
  *=*) settings+=("$word") ;;
  *)
    [[ $word =~ ^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$ ]] || refuse "'$word' is no beta ($usage)"
    [[ " ${betas[*]} " != *" $word "* ]] || refuse "beta $word is given twice"
    betas+=("$word")
    ;;
  esac
done
[ ${#betas[@]} -gt 0 ] || refuse "no beta ($usage)"
# CONFIG is not read here; a setting of this name is in it or in none.
[[ " ${settings[*]}" == *" data.test="* ]] || grep -qE '(^|[ {,])test *:' "$config" 2>/dev/null ||
  refuse "no validation data to choose by (data.test=FILE.h5)"

name=$(basename "$config")
folder=${HALFSPACE_OUT:-${name%.*}-sweep}
[ ! -e "$folder/betas" ] || refuse "$folder has a sweep already (remove it, or set HALFSPACE_OUT)"
mkdir -p "$folder" && printf '%s\n' "${betas[@]}" >"$folder/betas" || exit 6

runs=$(sbatch --parsable --array="0-$((${#betas[@]} - 1))" --output="$folder/run-%a.log" "${options[@]}" \
  "$jobs/sweep.sbatch" "$folder" "$config" "${settings[@]}") || { rm "$folder/betas" && exit 2; }
# Otherwise the last job would stay in the queue for ever after a run has failed.
collect=$(sbatch --parsable --dependency="afterok:${runs%%;*}" --kill-on-invalid-dep=yes \
  --output="$folder/collect.log" "${shared[@]}" "$jobs/sweep-collect.sbatch" "$folder") || exit 2
echo "job ${runs%%;*}: ${#betas[@]} runs; job ${collect%%;*}: table, when all are done"
echo "results: $folder/table.csv, report.html, best.h5; logs: $folder/run-K.log, collect.log"
