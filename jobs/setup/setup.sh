#!/usr/bin/env bash
# Set-up for `make demo`, `make check` and `make check-slurm`: if something is missing, install it where that is
# ours to do (Debian or Ubuntu, as root or with sudo that asks no password), else say exactly what to load and
# stop. Does nothing when nothing is missing. Asks nothing. Called by `make setup`, which knows the flags.
#
#   SETUP_FOR=demo|check|slurm   what for (default demo)
#   SETUP_DRY_RUN=1              say what would be done and do nothing
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export SETUP_FOR=${SETUP_FOR:-demo} DEBIAN_FRONTEND=noninteractive
needs=jobs/setup/needs.txt
dry_run=${SETUP_DRY_RUN:-}

# The make below is not part of the build that called us, and does not share its jobs; variables given to
# that build are kept.
MAKEFLAGS=$(sed -E 's/ -j[0-9]+//; s/ --jobserver-[a-z]+=[^ ]+//' <<<"${MAKEFLAGS:-}")
export MAKEFLAGS

say() { echo "setup: $*"; }

# Sets missing (what is required) and wanted (what is useful), by the compiler's own judgement.
look() {
  local need kind found
  missing=() wanted=()
  found=$("${MAKE:-make}" -s --no-print-directory missing) || exit 1
  while read -r need kind; do
    case $kind in
    required) missing+=("$need") ;;
    wanted) wanted+=("$need") ;;
    esac
  done <<<"$found"
  # A library may only seem to be missing because nothing tells where it is.
  if [ ${#missing[@]} -gt 0 ] && [[ " ${wanted[*]} " == *" pkg-config "* ]]; then missing+=(pkg-config); fi
}

# Column of the table for some needs: 3 Debian, 4 Spack, 5 conda, 6 in words.
names() { # COLUMN NEED...
  local column=$1 need
  shift
  for need in "$@"; do
    awk -F'|' -v need="$need" -v column="$column" '{ split($1, word, " ") }
      word[1] == need { gsub(/^ +| +$/, "", $column); if ($column != "-") print $column }' "$needs"
  done | awk '!seen[$0]++'
}

in_words() { names 6 "$@" | paste -sd'|' | sed 's/|/, /g'; }

# The command in front of apt-get: nothing for root, sudo if it asks nothing; fails when neither is there.
privilege() {
  if [ "$(id -u)" = 0 ]; then
    echo ""
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    echo "sudo -n --preserve-env=DEBIAN_FRONTEND"
  else
    return 1
  fi
}

apt() { # WORD...
  # The prefix is a list of words. Other programs may be using apt: wait for them.
  # shellcheck disable=SC2086
  $prefix apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

apt_update() {
  local try
  for try in 1 2 3 4 5; do
    apt update -q && return 0
    sleep $((try * 2)) # the lists have a lock of their own that apt-get does not wait for
  done
  return 1
}

known_to_apt() { # PACKAGE...
  local package
  for package in "$@"; do
    LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}

apt_install() { # PACKAGE...
  local updated=false
  if ! known_to_apt "$@"; then
    apt_update || return 1
    updated=true
  fi
  apt install -y -q --no-install-recommends "$@" && return 0
  # A list of packages that is too old names files that are gone.
  $updated || { apt_update && apt install -y -q --no-install-recommends "$@"; }
}

install() {
  local packages useful
  mapfile -t packages < <(names 3 "${missing[@]}" | tr ' ' '\n' | awk '!seen[$0]++')
  mapfile -t useful < <(names 3 "${wanted[@]}" | tr ' ' '\n' | awk '!seen[$0]++')
  say "installing ${packages[*]} ${useful[*]}"
  if [ -n "$dry_run" ]; then
    say "would run: ${prefix:+$prefix }apt-get install -y --no-install-recommends ${packages[*]} ${useful[*]}"
    return 0
  fi
  apt_install "${packages[@]}" "${useful[@]}" && return 0
  [ ${#useful[@]} = 0 ] && return 1
  say "that failed; once more without what is only useful (${useful[*]})"
  [ ${#packages[@]} = 0 ] || apt_install "${packages[@]}"
}

explain() {
  local modules conda
  modules=$(modules | paste -sd' ')
  conda=$(names 5 "${missing[@]}" | tr ' ' '\n' | awk '!seen[$0]++' | sed "s/.*[*].*/'&'/" | paste -sd' ')
  {
    echo "halfspace: missing: $(in_words "${missing[@]}")"
    echo
    echo "Do one of these, then call make again:"
    if command -v apt-get >/dev/null; then
      echo "  Debian, Ubuntu   as root: apt-get install --no-install-recommends $(names 3 "${missing[@]}" | paste -sd' ')"
    fi
    if [ -n "$modules" ]; then
      echo "  modules          module load $modules   (\`module spider NAME\` finds the local names;"
      echo "                   HDF5 must be the parallel build for the same MPI)"
    fi
    echo "  Spack            spack install $(names 4 "${missing[@]}" | paste -sd' ')"
    echo "                   spack load $(names 4 "${missing[@]}" | sed 's/[+ ].*//' | awk '!seen[$0]++' | paste -sd' ')"
    [ -z "$conda" ] || echo "  conda            conda install -c conda-forge $conda"
    echo
    echo "Libraries that pkg-config does not know: make HDF5_CFLAGS=-I... HDF5_LIBS='-L... -lhdf5' BLAS_CFLAGS=... BLAS_LIBS=..."
  } >&2
}

# Names that most clusters use; the small libraries belong to the system there.
modules() {
  local need
  for need in "${missing[@]}"; do
    case $need in
    compiler) echo gcc ;;
    mpi | mpirun) echo openmpi ;;
    hdf5) echo hdf5 ;;
    protoc-c) echo protobuf-c ;;
    pkg-config | slurmctld | slurmd | sbatch | munged | ip) ;; # modules are for programs, not for daemons
    *) echo "$need" ;;
    esac
  done | awk '!seen[$0]++'
}

look
[ ${#missing[@]} = 0 ] && [ ${#wanted[@]} = 0 ] && exit 0
if command -v apt-get >/dev/null && prefix=$(privilege); then
  install || [ ${#missing[@]} = 0 ] || { echo "halfspace: apt-get could not install them (see above)" >&2; }
  [ -n "$dry_run" ] && exit 0
  look
fi
if [ ${#missing[@]} -gt 0 ]; then
  explain
  exit 1
fi
[ ${#wanted[@]} = 0 ] || say "going on without $(in_words "${wanted[@]}")"
