# shellcheck shell=bash
# long_run.sh: training that lasts for a chosen time, as a job over two nodes and without SLURM. Source it after
# runs.sh and cluster.sh, with the cluster up.
# shellcheck disable=SC2154

# How long a run lasts is set by the number of its iterations and gates, from the fastest of some iterations on this
# machine. 300 iterations are few enough that the gap cannot become zero, which would end the run.
good 1 generate gaussian data.h5 n=40000 d=40
settings=(data.h5 model.beta=0.001 model.activation=gated solver.tolerance=1e-300)
expect_code 4 2 train "${settings[@]}" model.gates=512 solver.max_iterations=12 output.run=probe.h5
read -r gates per_second < <(values probe.h5 /history/seconds | tr ' ' '\n' |
  awk 'NR > 2 { d = $1 - last; if (NR == 3 || d < least) least = d } { last = $1 }
    END { scale = 40 / (300 * least); if (scale < 1) scale = 1; print int(512 * scale), 1 / (least * scale) }')
settings+=(model.gates="$gates")
iterations() { # SECONDS
  awk -v s="$1" -v r="$per_second" 'BEGIN { printf "%d", s * r + 5 }'
}
rm -f probe.h5*
check "a run to interrupt"

# With lower priority, so that the jobs are not held up.
reference() { # NAME ITERATIONS
  nice -n 19 timeout -k 5 400 bash "$support/mpirun.sh" 2 "$program" train "${settings[@]}" solver.max_iterations="$2" \
    output.run="$1.h5" >"$1.log" 2>&1 </dev/null
  [ $? = 4 ]
}

train() { # NAME ITERATIONS SBATCH'S OPTIONS... -- SETTINGS...
  local name=$1 iterations=$2 options=()
  shift 2
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  submit --output="$name.log" --nodes=2 --ntasks-per-node=1 "${options[@]}" "$slurm/train.sbatch" "${settings[@]}" \
    solver.max_iterations="$iterations" output.run="$name.h5" "${@:2}"
}

nothing_left() { # NAME
  [ -z "$(ls .halfspace-job-* 2>/dev/null)" ] || wrong "notes are left: $(ls .halfspace-job-*)"
  [ ! -e "$1.h5.lock" ] || wrong "$1.h5.lock is left"
}

