#!/usr/bin/env bash
# Rounds that search for gates: the objective falls and never rises, the run file tells of each round, and a run in
# pieces is the run in one go, bit for bit, wherever it was cut.
#
#   test_gate_rounds.sh PROGRAM
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=../support/runs.sh
. "$support/runs.sh"

good 1 generate gaussian g.h5 n=300 d=4
good 1 generate gaussian c.h5 n=200 d=3 task=classification
check "the data sets of this test"

rounds="model.activation=gated model.gates=8 model.gate_rounds=4 model.gate_batch=6 model.gate_add=4 solver.tolerance=1e-6"

# ---- one run

# Objectives that never rise, each the one of its row of history and above its bound; gates that add up.
sound_rounds() { # RUN
  local name
  for name in round gates active added iteration best_price objective dual seconds; do
    [ "$(values "$1" /gate_rounds/$name | wc -w)" = "$(values "$1" /gate_rounds/round | wc -w)" ] ||
      wrong "/gate_rounds/$name is not complete"
  done
  paste <(values "$1" /gate_rounds/gates | tr ' ' '\n') <(values "$1" /gate_rounds/active | tr ' ' '\n') \
    <(values "$1" /gate_rounds/added | tr ' ' '\n') <(values "$1" /gate_rounds/objective | tr ' ' '\n') \
    <(values "$1" /gate_rounds/dual | tr ' ' '\n') <(values "$1" /gate_rounds/best_price | tr ' ' '\n') |
    awk 'NF < 6 { next }
      $2 > $1 || $4 < $5 * (1 - 1e-12) || (NR > 1 && ($1 != kept || $4 > before)) || ($3 > 0 && !($6 > 1)) { bad = 1 }
      { kept = $2 + $3; before = $4 }
      END { exit bad }' || wrong "the rounds of $1 do not add up"
  expect_near "the objective of the last round" "$(last_value "$1" /gate_rounds/objective)" "$(last_value "$1" /history/primal)" 1e-12
}

# shellcheck disable=SC2086
good 2 train g.h5 $rounds model.gate_rounds=0 output.run=plain.h5
! values plain.h5 /gate_rounds/round | grep -q . || wrong "a run without rounds tells of rounds"
! { good 1 info plain.h5 && grep -q '^rounds' out; } || wrong "info tells of rounds that were not"
# shellcheck disable=SC2086
good 2 train g.h5 $rounds output.run=priced.h5
sound_rounds priced.h5
expect "lines of rounds" "$(grep -c '^round [0-9]* *: ' log)" "$(values priced.h5 /gate_rounds/round | wc -w)"
awk -v a="$(last_value plain.h5 /history/primal)" -v b="$(last_value priced.h5 /history/primal)" 'BEGIN { exit !(b < 0.95 * a) }' ||
  wrong "20 priced gates are no better: $(last_value plain.h5 /history/primal), then $(last_value priced.h5 /history/primal)"
awk -v g="$(last_value priced.h5 /history/relative_gap)" 'BEGIN { exit !(g <= 1e-6) }' || wrong "the last round is not solved"
check "rounds lower the objective, and are told of"

for run in plain priced; do
  good 1 info $run.h5 --json
  eval "beta_$run='$(json out beta) $(json out beta_max)'"
done
# shellcheck disable=SC2154
expect "beta and beta_max" "$beta_priced" "$beta_plain"
good 1 info priced.h5
grep -q '^rounds    5, gates searched by the gated price' out || wrong "info: $(grep rounds out | head -n 1)"
check "beta is that of the first gates; info"

# shellcheck disable=SC2086
good 1 train g.h5 $rounds output.run=one.h5
expect_near "objective on one rank" "$(last_value one.h5 /history/primal)" "$(last_value priced.h5 /history/primal)" 1e-5
expect "gates on one rank" "$(values one.h5 /gate_rounds/active)" "$(values priced.h5 /gate_rounds/active)"
check "the same gates on one rank and on two"

good 1 train g.h5 model.activation=gated model.gates=8 model.beta=0.95 model.gate_rounds=3 model.gate_add=1 model.gate_batch=1 model.price=relu output.run=few.h5
sound_rounds few.h5
expect_code 2 1 path g.h5 model.gates=8 model.gate_rounds=1 output.run=path.h5
grep -q 'model.gate_rounds = 1: a path keeps to the gates' log || wrong "message: $(head -n 1 log)"
check "few gates at a large beta; a path refuses rounds"

# ---- in pieces

same_rounds() { # RUN RUN
  local name
  same_run "$1" "$2"
  for name in round gates active added iteration best_price objective dual; do
    [ "$(values "$1" /gate_rounds/$name)" = "$(values "$2" /gate_rounds/$name)" ] ||
      wrong "/gate_rounds/$name differs between $1 and $2"
  done
}

# Stops within the first round, at the end of rounds, and within later ones; with few=1 at two ends and within one. The last
# round is left alone: a polish may finish what a budget has cut off.
pieces() { # RANKS SETTINGS...
  local ranks=$1 most total ends stops
  shift
  rm -f whole.h5* parts.h5*
  good "$ranks" train "$@" output.run=whole.h5
  sound_rounds whole.h5
  [ ! -e whole.h5.ckpt ] || wrong "a converged run left its checkpoint"
  total=$(last_value whole.h5 /history/iteration)
  read -ra ends <<<"$(values whole.h5 /gate_rounds/iteration)"
  [ "${#ends[@]}" -ge 3 ] || wrong "only ${#ends[@]} rounds: too few for a test"
  stops=("${ends[0]}" $((ends[1] - 1)) "${ends[-2]}")
  [ -n "${few:-}" ] || stops=(3 "${ends[0]}" $((ends[0] + 1)) $((ends[1] - 1)) "${ends[1]}" $((ends[1] + 4)) $((total - 1)))
  for most in "${stops[@]}"; do
    expect_code 4 "$ranks" train "$@" output.run=parts.h5 solver.max_iterations="$most"
    [ -s parts.h5.ckpt ] || wrong "no checkpoint after $most iterations"
    expect "iterations" "$(last_value parts.h5 /history/iteration)" "$most"
  done
  good "$ranks" train "$@" output.run=parts.h5
  [ ! -e parts.h5.ckpt ] || wrong "the checkpoint was not removed"
  same_rounds whole.h5 parts.h5
}

# shellcheck disable=SC2086
for ranks in 1 3; do
  pieces $ranks g.h5 $rounds solver.block_rows=40
done
check "rounds in pieces: the same bits"
# shellcheck disable=SC2086
few=1 pieces 2 g.h5 $rounds solver.x_update=global-gram
# shellcheck disable=SC2086
few=1 pieces 2 g.h5 $rounds model.price=relu solver.block_rows=40
check "reduced rows, and gates by the ReLU price, in pieces: the same bits"
# shellcheck disable=SC2086
few=1 pieces 1 c.h5 $rounds model.loss=logistic solver.precision=single solver.tolerance=1e-5 model.gate_rounds=2
check "logistic loss in single precision, in pieces: the same bits"
# shellcheck disable=SC2086
few=1 pieces 2 g.h5 $rounds solver.polish=true
expect "polish" "$(attribute whole.h5 status/polish_end)" "$(attribute parts.h5 status/polish_end)"
check "polished at the end, in pieces: the same bits"

# shellcheck disable=SC2086
good 1 train g.h5 $rounds output.run=clock.h5 output.checkpoint_seconds=0.0001
[ "$(grep -c 'checkpoint written' log)" -ge 5 ] || wrong "few checkpoints"
same_rounds one.h5 clock.h5
check "checkpoints by the clock, also between rounds, change nothing"

read -ra ends <<<"$(values one.h5 /gate_rounds/iteration)"
for most in 4 "${ends[1]}" $((ends[2] + 2)); do
  rm -f moved.h5*
  # shellcheck disable=SC2086
  expect_code 4 2 train g.h5 $rounds output.run=moved.h5 solver.max_iterations=$most
  # shellcheck disable=SC2086
  good 3 train g.h5 $rounds output.run=moved.h5
  grep -q 'another number of ranks' log || wrong "does not tell of other ranks"
  sound_rounds moved.h5
  expect_near "objective on other ranks" "$(last_value moved.h5 /history/primal)" "$(last_value one.h5 /history/primal)" 1e-5
  expect "rows" "$(last_value moved.h5 /history/iteration)" "$(values moved.h5 /history/iteration | wc -w)"
done
check "resumed on another number of ranks"

finish
