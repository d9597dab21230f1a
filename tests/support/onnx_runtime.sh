#!/usr/bin/env bash
# Fetches ONNX Runtime for tests/end/test_export.sh, from the npm registry into $B/onnxruntime, once per build
# folder. `make check` calls it. Without node, npm or network it writes the reason to $B/onnxruntime.why and succeeds:
# the test then takes another runtime or says that reason.
#
#   B=build           build folder
set -u
package=onnxruntime-node@1.30.0
mkdir -p "${B:-build}" || exit 1
to=$(cd "${B:-build}" && pwd)/onnxruntime
[ -d "$to" ] && exit 0

give_up() { # REASON
  echo "$1" >"$to.why"
  rm -rf "$to.part"
  echo "onnxruntime: not fetched: $1"
  exit 0
}

for tool in node npm; do command -v $tool >/dev/null || give_up "$tool is not installed"; done
echo "onnxruntime: fetching $package from the npm registry for the test of halfspace export"
rm -rf "$to.part" "$to.why"
# Without scripts: those would fetch libraries for graphics cards from elsewhere.
timeout -k 5 180 npm install --prefix "$to.part" --ignore-scripts --no-audit --no-fund --fetch-retries=0 \
  "$package" >"$to.log" 2>&1 </dev/null ||
  give_up "npm could not install $package: $(grep -m 1 'npm err' -i "$to.log" || echo 'no answer within 180 s')"
node -e 'require(process.argv[1])' "$to.part/node_modules/onnxruntime-node" 2>"$to.log" ||
  give_up "$package does not load: $(grep -m 1 Error "$to.log")"
# The package is for all systems at once.
find "$to.part"/node_modules/onnxruntime-node/bin -mindepth 2 -maxdepth 2 -type d ! -name linux -exec rm -rf {} +
rm -f "$to.log"
mv "$to.part" "$to"
