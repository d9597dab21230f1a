#!/usr/bin/env bash
# What goes wrong, on 1 and on 3 ranks: the exit code of CODES below, one line on stderr that says what and where,
# no hanging, and an earlier run file as it was.
#
#   tests/end/test_errors.sh PROGRAM
#
# Codes: 2 command line or settings, 3 data or file, 6 input or output.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"

make() { "$make_file" "$@" || wrong "$make_file cannot be run (make tests builds it)"; }

csv_regression 60 3 >good.csv
csv_classes 60 2 4 >two.csv
good 1 import good.csv good.h5
good 1 import two.csv two.h5
good 1 train good.h5 model.gates=8 model.activation=gated output.run=old.h5
check "data and an earlier run"

# Run with the earlier run file in the way; the message has to hold all given texts, separated by |. Faults of one
# kind come out of the same place: `on=1` leaves out the runs on 3 ranks of all but the first.
refuse() { # CODE TEXTS ARGUMENTS...
  local code=$1 texts=$2 ranks got text
  shift 2
  for ranks in ${on:-1 3}; do
    cp old.h5 run.h5
    launch $ranks "$@"
    got=$?
    [ $got = "$code" ] || wrong "($ranks ranks) $* gave $got, not $code: $(grep -m 1 halfspace: log)"
    [ "$(grep -c '^halfspace: error: ' log)" = 1 ] ||
      wrong "($ranks ranks) $* printed $(grep -c '^halfspace: error: ' log) errors"
    grep '^halfspace: error: ' log >message
    while read -r -d '|' text; do
      grep -qF -e "$text" message || wrong "($ranks ranks) $* said \"$(cat message)\", not \"$text\""
    done <<<"$texts|"
    LC_ALL=C grep -q '[^[:print:]]' message && wrong "($ranks ranks) $*: the message is not plain text"
    grep -q 'HDF5-DIAG\|Segmentation\|Backtrace' log && wrong "($ranks ranks) $*: a library talks: $(head -n 3 log | xargs)"
    cmp -s old.h5 run.h5 || wrong "($ranks ranks) $* changed the earlier run file"
    for left in run.h5.*; do [ -e "$left" ] && wrong "($ranks ranks) $* left $left behind"; done
  done
}

train() { # CODE TEXTS DATA SETTINGS...
  local code=$1 texts=$2 data=$3
  shift 3
  refuse "$code" "$texts" train "$data" model.gates=8 model.activation=gated output.run=run.h5 "$@"
}

# ---- files

train 3 "missing.h5|No such file" missing.h5
check "a data file that is not there"

train 3 "text.h5|HDF5" text.h5
cp good.csv text.h5
on=1 train 3 "text.h5|HDF5|import" text.h5
printf '' >empty.h5
on=1 train 3 "empty.h5|HDF5" empty.h5
mkdir folder.h5
on=1 train 3 "folder.h5" folder.h5
check "a data file that is not HDF5"

for part in 3 2; do
  head -c $(($(wc -c <good.h5) * (part - 1) / part)) good.h5 >cut.h5
  train 3 "cut.h5|truncated" cut.h5
done
check "a truncated data file"

train 3 "good.h5|no data set 'featurs'|features, targets" good.h5 data.features=featurs
on=1 train 3 "good.h5|no data set 'label'|data.targets" good.h5 data.targets=label
check "a data set that is not there"

# ---- contents

make fewer-targets fewer.h5
train 3 "fewer.h5: targets|11 rows|12" fewer.h5
check "features and targets of different length"

make nan nan.h5
make infinite infinite.h5
train 3 "nan.h5: features|row 11, column 2|NaN" nan.h5
train 3 "infinite.h5: targets|row 0|infinite" infinite.h5
check "NaN and infinity"

make one-label one-label.h5
make outside outside.h5
train 3 "one-label.h5|one label, 5|2 classes" one-label.h5 model.loss=logistic
train 3 "outside.h5|row 2|label 2|0 to 1" outside.h5 model.loss=softmax
check "one class only, and a label outside the classes"

make zero-rows zero-rows.h5
make flat flat.h5
make cube cube.h5
make text text-features.h5
train 3 "zero-rows.h5: features|0 rows" zero-rows.h5
on=1 train 3 "flat.h5: features|1 dimension" flat.h5
on=1 train 3 "cube.h5: features|3 dimension" cube.h5
on=1 train 3 "text-features.h5: features|numbers" text-features.h5
check "features that are no matrix of numbers"

train 3 "good.h5|logistic|classes" good.h5 model.loss=logistic
on=1 train 3 "good.h5|squared-hinge|classes" good.h5 model.loss=squared-hinge
check "float targets with a loss for classes"

make gates narrow.h5 5 3
make gates-nan gates-nan.h5
make gates-cube gates-cube.h5
train 3 "narrow.h5: gates|3 columns|4" good.h5 model.gates_from=narrow.h5
train 3 "gates-nan.h5: gates|NaN" good.h5 model.gates_from=gates-nan.h5
on=1 train 3 "gates-cube.h5: gates|3 dimensions" good.h5 model.gates_from=gates-cube.h5 data.bias=false
on=1 train 3 "good.h5: gates|missing" good.h5 model.gates_from=good.h5
on=1 train 3 "nowhere.h5|No such file" good.h5 model.gates_from=nowhere.h5
check "gates that do not fit"

train 3 "features" good.h5 data.test=two.h5
on=1 train 3 "nowhere.h5" good.h5 data.test=nowhere.h5
check "test data that do not fit"

# ---- settings

config() { printf 'data:\n  train: good.h5\noutput:\n  run: run.h5\n%b' "$1" >config.yaml; }
refuse_config() { # TEXTS YAML
  config "$2"
  refuse 2 "config.yaml|$1" train config.yaml
}
refuse_config "line 6|solver.tolerence|solver.tolerance" 'solver:\n  tolerence: 1e-4\n'
on=1 refuse_config "line 6|modle.gates|model.gates" 'modle:\n  gates: 4\n'
check "an unknown key: its line and the nearest name"

refuse_config "line 6|solver.tolerance|banana" 'solver:\n  tolerance: banana\n'
on=1 refuse_config "line 6|model.loss|quadratic|squared" 'model:\n  loss: quadratic\n'
on=1 refuse_config "line 6|model.gates|0|1" 'model:\n  gates: 0\n'
on=1 refuse_config "line 6|model.beta|-1" 'model:\n  beta: -1\n'
on=1 refuse_config "line 5|seed|-3|0" 'seed: -3\n'
on=1 refuse_config "line 6|solver.polish|maybe|true" 'solver:\n  polish: maybe\n'
check "values that are none"

refuse_config "line 7|model.gates|twice" 'model:\n  gates: 4\n  gates: 5\n'
on=1 refuse_config "line 6|YAML" 'model:\n\tgates: 4\n'
on=1 refuse_config "line 6|YAML" 'model: {gates: 4\n'
on=1 refuse_config "line 6|list" 'model:\n  gates: [1, 2]\n'
check "a key given twice, and broken YAML"

refuse 2 "missing.yaml|No such file" train missing.yaml
mkdir folder.yaml
on=1 refuse 2 "folder.yaml" train folder.yaml
head -c 300 /dev/zero >zeros.yaml
on=1 refuse 2 "zeros.yaml|not text" train zeros.yaml
if [ "$(id -u)" != 0 ]; then
  config ''
  chmod 000 config.yaml
  refuse 2 "config.yaml|ermission" train config.yaml
  chmod 600 config.yaml
fi
check "a configuration that cannot be read"

train 2 "solver.tolerence|solver.tolerance" good.h5 solver.tolerence=1
on=1 train 2 "model.gates" good.h5 model.gates=many
on=1 train 2 "model.layers|3|2" good.h5 model.layers=3
on=1 train 2 "output.run|data.train" good.h5 output.run=good.h5
on=1 refuse 2 "data.train" train output.run=run.h5
check "faulty settings on the command line"

# ---- output

train 6 "no-folder/run.h5|No such file" good.h5 output.run=no-folder/run.h5
if [ "$(id -u)" != 0 ]; then
  mkdir locked && chmod 500 locked
  train 6 "locked/run.h5|ermission" good.h5 output.run=locked/run.h5
fi
check "a run file that cannot be written"

# ---- command line

refuse 2 "unknown command 'trian'|train" trian good.h5
on=1 refuse 2 "unknown command 'xyzzy'|--help" xyzzy
launch 1
[ $? = 2 ] && grep -q 'usage:' log || wrong "no command at all: no usage"
on=1 refuse 2 "RUN.h5 is missing" evaluate
on=1 refuse 2 "DATA.h5 is missing" evaluate old.h5
on=1 refuse 2 "OUT.h5 is missing" predict old.h5 good.h5
on=1 refuse 2 "--jason|--json" evaluate old.h5 good.h5 --jason
on=1 refuse 2 "one word too many" evaluate old.h5 good.h5 more.h5
check "faulty command lines"

# ---- models

refuse 3 "good.h5|not a run file" evaluate good.h5 good.h5
on=1 refuse 3 "missing.h5|No such file" evaluate missing.h5 good.h5
on=1 refuse 3 "missing.h5|No such file" evaluate old.h5 missing.h5
on=1 refuse 3 "two.h5|2 features|3" evaluate old.h5 two.h5
refuse 3 "two.h5|2 features|3" predict old.h5 two.h5 new.h5
[ -e new.h5 ] && wrong "predictions were begun"
make labels labels.h5
on=1 refuse 3 "labels.h5|class" evaluate old.h5 labels.h5
head -c $(($(wc -c <old.h5) / 2)) old.h5 >half.h5
on=1 refuse 3 "half.h5|truncated" evaluate half.h5 good.h5
on=1 refuse 2 "good.h5|input" predict old.h5 good.h5 good.h5
refuse 6 "no-folder/out.h5" predict old.h5 good.h5 no-folder/out.h5
check "models and data that do not fit"

finish
