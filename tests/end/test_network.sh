#!/usr/bin/env bash
# The ReLU network and the bracket on its global optimum, as a user meets them: objectives recomputed here from data and
# layers by a real max(0, .), bounds in their order, the same on any number of ranks, local methods never below the proved
# bound, other data, a signal in the middle.
#
#   test_network.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

csv_regression 300 1 >r.csv
good 1 import r.csv r.h5 split=0.2
csv_classes 400 3 2 >c.csv
good 1 import c.csv c.h5
good 1 import r.csv all.h5
good 1 generate gaussian g.h5 n=200 d=4 precision=double
check "the data sets of this test"

at_most() { # WHAT FOUND LIMIT
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a ~ /^[-+0-9.e]+$/ && b ~ /^[-+0-9.e]+$/ && a + 0 <= b + 0) }' ||
    wrong "$1 is \"$2\", more than \"$3\""
}

bound() { attribute "$1" "bounds/$2/value"; } # RUN NAME

# Loss + beta sum |w_k| |a_k| of a regression network of one output, from the CSV alone, row by row.
recompute() { # RUN CSV
  {
    attribute "$1" model/beta
    values "$1" /model/shift
    values "$1" /model/scale
    values "$1" /model/relu/W1
    values "$1" /model/relu/W2
  } >model.txt
  awk -F '[ ,]' '
    FNR == NR && FNR == 1 { beta = $1; next }
    FNR == NR && FNR == 2 { d = NF; for (j = 1; j <= d; j++) shift[j] = $j; next }
    FNR == NR && FNR == 3 { for (j = 1; j <= d; j++) scale[j] = $j; next }
    FNR == NR && FNR == 4 { m = NF / (d + 1); for (e = 1; e <= NF; e++) W[e - 1] = $e; next }
    FNR == NR { for (e = 1; e <= NF; e++) a[e - 1] = $e; next }
    FNR == 1 { next }
    {
      for (j = 0; j < d; j++) x[j] = ($(j + 1) - shift[j + 1]) / scale[j + 1]
      x[d] = 1; f = 0
      for (k = 0; k < m; k++) {
        z = 0
        for (j = 0; j <= d; j++) z += W[j * m + k] * x[j]
        if (z > 0) f += z * a[k]
      }
      loss += ($(d + 1) - f) ^ 2 / 2
    }
    END {
      for (k = 0; k < m; k++) {
        w = 0
        for (j = 0; j <= d; j++) w += W[j * m + k] ^ 2
        norm += sqrt(w) * (a[k] < 0 ? -a[k] : a[k])
      }
      printf "%.12g\n", loss + beta * norm
    }' model.txt "$2"
}

in_order() { # RUN: lower bounds do not lie above the network
  at_most "global_lower of $1" "$(bound "$1" global_lower)" "$(bound "$1" network)"
  at_most "global_lower_estimated of $1" "$(bound "$1" global_lower_estimated)" "$(bound "$1" network)"
}

# ---- a bracket that closes

quick="model.gates=20 model.beta=0.05 bounds.starts=256 bounds.max_seconds=20"
for ranks in 1 2 4; do
  good $ranks train all.h5 $quick network.tolerance=1e-7 output.run=net-$ranks.h5
  in_order net-$ranks.h5
done
network=$(bound net-1.h5 network)
expect_near "objective recomputed" "$(recompute net-1.h5 r.csv)" "$network" 1e-9
expect "kind of the proof" "$(attribute net-1.h5 bounds/global_lower/kind)" proved
expect "kind of the estimate" "$(attribute net-1.h5 bounds/global_lower_estimated/kind)" estimated
expect "kind of the network" "$(attribute net-1.h5 bounds/network/kind)" attained
grep -q 'rank 4' <<<"$(attribute net-1.h5 bounds/global_lower/about)" || wrong "about: no rank"
check "a network, its estimated and its proved bound"

expect_near "proved bound" "$(bound net-1.h5 global_lower)" "$network" 3e-6
for ranks in 2 4; do
  for name in network global_lower global_lower_estimated; do
    expect_near "$name on $ranks ranks" "$(bound net-$ranks.h5 $name)" "$(bound net-1.h5 $name)" 1e-6
  done
done
check "the bracket is proved to 3e-6, and the same on 1, 2 and 4 ranks"

good 2 train all.h5 $quick network.tolerance=1e-7 output.run=again.h5
for set in /model/relu/W1 /model/relu/W2; do
  expect "$set of a second run" "$(values again.h5 $set)" "$(values net-2.h5 $set)"
done
expect "proved bound of a second run" "$(bound again.h5 global_lower)" "$(bound net-2.h5 global_lower)"
check "two runs on the same number of ranks give the same bits"

# ---- how it came about

good 1 info net-1.h5 --json
grep -q '"kind": "sign map"' out || wrong "JSON tells of no sign map"
expect "reason in the run file" "$(attribute net-1.h5 network/ended)" "$(json out ended network)"
good 1 info net-1.h5
grep -q '^network .*weight decay' out || wrong "info does not name the penalty"
grep -q 'rounds of column generation' out || wrong "info tells of no rounds"
# objectives fall from start to end and from round to round
paste <(values net-1.h5 /network/starts/start | tr ' ' '\n') <(values net-1.h5 /network/starts/end | tr ' ' '\n') |
  awk '$2 > $1 * (1 + 1e-12) { exit 1 }' || wrong "a local method ended above its start"
values net-1.h5 /network/rounds/objective | tr ' ' '\n' |
  awk 'NR > 1 && $1 > last * (1 + 1e-12) { exit 1 } { last = $1 }' || wrong "a round raised the objective"
check "starts and rounds are in the run file, and never rise"

# ---- local methods alone, and all of them

for init in random both; do
  good 2 train g.h5 data.bias=false data.scaling=none model.gates=30 model.beta=0.05 model.init=$init model.restarts=4 \
    model.width=20 network.method=both bounds.starts=128 output.run=$init.h5
  in_order $init.h5
done
expect "starts of both" "$(values both.h5 /network/starts/kind)" "0 1 2 3 4 3 4 3 4 3 4"
expect "starts of random" "$(values random.h5 /network/starts/kind)" "3 4 3 4 3 4 3 4"
expect "rounds of random" "$(shape random.h5 /network/rounds/round)" 0
lower=$(bound both.h5 global_lower)
for value in $(values both.h5 /network/starts/end) $(values random.h5 /network/starts/end); do
  at_most "the proved bound" "$lower" "$value"
done
at_most "the network after column generation" "$(bound both.h5 network)" "$(bound random.h5 network)"
expect_near "proved bracket" "$lower" "$(bound both.h5 network)" 1e-3
check "local methods from random starts, none below the proved bound"

# ---- several outputs, other losses

for loss in squared softmax logistic; do
  good 2 train c.h5 model.loss=$loss model.gates=20 model.beta=0.1 bounds.starts=128 bounds.max_seconds=3 \
    network.rounds=15 network.tolerance=1e-3 output.run=$loss.h5
  in_order $loss.h5
  good 1 evaluate $loss.h5 c.h5 --json
  expect_near "objective of $loss by evaluate" "$(json out objective relu)" "$(bound $loss.h5 network)" 1e-9
  expect_near "estimated bracket of $loss" "$(bound $loss.h5 global_lower_estimated)" "$(bound $loss.h5 network)" 2e-3
done
check "three outputs: squared, softmax, logistic"

# ---- halfspace bounds

good 2 bounds net-2.h5 all.h5 --json bounds.starts=300
expect "kind" "$(json out kind global_lower)" proved
expect_near "network" "$(json out value network)" "$(bound net-2.h5 network)" 1e-9
expect_near "global_lower" "$(json out value global_lower)" "$network" 3e-6
at_most "starts" 300 "$(json out starts global_lower_estimated)"
expect "training data" "$(json out training_data)" true
expect_near "stored" "$(bound net-2.h5 global_lower)" "$(json out value global_lower)" 1e-15
good 1 bounds net-1.h5 all.h5
grep -q 'global_lower  .*proved' log || wrong "no table"
[ ! -s out ] || wrong "a table on standard output"
check "bounds: table, JSON, stored in the run"

before=$(bound net-1.h5 global_lower)
good 1 bounds net-1.h5 r.test.h5 --json bounds.starts=64
grep -q 'not that of the training' log || wrong "no warning for other data"
expect "training data" "$(json out training_data)" false
expect "stored bound" "$(bound net-1.h5 global_lower)" "$before"
good 1 bounds net-1.h5 all.h5 --json bounds.max_seconds=0 bounds.starts=0
expect "proof without time" "$(json out value global_lower)" ""
expect "estimate without starts" "$(json out value global_lower_estimated)" ""
good 1 train all.h5 $quick model.activation=gated output.run=gated.h5
expect_code 2 1 bounds gated.h5 all.h5
grep -q 'model.activation=relu' log || wrong "gated: $(cat log)"
expect_code 3 2 bounds net-1.h5 missing.h5
expect_code 2 1 bounds net-1.h5
expect_code 3 1 bounds net-1.h5 c.h5
check "bounds: other data, nothing wanted, no network, mistakes"

# ---- nothing to train

good 2 train all.h5 model.gates=10 model.beta=2 output.run=zero.h5
expect "neurons at a large beta" "$(attribute zero.h5 bounds/network/kind)" attained
good 1 predict zero.h5 all.h5 p.h5
check "a beta so large that the network is zero"

# ---- a signal while the network is trained

slow="g.h5 data.bias=false data.scaling=none model.gates=30 model.beta=0.02 model.init=random model.restarts=400 model.width=60 bounds.max_seconds=0 bounds.starts=64"
"$program" train $slow output.run=stopped.h5 >out 2>stopped.log </dev/null &
process=$!
(sleep 60 && kill -KILL $process 2>/dev/null) &
guard=$!
for _ in $(seq 200); do
  grep -q 'random L-BFGS 2' stopped.log && break
  sleep 0.1
done
kill -USR2 $process
wait $process
code=$?
kill $guard
expect "exit code" $code 75
expect "stop" "$(attribute stopped.h5 status/stop)" signal
[ -s stopped.h5.ckpt ] || wrong "no checkpoint"
at_most "neurons" 1 "$(shape stopped.h5 /model/relu/W1 | awk -F', ' '{ print $2 }')"
good 1 train ${slow/restarts=400/restarts=3} output.run=whole.h5
good 1 train ${slow/restarts=400/restarts=3} output.run=stopped.h5
for set in /model/weights /model/relu/W1 /history/primal; do
  expect "$set of the resumed run" "$(values stopped.h5 $set)" "$(values whole.h5 $set)"
done
[ ! -e stopped.h5.ckpt ] || wrong "the checkpoint stays"
check "a signal during the network: saved, resumed, the same result"

finish
