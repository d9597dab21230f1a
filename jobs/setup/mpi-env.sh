# shellcheck shell=sh
# Settings of Open MPI (4 and 5) for one machine: sourced by every script that calls mpirun there.
# Batch scripts on a cluster do not need it; what the caller has set stays.

# Containers run as root, which mpirun refuses unless told twice.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# More ranks than cores are wanted in tests; ranks of two jobs must not be bound to the same core.
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
export PRTE_MCA_rmaps_default_mapping_policy=${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}
export PRTE_MCA_hwloc_default_binding_policy=${PRTE_MCA_hwloc_default_binding_policy:-none}

# Without ssh, mpirun of Open MPI 4 gives up even when it needs no other machine; version 5 does not, and has
# no such component.
if ! command -v ssh >/dev/null && ! command -v rsh >/dev/null && [ -z "${SLURM_JOB_ID:-}" ]; then
  case $(mpirun --version 2>/dev/null) in
  *"(Open MPI) 4."*) export OMPI_MCA_plm="${OMPI_MCA_plm:-isolated}" ;;
  esac
fi

# One thread per rank: ranks and threads together must not exceed the cores.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
