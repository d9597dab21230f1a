#!/usr/bin/env bash
# mpirun.sh RANKS PROGRAM...: mpirun for tests, as root or not, with more ranks than cores if need be.
. "$(dirname "${BASH_SOURCE[0]}")/../../jobs/setup/mpi-env.sh"
# Waiting ranks give their core away; on a busy machine a test takes minutes otherwise.
export OMPI_MCA_mpi_yield_when_idle=1
exec mpirun -n "$@"
