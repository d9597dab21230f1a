#!/usr/bin/env bash
# What is missing for SETUP_FOR=build|demo|check|slurm: one line "NEED required" or "NEED wanted" each, nothing if
# all is there. A library is there when a program that uses it compiles and links with the flags of the
# Makefile, whatever the package manager says. `make missing` calls this with those flags.
#
#   --explain   say it to a person on stderr instead, and fail if something required is missing
set -u
here=$(dirname "${BASH_SOURCE[0]}")
SETUP_FOR=${SETUP_FOR:-demo}
compiler=${MPICC:-mpicc}
# Without MPI the other libraries can still be looked for.
if ! command -v "$compiler" >/dev/null; then
  for compiler in gcc cc clang; do command -v $compiler >/dev/null && break; done
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/halfspace-probe.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT

# A few lines of each library: what a header must declare and a library must hold.
program() { # NEED
  case $1 in
  mpi) echo '#include <mpi.h>' && echo 'int use_mpi(void) { return MPI_Init(0, 0); }' ;;
  hdf5)
    cat <<'C'
#include <hdf5.h>
#ifndef H5_HAVE_PARALLEL
#error this HDF5 was built without MPI
#endif
int use_hdf5(void) { return H5Pset_fapl_mpio(H5Pcreate(H5P_FILE_ACCESS), MPI_COMM_WORLD, MPI_INFO_NULL); }
C
    ;;
  openblas)
    cat <<'C'
#include <cblas.h>
extern void dpotrf_(const char *, const int *, double *, const int *, int *);
extern char *openblas_get_corename(void);
double use_openblas(void)
{
  int n = 1, info;
  double a = 4;
  dpotrf_("L", &n, &a, &n, &info);
  return cblas_ddot(1, &a, 1, &a, 1) + openblas_get_corename()[0];
}
C
    ;;
  scalapack)
    cat <<'C'
#include <mpi.h>
extern int Csys2blacs_handle(MPI_Comm);
extern void pdpotrf_(const char *, const int *, double *, const int *, const int *, const int *, int *);
void use_scalapack(void)
{
  int n = 0, one = 1, descriptor[9] = {1, Csys2blacs_handle(MPI_COMM_WORLD)}, info;
  double a = 4;
  pdpotrf_("L", &n, &a, &one, &one, descriptor, &info);
}
C
    ;;
  yaml) echo '#include <yaml.h>' && echo 'const char *use_yaml(void) { return yaml_get_version_string(); }' ;;
  zlib) echo '#include <zlib.h>' && echo 'const char *use_zlib(void) { return zlibVersion(); }' ;;
  bzip2) echo '#include <bzlib.h>' && echo 'const char *use_bzip2(void) { return BZ2_bzlibVersion(); }' ;;
  xxhash) echo '#include <xxhash.h>' && echo 'unsigned use_xxhash(void) { return XXH_versionNumber(); }' ;;
  protobuf-c)
    echo '#include <protobuf-c/protobuf-c.h>' && echo 'const char *use_protobuf(void) { return protobuf_c_version(); }'
    ;;
  cmocka)
    cat <<'C'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
void use_cmocka(void) { assert_true(1); }
C
    ;;
  esac
}

links() { # NEED...
  for need in "$@"; do program "$need"; done >"$scratch/probe.c"
  echo 'int main(void) { return 0; }' >>"$scratch/probe.c"
  # The flags are lists, for the shell to split.
  # shellcheck disable=SC2046,SC2086
  "$compiler" -std=c11 -D_GNU_SOURCE "$scratch/probe.c" -o "$scratch/probe" ${PROBE_MPI:-} ${PROBE_HDF5:-} \
    $([[ " $* " != *" scalapack "* ]] || echo "${PROBE_SCALAPACK:-}") ${PROBE_BLAS:-} $(small_flags "$@") \
    >"$scratch/log" 2>&1
}

# One library at a time must not fail for another that is missing.
small_flags() { # NEED...
  local flag
  for flag in ${PROBE_SMALL:-} ${PROBE_CMOCKA:-}; do
    case "$flag $* " in
    -lyaml*yaml* | -lz*zlib* | -lbz2*bzip2* | -lxxhash*xxhash* | -lprotobuf-c*protobuf-c* | -lcmocka*cmocka*) echo "$flag" ;;
    -lyaml* | -lz* | -lbz2* | -lxxhash* | -lprotobuf-c* | -lcmocka*) ;;
    *) echo "$flag" ;;
    esac
  done
}

# PATH may lead to another Python than the one that has the system's packages.
python_has() { # MODULE
  local python
  for python in python3 /usr/bin/python3; do
    command -v $python >/dev/null && $python -c "import $1" 2>/dev/null && return
  done
  return 1
}

is_there() { # NEED
  case $1 in
  compiler) command -v gcc >/dev/null || command -v cc >/dev/null || command -v clang >/dev/null ;;
  onnx) python_has onnx ;;
  # Fetched by tests/support/onnx_runtime.sh, or else OpenCV's.
  onnx-run) [ -d "${B:-build}/onnxruntime" ] || { python_has cv2 && python_has onnx; } ;;
  protoc-c)
    command -v "${PROTOC_C:-protoc-c}" >/dev/null &&
      { [ "${PROTOC_C:-protoc-c}" != protoc ] || command -v protoc-gen-c >/dev/null; }
    ;;
  mpirun | pkg-config | gnuplot | h5dump) command -v "$1" >/dev/null ;;
  slurmctld | slurmd | sbatch | munged | ip) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  mpi) PROBE_HDF5='' PROBE_BLAS='' links mpi ;;
  hdf5) PROBE_BLAS='' links hdf5 ;;
  openblas) PROBE_HDF5='' links openblas ;;
  scalapack) PROBE_HDF5='' links scalapack || PROBE_HDF5='' PROBE_BLAS='' links scalapack ;;
  *) PROBE_HDF5='' PROBE_BLAS='' links "$1" ;;
  esac
}

needs() { grep -v '^#' "$here/needs.txt" | tr -s ' '; }

list_missing() {
  local libraries=(mpi hdf5 openblas scalapack yaml zlib bzip2 xxhash protobuf-c) all_link=false need purpose kind
  [ "$SETUP_FOR" = check ] && libraries+=(cmocka)
  links "${libraries[@]}" && all_link=true
  while IFS='| ' read -r need purpose _; do
    if $all_link && [[ " ${libraries[*]} " == *" $need "* ]]; then continue; fi
    case $SETUP_FOR-$purpose in
    *-build | demo-demo | check-demo | check-check | slurm-demo | slurm-slurm) kind=required ;;
    check-test) kind=wanted ;;
    *-slurm | *-test) continue ;; # what nobody wants for anything else
    *) kind=wanted ;;
    esac
    is_there "$need" || echo "$need $kind"
  done < <(needs)
}

explain() {
  local found=0 need kind what
  while read -r need kind; do
    [ "$kind" = required ] || continue
    what=$(needs | grep "^$need " | sed 's/.*| //')
    [ $found = 0 ] && echo "halfspace: missing:" >&2
    echo "  $what" >&2
    found=1
  done < <(list_missing)
  [ $found = 0 ] || echo "\`make setup\` installs it, or says what to load." >&2
  return $found
}

if [ "${1:-}" = --explain ]; then explain; else list_missing; fi
