#!/usr/bin/env bash
# halfspace plan: its memory against that of real runs, its sums, its JSON, and what it refuses.
#
#   tests/end/test_plan.sh PROGRAM
#
# Truth: the peak memory that train tells, the sizes in the run file, and arithmetic on the numbers of --json. No
# time is judged.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"

# Numbers of one column of a table of --json, a line each; everything stands on a line of its own.
column() { # FILE TABLE KEY
  awk -v table="$2" -v key="$3" '
    $0 ~ "^ *\"" table "\": \\[" { on = 1; next }
    on && /^ *\]/ { exit }
    on && $0 ~ "^ *\"" key "\": " { sub(/^[^:]*: /, ""); sub(/,$/, ""); gsub(/"/, ""); print }' "$1"
}

# Measured hastily: no time is judged.
plan() { good "$1" plan seconds=0.02 --json "${@:2}"; } # RANKS ARGUMENTS...

good 1 generate gaussian r.h5 n=30000 d=40 precision=double
good 1 generate gaussian c.h5 n=3000 d=5 task=classification
csv_classes 3000 5 7 >five.csv
good 1 import five.csv five.h5
check "data"

# ---- memory of real runs

# Peak over all ranks as train tells it, against the plan made on as many ranks; MB.
compare_memory() { # RANKS DATA SETTINGS...; within $tolerance
  local ranks=$1 data=$2 real planned kind
  shift 2
  rm -f run.h5*
  expect_code 4 "$ranks" train "$data" output.run=run.h5 model.activation=gated solver.max_iterations=12 solver.tolerance=1e-12 solver.newton=false "$@"
  cp log real.log
  real=$(sed -n 's/.*peak memory \([0-9]*\) MB.*/\1/p' log)
  plan "$ranks" "$data" "$@" --ranks="$ranks"
  planned=$(column out needs total_bytes | awk '{ print $1 / 1e6 }')
  expect_near "planned memory of $data on $ranks ranks" "$planned" "$real" "${tolerance:-0.2}"
  kind=$(sed -n 's/^x-update: \([a-z-]*\).*/\1/p' real.log)
  expect "x-update of $data on $ranks ranks" "$(column out needs x_update)" "$kind"
}

for ranks in 1 2 3; do
  compare_memory $ranks r.h5 model.gates=64
  check "memory on $ranks rank$([ $ranks = 1 ] || echo s) as planned"
done
compare_memory 1 r.h5 model.gates=200 solver.precision=single solver.block_rows=1500
check "memory in single precision, with large blocks, as planned"
compare_memory 2 five.h5 model.gates=100 model.loss=softmax
check "memory with five classes as planned"
compare_memory 1 r.h5 model.gates=64 solver.anderson=0
check "memory without acceleration as planned"


# The other kinds of x-update: of matrices that are more than the process itself.
for kind in global-gram block-gram; do
  tolerance=0.15 compare_memory 1 r.h5 model.gates=40 solver.x_update=$kind
  tolerance=0.15 compare_memory 2 r.h5 model.gates=40 solver.x_update=$kind
  check "memory of $kind within 15 % as planned"
done
tolerance=0.15 compare_memory 1 c.h5 model.gates=100 solver.x_update=global-kernel
check "memory of global-kernel within 15 % as planned"
tolerance=0.25 compare_memory 1 c.h5 model.gates=60 model.loss=logistic solver.x_update=global-gram
check "memory of a Gram matrix that changes as planned"
compare_memory 1 r.h5 model.gates=10
compare_memory 1 r.h5 model.gates=10 solver.block_rows=500
check "the x-update is that of training, automatic too"

# ---- what the plan says of the problem

rm -f run.h5*
expect_code 4 1 train five.h5 output.run=run.h5 model.activation=gated solver.max_iterations=3 model.gates=32 model.loss=softmax \
  solver.x_update=block-kernel
blocks=$(sed -n 's/.*block-kernel, \([0-9]*\) blocks.*/\1/p' log)
plan 1 five.h5 model.gates=32 model.loss=softmax solver.x_update=block-kernel --ranks=1,2
cp out plan.json
expect "rows" "$(json plan.json rows problem)" "3000"
expect "features" "$(json plan.json features problem)" "2"
expect "outputs" "$(json plan.json outputs problem)" "5"
expect "weights" "$(json plan.json weights problem)" "$((32 * 3 * 5))"
expect "blocks" "$(json plan.json blocks problem)" "$blocks"
expect "precision" "$(json plan.json precision problem)" "double"
expect "ranks" "$(column plan.json needs ranks | xargs)" "1 2"
check "the problem is that of training"

if have h5dump; then
  rm -f run.h5*
  expect_code 4 2 train r.h5 output.run=run.h5 model.activation=gated solver.max_iterations=6 model.gates=64
  plan 2 r.h5 --ranks=2 model.gates=64
  expect_near "bytes reduced" "$(column out needs reduced_bytes)" \
    "$(awk -v b="$(last_value run.h5 /history/comm_bytes)" 'BEGIN { print b / 6 }')" 1e-6
  check "bytes reduced in an iteration are those of a run"
else
  skip "bytes reduced in an iteration are those of a run" "h5dump is not installed"
fi

# ---- JSON

valid_json() { # FILE
  if have python3; then
    python3 -m json.tool "$1" >/dev/null 2>&1 || wrong "$1 is not JSON: $(head -c 200 "$1" | xargs)"
  fi
}
have python3 || skip "JSON by python3 -m json.tool" "python3 is not installed"
valid_json plan.json
expect "lines on stderr" "$(wc -l <log)" "0"
plan 3 rows=1000 features=3 model.gates=8
valid_json out
expect "ranks that measured" "$(json out ranks measured_by)" "3"
expect "source of the latency" "$(json out latency_source network)" "measured"
check "--json on 1 and 3 ranks"

# ---- sums

sums() { # FILE
  paste <(column "$1" time products) <(column "$1" time block_solves) <(column "$1" time vectors) \
    <(column "$1" time reductions) <(column "$1" time iteration) |
    awk '{ d = $1 + $2 + $3 + $4 - $5; if (d < 0) d = -d; if (d > 1e-9 * $5 || $1 <= 0) bad = 1 }
      END { exit bad || NR == 0 }' || wrong "the parts of an iteration do not add up"
  local table
  for table in first last; do
    paste <(column "$1" memory phase) <(column "$1" memory bytes_$table) |
      awk '{ if ($1 != "solving") l += $2; if ($1 != "loading") s += $2 } END { printf "%.0f %.0f\n", l, s }' >parts
    paste -d ' ' <(column "$1" needs loading_bytes) <(column "$1" needs solving_bytes) |
      { [ $table = first ] && head -n 1 || tail -n 1; } |
      awk '{ printf "%.0f %.0f\n", $1, $2 }' >whole
    cmp -s parts whole || wrong "the arrays of the $table rank count do not add up: $(cat parts) and $(cat whole)"
  done
  paste <(column "$1" needs loading_bytes) <(column "$1" needs solving_bytes) <(column "$1" needs memory_bytes) |
    awk '{ if ($3 != ($1 > $2 ? $1 : $2)) bad = 1 } END { exit bad }' || wrong "the peak is not the larger phase"
}
sums plan.json
check "parts add up to their totals"

# Twice the rows: twice the flops, arrays of rows twice as large; products are measured, so they are only alike.
for rows in 1e9 2e9; do
  plan 1 rows=$rows features=100 model.gates=256 --ranks=64:4096
  cp out $rows.json
done
sums 1e9.json
expect "ranks" "$(column 1e9.json needs ranks | xargs)" "64 128 256 512 1024 2048 4096"
paste <(column 1e9.json needs flops) <(column 2e9.json needs flops) <(column 1e9.json needs solving_bytes) \
  <(column 2e9.json needs solving_bytes) <(column 1e9.json time products) <(column 2e9.json time products) |
  awk 'function far(x, y, t) { return x / y < 1 - t || x / y > 1 + t }
    far($2, 2 * $1, 0.01) || (NR < 4 && far($4, 2 * $3, 0.02)) || $6 <= $5 { bad = NR } END { exit bad > 0 }' ||
  wrong "twice the rows are not twice the work"
expect_near "bytes of the features on 64 ranks" "$(column 1e9.json memory bytes_first | sed -n 3p)" \
  "$((1000000000 / 64 * 101 * 8))" 0.001
[ "$(column 1e9.json needs total_bytes | awk '{ exit !($1 > 1e12 && $1 < 4e12) }' && echo yes)" = yes ] ||
  wrong "1e9 rows in $(column 1e9.json needs total_bytes | head -n 1) bytes"
check "1e9 rows of 100 features on 64 to 4096 ranks"

# ---- options

plan 1 rows=5000 features=4 model.gates=8 solver.x_update=block-kernel --ranks=8 latency=0.5 bandwidth=1e3 reading=1e6
expect "latency" "$(json out latency network)" "0.5"
expect "source of the latency" "$(json out latency_source network)" "given"
# Two reductions of three steps there and back, and 2 * 7/8 of their bytes.
expect_near "reductions" "$(column out time reductions)" \
  "$(column out needs reduced_bytes | awk '{ print 6 + 1.75 * $1 / 1000 }')" 1e-6
expect_near "reading" "$(column out time read_seconds)" "0.32" 1e-6
plan 1 rows=5000 features=4 model.gates=8 --ranks=8 data.scaling=none reading=1e6
expect_near "reading once" "$(column out time read_seconds)" "0.16" 1e-6
check "latency, bandwidth and reading rate as given"

plan 1 r.h5 rows=60000 --ranks=1 model.gates=8
expect "rows" "$(json out rows problem)" "60000"
expect "features" "$(json out features problem)" "40"
printf 'data: {train: r.h5}\nmodel: {gates: 12}\n' >config.yaml
plan 1 config.yaml --ranks=1
expect "gates" "$(json out gates problem)" "12"
plan 1 config.yaml --ranks=1 model.gates=13 rows=10 features=2 outputs=3
expect "gates" "$(json out gates problem)" "13"
expect "features" "$(json out features problem)" "2"
expect "outputs" "$(json out outputs problem)" "3"
"$make_file" gates gates.h5 5 41 || wrong "$make_file cannot be run (make tests builds it)"
plan 1 r.h5 model.gates_from=gates.h5 --ranks=1
expect "gates" "$(json out gates problem)" "5"
check "sizes from a file, a configuration and the command line"

good 1 plan rows=1 features=1 model.gates=1
good 4 plan rows=2 features=1 data.bias=false model.gates=3 --ranks=2
good 1 plan c.h5 model.loss=logistic model.groups=per-output solver.anderson=0 --ranks=3
good 2 plan five.h5 model.loss=squared-hinge model.groups=nuclear solver.precision=single --ranks=1
good 1 plan r.h5 model.loss=huber --ranks=30000
for word in problem network rates: memory: needs: time: 'A u' 'block inverses' efficiency; do
  grep -q "$word" out || wrong "the tables do not hold \"$word\""
done
check "small and odd problems"

# ---- errors

# Faults of one kind come out of the same place: `on=1` leaves out the run on 2 ranks.
refuse() { # CODE TEXTS ARGUMENTS...
  local code=$1 texts=$2 ranks text
  shift 2
  for ranks in ${on:-1 2}; do
    expect_code "$code" $ranks plan "$@"
    [ "$(grep -c '^halfspace: error: ' log)" = 1 ] || wrong "plan $* printed $(grep -c 'error: ' log) errors"
    [ -s out ] && wrong "plan $* printed results"
    while read -r -d '|' text; do
      grep -qF -e "$text" log || wrong "plan $* said \"$(cat log)\", not \"$text\""
    done <<<"$texts|"
  done
}
given="rows=100 features=3"
refuse 2 "no data|rows=" --json
on=1 refuse 2 "features|not given" rows=100
on=1 refuse 2 "no data" features=3
refuse 3 "nowhere.h5|No such file" nowhere.h5
on=1 refuse 2 "nowhere.yaml|No such file" nowhere.yaml
printf 'model: {gates: 12}\n' >bare.yaml
on=1 refuse 2 "data.train" bare.yaml
"$make_file" gates narrow.h5 5 3
refuse 3 "narrow.h5: gates|41 columns" r.h5 model.gates_from=narrow.h5
on=1 refuse 3 "r.h5: gates|missing" r.h5 model.gates_from=r.h5
check "no data, and gates that do not fit"

# Words of their own.
# shellcheck disable=SC2086
{
  refuse 2 "modle.gates|model.gates" $given modle.gates=3
  on=1 refuse 2 "row|rows" $given row=3
  on=1 refuse 2 "latencey|latency" $given latencey=3
  on=1 refuse 2 "--rank|--ranks" $given --rank=3
  on=1 refuse 2 "--jason|--json" $given --jason
  on=1 refuse 2 "c.h5|too many" r.h5 c.h5
}
check "unknown keys and flags, and a word too many"

# shellcheck disable=SC2086
for list in "" 0 -1 x 4:2 1,,2 1.5 "2," 99999999999; do
  refuse 2 "--ranks" $given --ranks=$list
done
# shellcheck disable=SC2086
{
  on=1 refuse 2 "--ranks" $given --ranks
  on=1 refuse 2 "101 ranks|100 rows" $given --ranks=1,101
}
check "rank lists that are none"

# shellcheck disable=SC2086
{
  refuse 2 "rows|1.5" rows=1.5 features=3
  on=1 refuse 2 "rows|0" rows=0 features=3
  on=1 refuse 2 "rows" rows=1e30 features=3
  on=1 refuse 2 "features|many" rows=10 features=many
  on=1 refuse 2 "outputs|-1" $given outputs=-1
  on=1 refuse 2 "latency|-1" $given latency=-1
  on=1 refuse 2 "bandwidth|0" $given bandwidth=0
  on=1 refuse 2 "reading|inf" $given reading=inf
  on=1 refuse 2 "model.gates|0" $given model.gates=0
  on=1 refuse 2 "outputs|softmax" $given model.loss=softmax
  on=1 refuse 2 "solver.anderson|50" $given solver.anderson=60
  on=1 refuse 2 "solver.block_rows|40000" rows=1e9 features=3 solver.block_rows=100000
  on=1 refuse 2 "weights" rows=1e9 features=100000 outputs=1000
}
check "values that are none"

finish
