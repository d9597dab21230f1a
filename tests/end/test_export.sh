#!/usr/bin/env bash
# halfspace export: small runs of every kind, their networks in ONNX Runtime (or OpenCV) and in numpy.
#
#   tests/end/test_export.sh PROGRAM
#
# Truth: halfspace predict on the same rows. ONNX Runtime comes from tests/support/onnx_runtime.sh, which `make check`
# calls; OpenCV's engine for networks, which knows scores in single precision alone, takes its place where it is missing.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
if ! have h5dump || ! have h5import; then
  skip "export" "h5dump and h5import are not installed"
  finish
  exit
fi

# The first Python that has these modules; PATH may lead to another one than the system's.
python_with() { # MODULE...
  local python
  for python in python3 /usr/bin/python3; do
    have $python && $python -c "import $(paste -sd, <<<"$(printf '%s\n' "$@")")" 2>/dev/null && echo $python && return
  done
  return 1
}

# Do two files hold as many numbers, equal up to TOLERANCE of the largest of them?
same_numbers() { # WHAT FOUND WANTED TOLERANCE
  paste -d ' ' <(tr ' ' '\n' <"$2") <(tr ' ' '\n' <"$3") | awk -v t="$4" '
    NF != 2 || $1 !~ /^[-+0-9.e]+$/ || $2 !~ /^[-+0-9.e]+$/ { print "line " NR ": \"" $0 "\""; bad = 1; exit }
    { d = $1 - $2; if (d < 0) d = -d; s = $2 < 0 ? -$2 : $2; if (d > worst) worst = d; if (s > largest) largest = s }
    END { if (!bad && (NR == 0 || worst > t * largest)) print NR " numbers, up to " worst " apart, of " largest }' >verdict
  [ -s verdict ] && wrong "$1: $(cat verdict)"
}

# Numbers, one a line, become WIDTH a line.
rows_of() { awk -v width="$1" '{ printf "%s%s", $1, NR % width ? " " : "\n" }'; } # WIDTH

# A class may differ where the two best scores (or the score and 0) are closer than single precision tells apart.
same_classes() { # WHAT FOUND WANTED SCORES OUTPUTS
  paste -d ' ' <(tr ' ' '\n' <"$2") <(tr ' ' '\n' <"$3") <(tr ' ' '\n' <"$4" | rows_of "$5") | awk '
    NF < 3 { print "line " NR ": \"" $0 "\""; exit }
    { best = NF == 3 ? 0 : -1e300; second = best; size = 0
      for (i = 3; i <= NF; i++) { if ($i > best) { second = best; best = $i } else if ($i > second) second = $i
        a = $i < 0 ? -$i : $i; if (a > size) size = a } }
    NF == 3 { best = size; second = 0 }
    $1 != $2 && !(best - second < 1e-5 * size) { print "row " NR ": \"" $0 "\""; exit }' >verdict
  [ -s verdict ] && wrong "$1: $(cat verdict)"
}

# ---- data: rows and columns, small means and huge ones

# Features that float32 holds exactly, about 10^6 with a spread of 1; one column is constant, another nearly. ROWS SEED
csv_offset() {
  awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); print "a,b,c,e,y"; for (k = 0; k < n; k++) {
    a = int(32 * rand()) / 8; b = int(32 * rand()) / 8
    y = (a > b ? a - b : 0) + rand() / 10
    printf "%.3f,%.3f,0.1,%.3f,%.6f\n", 1048576 + a, b - 1048576, k % 50 == 0 ? 7 : 7.5, y } }'
}

csv_regression 200 1 >plain.csv
csv_offset 200 2 >offset.csv
csv_classes 200 2 3 >two.csv
csv_classes 200 3 4 >three.csv
for data in plain offset two three; do good 1 import $data.csv $data.h5; done
# Labels that are no indices, as somebody else's file may have them.
csv_classes 200 3 5 | sed '1d; s/k0$/-4/; s/k1$/9/; s/k2$/70000000000/' | tr ',' ' ' >numbers.txt
cut -d ' ' -f 1,2 numbers.txt >features.txt
cut -d ' ' -f 3 numbers.txt >targets.txt
h5import features.txt -d 200,2 -p features -t TEXTFP -s 64 targets.txt -d 200 -p targets -t TEXTIN -s 64 \
  -o numbers.h5 >log 2>&1 || wrong "h5import gave $?: $(head -n 1 log)"

jobs=()
# Train, predict and export; the models and their features wait for `execute`. NAME DATA OUTPUTS KEYS...
model() {
  local name=$1 data=$2 from=relu type columns file
  good 1 train "$data.h5" model.gates=12 solver.max_iterations=400 bounds.max_seconds=0 output.run="$name.h5.run" "${@:4}"
  good 1 predict "$name.h5.run" "$data.h5" "$name.pred"
  good 1 export "$name.h5.run" "$name.onnx"
  good 1 export "$name.h5.run" "$name.64.onnx" precision=double
  good 1 export "$name.h5.run" "$name.npz"
  values "$data.h5" /features >"$name.features"
  # Without neurons the predictions are those of the gated network, which is zero then, too.
  [[ $name == nothing* ]] && from=gated
  values "$name.pred" /$from/scores >"$name.scores"
  [ "$data" = plain ] || [ "$data" = offset ] || values "$name.pred" /$from/classes >"$name.classes"
  [[ $* != *loss=logistic* && $* != *softmax* ]] || values "$name.pred" /$from/probabilities >"$name.probabilities"
  columns=$(shape "$data.h5" /features | sed 's/.*, //')
  for type in 32 64; do
    file=$name.onnx
    [ $type = 32 ] || file=$name.64.onnx
    jobs+=("$file float$type $columns $name.features $name.$type")
  done
  outputs[$name]=$3
}
declare -A outputs

model unscaled plain 1 data.scaling=none data.bias=false model.loss=huber
model offset offset 1 data.scaling=zscore
model two two 1 data.scaling=unit-norm model.loss=logistic
model three three 3 model.loss=softmax data.scaling=common
model against three 3 data.scaling=center model.loss=logistic model.beta=0.001
model labels numbers 3 data.bias=false
model nothing two 1 model.loss=logistic model.beta=1.5
model nothing3 three 3 model.loss=softmax model.beta=1.5
model float plain 1 solver.precision=single
check "runs of nine kinds, exported"

# ---- execution

names=(unscaled offset two three against labels nothing nothing3 float)
runtime=
tools=$(dirname "$program")/onnxruntime
if have node && [ -d "$tools" ]; then
  runtime="ONNX Runtime"
  printf '%s\n' "${jobs[@]}" | NODE_PATH=$tools/node_modules node "$support/run_onnx.js" >runtime.log 2>&1 ||
    wrong "ONNX Runtime: $(head -n 1 runtime.log)"
elif python=$(python_with cv2 onnx); then
  runtime="OpenCV"
  printf '%s\n' "${jobs[@]}" | $python "$support/run_onnx.py" >runtime.log 2>&1 || wrong "OpenCV: $(tail -n 1 runtime.log)"
fi
if [ -z "$runtime" ]; then
  skip "the networks in an ONNX runtime" \
    "none is there: $(cat "$tools.why" 2>/dev/null || echo 'make check fetches one'); nor python3-opencv with python3-onnx"
else
  for name in "${names[@]}"; do
    same_numbers "$name: scores" "$name.32.scores" "$name.scores" 1e-5
  done
  check "scores in single precision are those of predict ($runtime)"
fi

if [ "$runtime" = "ONNX Runtime" ]; then
  for name in "${names[@]}"; do
    # Where training rounded the scaled features to float32, predict does so too; the network does not.
    tolerance=1e-10
    [ $name = float ] && tolerance=1e-6
    same_numbers "$name: scores" "$name.64.scores" "$name.scores" $tolerance
  done
  check "scores in double precision are those of predict"
  for name in two three against labels nothing nothing3; do
    for type in 32 64; do
      same_classes "$name: classes" "$name.$type.classes" "$name.classes" "$name.scores" "${outputs[$name]}"
      grep -qx "classes int64 200" "$name.$type.shapes" || wrong "$name: classes are $(grep classes "$name.$type.shapes")"
    done
  done
  [ "$(tr ' ' '\n' <labels.32.classes | sort -u | wc -l)" = 3 ] || wrong "not three labels"
  grep -q 70000000000 labels.32.classes || wrong "a label has lost digits"
  check "classes are those of predict, as labels of the training file"
  for name in two three against nothing nothing3; do
    same_numbers "$name: probabilities" "$name.32.probabilities" "$name.probabilities" 1e-5
    same_numbers "$name: probabilities" "$name.64.probabilities" "$name.probabilities" 1e-10
  done
  for name in unscaled labels; do
    grep -q probabilities "$name.32.shapes" && wrong "$name has probabilities"
  done
  grep -q classes unscaled.32.shapes && wrong "a regression has classes"
  check "probabilities are those of predict"
elif [ -n "$runtime" ]; then
  skip "classes, probabilities, double precision" \
    "OpenCV does not run them, and ONNX Runtime is not there: $(cat "$tools.why" 2>/dev/null || echo 'make check fetches it')"
fi
for name in nothing nothing3; do
  tr ' ' '\n' <$name.scores | grep -qvx 0 && wrong "$name: the network is not zero"
done
check "a beta beyond beta_max gives the network that is zero"

if python=$(python_with numpy); then
  for name in "${names[@]}"; do
    $python "$support/run_npz.py" "$name.npz" "$name.features" "$name.npz" 2>runtime.log ||
      wrong "$name: numpy: $(tail -n 1 runtime.log)"
    tolerance=1e-12
    [ $name = float ] && tolerance=1e-6
    same_numbers "$name: scores by numpy" "$name.npz.scores" "$name.scores" $tolerance
  done
  expect "classes in labels.npz" "$(xargs <labels.npz.classes)" "-4 -4 9 9 70000000000 70000000000"
  expect "classes in unscaled.npz" "$(cat unscaled.npz.classes)" ""
  check "scores by numpy from the .npz file are those of predict"
else
  skip "the .npz file in numpy" "no python3 with numpy"
fi

if python=$(python_with onnx); then
  $python - ./*.onnx >checker.log 2>&1 <<'PYTHON' || wrong "onnx.checker: $(tail -n 1 checker.log)"
import sys, onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    print(path, *("%s=%s" % (p.key, " ".join(p.value.split())) for p in model.metadata_props), sep="\n")
PYTHON
  expect "models checked" "$(grep -c '^\./' checker.log)" "18"
  sed -n '/three.onnx/,/class_names/p' checker.log >told
  for line in task=classification loss=softmax rows=200 stop=converged 'class_names=[ "k0", "k1", "k2" ]'; do
    grep -qxF "$line" told || wrong "the metadata do not say $line: $(xargs <told)"
  done
  grep -qx 'bound.gates_lower=[0-9.e+-]* proved' told || wrong "no bound: $(xargs <told)"
  check "onnx.checker accepts every model, metadata"
else
  skip "onnx.checker" "no python3 with onnx (python3-onnx)"
fi

# ---- faults and files

refuse() { # CODE MESSAGE ARGUMENTS...
  expect_code "$1" 1 export "${@:3}"
  grep -qF -- "$2" log || wrong "\"$2\" is not said: $(cat log)"
}

good 1 train plain.h5 model.gates=12 model.activation=gated output.run=gated.run
good 1 train plain.h5 model.gates=12 model.activation=gated model.beta=1.5 output.run=gated0.run
refuse 2 'model.activation=relu' gated.run bad.onnx
refuse 2 'model.activation=relu' gated0.run bad.npz
refuse 2 'ends in .onnx or .npz' two.h5.run bad.pt
refuse 2 'ends in .onnx or .npz' two.h5.run onnx
refuse 2 'MODEL.onnx (or MODEL.npz) is missing' two.h5.run
refuse 2 'single or double' two.h5.run bad.onnx precision=half
refuse 2 'always holds doubles' two.h5.run bad.npz precision=double
refuse 2 'did you mean precision=' two.h5.run bad.onnx precison=double
refuse 3 'is not a run file' two.h5 bad.onnx
refuse 3 'nowhere.h5' nowhere.h5 bad.onnx
refuse 6 'cannot be written' two.h5.run no-folder/bad.onnx
ls bad* >/dev/null 2>&1 && wrong "left behind: $(echo bad*)"
cp two.h5.run run.npz
refuse 2 'is an input of this command' run.npz run.npz
cmp -s two.h5.run run.npz || wrong "the run was changed"
check "what cannot be exported, and where"

"$program" train plain.h5 model.gates=12 bounds.max_seconds=0 solver.tolerance=1e-15 solver.max_iterations=100000000 \
  output.run=stopped.run >out 2>log </dev/null &
for _ in $(seq 100); do [ -e stopped.run ] && break || sleep 0.1; done
sleep 0.3
kill -TERM $! || wrong "no process to stop: $(tail -n 1 log)"
wait $!
expect "exit code of a run that was stopped" $? 75
refuse 2 '(signal) before it made the ReLU network' stopped.run bad.onnx
check "a run that was stopped before it made its network"

cp three.onnx old.onnx
ln -s old.onnx link.onnx
(
  trap '' XFSZ # a write beyond the limit then fails as on a full disk
  ulimit -f 1
  exec timeout 60 "$program" export three.h5.run link.onnx >out 2>log
)
code=$?
[ $code = 6 ] || wrong "a full disk gave $code: $(cat log)"
cmp -s three.onnx old.onnx || wrong "a full disk changed the old file"
ls old.onnx.new >/dev/null 2>&1 && wrong "old.onnx.new was left behind"
good 1 export two.h5.run link.onnx
cmp -s two.onnx old.onnx || wrong "the file behind the link is not the new one"
[ -L link.onnx ] || wrong "the link was replaced"
good 1 export two.h5.run two.ONNX
cmp -s two.onnx two.ONNX || wrong "the same run gave other bytes"
check "a full disk keeps the old file, links are followed, the same run gives the same bytes"

finish
