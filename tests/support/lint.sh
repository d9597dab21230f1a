#!/usr/bin/env bash
# lint.sh FILE...: formatting and static checks of C files and shell scripts, with the tools that are there.
# Called by `make lint` after both compilers.
set -u
sources=() c_files=() scripts=()
for file in "$@"; do
  case $file in
  *.c) sources+=("$file") c_files+=("$file") ;;
  *.h) c_files+=("$file") ;;
  *) scripts+=("$file") ;;
  esac
done
bad=0

check() { # TOOL ARGUMENTS...
  if ! command -v "$1" >/dev/null; then
    echo "lint: $1 is not installed, left out"
    return
  fi
  echo "lint: $1"
  "$@" || bad=1
}

check clang-format --dry-run -Werror "${c_files[@]}"
check cppcheck -q --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr \
  --suppress=missingIncludeSystem -Isrc -I. -D_GNU_SOURCE "${sources[@]}"
check shellcheck -S warning -x "${scripts[@]}"
exit $bad
