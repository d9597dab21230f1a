#!/usr/bin/env bash
# jobs/slurm/train.sbatch: a training job over several nodes, by srun and by mpirun.
#
#   tests/slurm/test_train.sh PROGRAM
#
# Truth: the same training without SLURM; the program's exit codes.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"
if ! have h5dump; then
  skip "train job" "h5dump is not installed"
  finish
  exit
fi
cluster_up "train job"

mkdir "a folder" && cd "a folder" || exit 2
good 1 generate gaussian "some data.h5" n=3000 d=8
printf 'data: {train: some data.h5}\nmodel: {gates: 30, activation: gated}\nsolver: {tolerance: 1e-7}\n' >"my config.yaml"
good 2 train "my config.yaml" output.run=here.h5
objective=$(last_value here.h5 /history/primal)

train() { # NAME [VARIABLE=VALUE...] SBATCH'S OPTIONS... -- SETTINGS...
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  submit --output="$name.log" "${options[@]}" "$slurm/train.sbatch" "my config.yaml" output.run="$name.h5" "${@:2}"
}

same_objective() { # NAME HOSTS RANKS
  expect_near "objective of $1" "$(last_value "$1.h5" /history/primal)" "$objective" 1e-6
  expect "hosts of $1" "$(attribute "$1.h5" config/hosts)" "$2"
  expect "ranks of $1" "$(attribute "$1.h5" config/ranks)" "$3"
}

# ---- the same answer

two=$(train "two nodes" --nodes=2 --ntasks-per-node=1 --)
expect_end "$two" 0 60
three=$(train "three nodes" --nodes=3 --ntasks-per-node=1 --)
expect_end "$three" 0 60
same_objective "two nodes" "n1 n2" 2
same_objective "three nodes" "n1 n2 n3" 3
check "on two and on three nodes: the objective of a run without SLURM"

for launcher in srun mpirun; do
  export HALFSPACE_LAUNCHER=$launcher
  job=$(train "by $launcher" --nodes=2 --ntasks-per-node=2 --ntasks=3 --)
  expect_end "$job" 0 60
  same_objective "by $launcher" "n1 n2" 3
done
export HALFSPACE_LAUNCHER=sruhn
job=$(train "by nothing" --ntasks-per-node=1 --)
expect_end "$job" 2 60
has_line "by nothing.log" "'sruhn' \(srun or mpirun\)" || wrong "the log is: $(cat "by nothing.log")"
unset HALFSPACE_LAUNCHER
check "by srun and by mpirun, three ranks on two nodes"

# ---- exit codes

budget=$(train budget --nodes=2 --ntasks-per-node=1 -- solver.max_iterations=3)
setting=$(train setting --ntasks-per-node=2 -- solver.rho=-1)
data=$(train data --ntasks-per-node=2 -- data.train=none.h5)
expect_end "$budget" 4 60
expect_end "$setting" 2 60
expect_end "$data" 3 60
for job in $budget $setting $data; do expect "restarts of job $job" "$(job_field "$job" Restarts)" 0; done
[ -z "$(ls .halfspace-job-* 2>/dev/null)" ] || wrong "notes are left: $(ls .halfspace-job-*)"
check "the job's exit code is the program's, and it is not requeued for it"

# ---- modules and copies

mkdir -p "some modules/init" bin jobs
ln -s "$program" bin/halfspace
cat >"some modules/init/bash" <<END
module() {
  [ "\$*" = "load gcc/1 halfspace" ] || { echo "no such module: \$*" >&2; return 1; }
  PATH="\$PATH:$PWD/bin"
}
END
# A copy has no build folder beside it.
cp "$slurm/train.sbatch" "$slurm/common.sh" jobs
train_copy() { # NAME MODULES
  HALFSPACE_PROGRAM='' MODULESHOME="$PWD/some modules" HALFSPACE_MODULES=$2 submit --output="$1.log" --ntasks-per-node=2 \
    jobs/train.sbatch "my config.yaml" output.run="$1.h5"
}
loaded=$(train_copy loaded "gcc/1 halfspace")
unknown=$(train_copy unknown "gcc/2")
none=$(train_copy none "")
expect_end "$loaded" 0 60
expect_end "$unknown" 2 60
expect_end "$none" 2 60
expect_near "objective" "$(last_value loaded.h5 /history/primal)" "$objective" 1e-6
has_line unknown.log "cannot load gcc/2" || wrong "the log is: $(cat unknown.log)"
has_line none.log "no program halfspace .*HALFSPACE_PROGRAM" || wrong "the log is: $(cat none.log)"
check "a copy of the script, with the program from a module"

finish
