#!/usr/bin/env bash
# The demo: real data in, a certified model out, on 2 ranks. `make demo` calls it after set-up and build.
# Everything it writes is in build/demo.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. jobs/setup/mpi-env.sh
B=${B:-build}
out=$B/demo
program=$B/halfspace
# When the two ranks have to share a core, the one that waits gives it away.
[ "$(nproc 2>/dev/null || echo 2)" -ge 2 ] || export OMPI_MCA_mpi_yield_when_idle=1

show() { # COMMAND...
  printf '\n$ %s\n' "$*"
  "$@" </dev/null
}

# The same demo each time: a run that is there would be resumed or kept.
rm -rf "$out"
mkdir -p "$out"

show "$program" import configs/data/magic04.data.gz "$out/magic04.h5" split=0.2

# configs/demo.yaml names these files for the usual build folder; the settings here hold for any.
code=0
show mpirun -n 2 "$program" train configs/demo.yaml data.train="$out/magic04.h5" \
  data.test="$out/magic04.test.h5" output.run="$out/run.h5" || code=$?
[ $code = 0 ] || [ $code = 4 ] || exit $code # 4: out of iterations, with results to look at

show "$program" evaluate "$out/run.h5" "$out/magic04.test.h5"
show "$program" report "$out/run.h5" "$out/report.svg"
show "$program" report "$out/run.h5" "$out/report.png" || {
  command -v gnuplot >/dev/null && exit 1
  echo "demo: no PNG without gnuplot; the SVG shows the same"
}

cat <<END

Training data  $out/magic04.h5
Test data      $out/magic04.test.h5
Run file       $out/run.h5          (build/halfspace info, h5dump or h5py)
Report         $out/report.svg
$([ -e "$out/report.png" ] && echo "               $out/report.png")
END
if [ $code != 0 ]; then
  echo
  echo "demo: training stopped before its tolerance was reached" >&2
  exit $code
fi
