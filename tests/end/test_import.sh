#!/usr/bin/env bash
# halfspace import, from small files made here to the data files that it writes, read with h5dump.
#
#   tests/end/test_import.sh PROGRAM
#
# A case prints "ok NAME", "not ok NAME: reason" or "skip NAME: reason"; the last line sums up.
# shellcheck source=tests/support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"

run() { timeout 60 "$program" import "$@" >log 2>&1 || wrong "import $* gave $?: $(tail -n 1 log)"; }

# Must fail with this exit code, say this, and leave nothing behind.
refuse() { # CODE TEXT ARGUMENTS...
  local code=$1 text=$2 got
  shift 2
  rm -f bad.h5 bad.test.h5
  timeout 60 "$program" import "$@" >log 2>&1
  got=$?
  [ $got = "$code" ] || wrong "import $* gave $got, not $code: $(tail -n 1 log)"
  grep -qF -e "$text" log || wrong "import $* said \"$(tail -n 1 log)\", not \"$text\""
  for left in bad.h5 bad.test.h5 ./*.part ./*.h5.*; do
    [ -e "$left" ] && wrong "import $* left $left behind"
  done
}

column() { tr ' ' '\n'; }
rows_of_4() { column | paste -d ' ' - - - -; }

expect() { # FILE SET VALUES
  local found
  found=$(values "$1" "$2")
  [ "$found" = "$3" ] || wrong "$1$2 is \"$found\", not \"$3\""
}

expect_attribute() { # FILE NAME VALUES
  local found
  found=$(attribute "$1" "$2")
  [ "$found" = "$3" ] || wrong "$1 $2 is \"$found\", not \"$3\""
}

shape() { h5dump -H -d "$2" "$1" 2>/dev/null | sed -n 's/.*DATASPACE *SIMPLE { ( \(.*\) ) \/.*/\1/p'; }
expect_shape() { # FILE SET SHAPE
  [ "$(shape "$1" "$2")" = "$3" ] || wrong "$1$2 has shape \"$(shape "$1" "$2")\", not \"$3\""
}

same() { # FILE FILE
  for set in /features /targets; do
    [ -n "$(values "$1" $set)" ] || wrong "$1 has no $set"
    [ "$(values "$1" $set)" = "$(values "$2" $set)" ] || wrong "$1 and $2 differ in $set"
  done
}

# ---- delimited text

printf 'width,height,kind\n1.5,2,b\n-3,4e2,a\n0.1,.25,b\n' >header.csv
run header.csv out.h5 shuffle=0
expect out.h5 /features "1.5 2 -3 400 0.10000000000000001 0.25"
expect out.h5 /targets "1 0 1"
expect_attribute out.h5 classes "a b"
expect_attribute out.h5 names "width height"
expect_attribute out.h5 target_names "kind"
expect_attribute out.h5 task "classification"
expect_attribute out.h5 source "header.csv"
h5dump -H -d /targets out.h5 | grep -q H5T_STD_I64LE || wrong "targets are not 64-bit integers"
h5dump -H -d /features out.h5 | grep -q H5T_IEEE_F64LE || wrong "features are not doubles"
check "csv with header and text labels"

printf '\357\273\277a;b;y\r\n"1";"2";0.5\r\n3;4;1.5\r\n\r\n\r\n' >windows.csv
run windows.csv out.h5 shuffle=0
expect out.h5 /features "1 2 3 4"
expect out.h5 /targets "0.5 1.5"
expect_attribute out.h5 task "regression"
expect_attribute out.h5 names "a b"
check "byte order mark, CRLF, semicolons, quotes, blank lines at the end"

printf '1\t2\tx y\n3\t4\tz' >tabs.tsv
printf '  1   2 x\n3 4\t z  \n' >blanks.txt
run tabs.tsv out.h5 shuffle=0
expect out.h5 /features "1 2 3 4"
expect_attribute out.h5 classes "x y z"
run blanks.txt out.h5 shuffle=0
expect out.h5 /features "1 2 3 4"
check "tabs and blanks, no line end at the end"

printf '1,2,"a ""b"", c"\n3,4,d\n' >quotes.csv
run quotes.csv out.h5 shuffle=0
h5dump -a classes out.h5 | grep -qF 'a "b", c' || h5dump -a classes out.h5 | grep -qF 'a \"b\", c' ||
  wrong "the quoted label is not among the classes"
check "quoted fields"

printf 'M,17,7,1\nB,20,8,2\nB,21,9,3\n' >first.csv
run first.csv out.h5 label=first drop=3 shuffle=0
expect out.h5 /features "17 1 20 2 21 3"
expect out.h5 /targets "1 0 0"
run first.csv out.h5 label=3,2 drop=first shuffle=0
expect out.h5 /features "1 2 3"
expect out.h5 /targets "7 17 8 20 9 21"
expect_attribute out.h5 task "regression"
run first.csv out.h5 label=none drop=1 names=u,v,w shuffle=0
expect out.h5 /features "17 7 1 20 8 2 21 9 3"
expect_attribute out.h5 names "u v w"
h5dump -H out.h5 | grep -q '"targets"' && wrong "label=none wrote targets"
check "label, drop and names"

awk 'BEGIN { for (i = 0; i < 10; i++) print i "," (i % 2 ? "+1" : "-1") }' >signs.csv
awk 'BEGIN { for (i = 0; i < 10; i++) print i "," (i % 3 == 0 ? 10 : i % 3 == 1 ? 9 : "9.0") }' >tens.csv
run signs.csv out.h5 shuffle=0
expect_attribute out.h5 classes "-1 +1"
run tens.csv out.h5 shuffle=0
expect_attribute out.h5 classes "9 10"
expect out.h5 /targets "1 0 0 1 0 0 1 0 0 1"
run tens.csv out.h5 shuffle=0 task=regression
expect out.h5 /targets "10 9 9 10 9 9 10 9 9 10"
awk 'BEGIN { for (i = 0; i < 10; i++) print i "," 5 * i }' >many.csv
run many.csv out.h5
expect_attribute out.h5 task "regression"
check "task and numeric classes"

printf 'color,size,y\nred,1,a\ngreen,2,b\nred,3,a\n' >color.csv
run color.csv out.h5 onehot=color shuffle=0
expect out.h5 /features "0 1 1 1 0 2 0 1 3"
expect_attribute out.h5 names "color=green color=red size"
check "onehot"

# ---- compression, by content

gzip -c header.csv >packed
{ head -n 2 header.csv | gzip -c && tail -n +3 header.csv | gzip -c; } >members.gz
run header.csv plain.h5 shuffle=0
run packed out.h5 shuffle=0 && same plain.h5 out.h5
run members.gz out.h5 shuffle=0 && same plain.h5 out.h5
head -c 40 packed >cut.gz
refuse 3 "truncated" cut.gz bad.h5
check "gzip"

if command -v bzip2 >/dev/null; then
  bzip2 -c header.csv >packed2
  run packed2 out.h5 shuffle=0 && same plain.h5 out.h5
  head -c 40 packed2 >cut.bz2
  refuse 3 "truncated" cut.bz2 bad.h5
  check "bzip2"
else
  skip "bzip2" "no bzip2 program here to make the input"
fi

# ---- LIBSVM

printf '+1 1:0.5 3:2 # note\n-1 2:1   \n\n+1\n' >train.svm
printf -- '-1 4:7\n+1 1:1\n' >test.svm
run train.svm out.h5 shuffle=0
expect out.h5 /features "0.5 0 2 0 1 0 0 0 0"
expect out.h5 /targets "1 0 1"
run train.svm out.h5 shuffle=0 features=4
expect_shape out.h5 /features "3, 4"
run train.svm test.svm pair.h5
expect_shape pair.h5 /features "3, 4"
expect pair.test.h5 /features "0 0 0 7 1 0 0 0"
expect pair.test.h5 /targets "0 1"
run test.svm like.h5 like=pair.h5 shuffle=0
same like.h5 pair.test.h5
check "LIBSVM, pairs and like"

printf '1 0:2\n' >zero.svm
printf '1 2:1 2:1\n' >twice.svm
printf '2 1:1\n-1 2:1\n' >other.svm
refuse 3 "line 1: \"0:2\" has index 0" zero.svm bad.h5
refuse 3 "does not ascend" twice.svm bad.h5
refuse 3 "above the 2 features" train.svm bad.h5 features=2
refuse 3 "\"2\" is not among the 2 classes of train.svm" train.svm other.svm bad.h5
check "faulty LIBSVM"

# ---- IDX and NPY

idx() { # two images of 2 x 2 and their labels
  printf '\0\0\010\003\0\0\0\002\0\0\0\002\0\0\0\002\001\002\003\004\005\006\377\0' >images
  printf '\0\0\010\001\0\0\0\002\007\003' >labels
}
idx
gzip -c images >images.gz
for images in images images.gz; do
  run $images labels out.h5 shuffle=0
  expect out.h5 /features "1 2 3 4 5 6 255 0"
  expect out.h5 /targets "1 0"
  expect_attribute out.h5 classes "3 7"
done
expect_attribute out.h5 features/unit "common"
h5dump -H -d /features out.h5 | grep -q H5T_IEEE_F32LE || wrong "features are not float32"
run labels images out.h5 shuffle=0 && expect out.h5 /targets "1 0"
run images labels images.gz labels out.h5
expect out.test.h5 /features "1 2 3 4 5 6 255 0"
printf '\0\0\013\002\0\0\0\002\0\0\0\001\377\376\001\0' >shorts
run shorts labels out.h5 shuffle=0 && expect out.h5 /features "-2 256"
head -c 22 images >cut-images
printf '\0\0\010\001\0\0\0\003\007\003\001' >three
printf '\0\001\010\001\0\0\0\002\007\003' >magic
refuse 3 "truncated" cut-images labels bad.h5
refuse 3 "3 labels for 2 rows" images three bad.h5
refuse 3 "wrong magic number 00010801" images magic bad.h5
check "IDX"

npy() { # FILE DESCR ORDER SHAPE; the data comes from standard input
  local text="{'descr': '$2', 'fortran_order': $3, 'shape': ($4), }"
  {
    printf '\223NUMPY\001\0\166\0'
    printf '%-117s\n' "$text"
    cat
  } >"$1"
}
printf '\001\0\002\0\003\0\004\0\005\0\377\377' | npy c.npy '<i2' False '3, 2'
printf '\001\0\003\0\005\0\002\0\004\0\377\377' | npy f.npy '<i2' True '3, 2'
printf '\0\0\0\0\0\0\360\077\0\0\0\0\0\0\0\300\0\0\0\0\0\0\340\077' | npy y.npy '<f8' False '3,'
gzip -c f.npy >f.npy.gz
for x in c.npy f.npy f.npy.gz; do
  run $x y.npy out.h5 shuffle=0
  expect out.h5 /features "1 2 3 4 5 -1"
  expect out.h5 /targets "1 -2 0.5"
done
run c.npy out.h5 label=first task=regression shuffle=0
expect out.h5 /features "2 4 -1"
printf '\0\0\200\177\0\0\200\077' | npy inf.npy '<f4' False '2, 1'
refuse 3 "row 1, column 1: inf is not a finite number" inf.npy bad.h5
head -c 130 c.npy >cut.npy
refuse 3 "truncated" cut.npy bad.h5
check "NPY"

# ---- order

awk 'BEGIN { srand(1); for (i = 0; i < 5000; i++) print i "," i * i % 977 "," rand() "," 2 * i "," i % 3 }' >rows.csv
run rows.csv memory.h5 split=0.21
run rows.csv file.h5 split=0.21 memory=0.02 deflate=3
run rows.csv again.h5 split=0.21
run rows.csv other.h5 split=0.21 shuffle=2
same memory.h5 file.h5
same memory.test.h5 file.test.h5
same memory.h5 again.h5
expect_shape memory.h5 /features "3950, 4"
expect_shape memory.test.h5 /features "1050, 4"
[ "$(values memory.h5 /features)" != "$(values other.h5 /features)" ] || wrong "the seed changes nothing"
for part in memory.h5 memory.test.h5; do
  values $part /features | rows_of_4 >columns
  values $part /targets | column | paste -d ' ' columns -
done | awk '{ if ($4 != 2 * $1 || $5 != $1 % 3 || $2 != $1 * $1 % 977) bad = "a row was torn apart"
              if (seen[$1]++) bad = "a row came twice"
              if (NR > 1 && $1 == last + 1) steps++
              last = $1 }
            END { if (NR != 5000) bad = NR " rows"
                  if (steps > 50) bad = "rows were not shuffled"
                  print bad }' >verdict
[ -z "$(cat verdict)" ] || wrong "$(cat verdict)"
check "shuffle and split, in memory and through a file"

run rows.csv kept.h5 split=0.21 shuffle=0
for part in kept.h5 kept.test.h5; do
  values $part /features | rows_of_4 | awk '$1 < last { bad = 1 } { last = $1 } END { exit bad }' || wrong "$part lost its order"
done
[ "$(values kept.test.h5 /features | rows_of_4 | sort)" = "$(values memory.test.h5 /features | rows_of_4 | sort)" ] ||
  wrong "the split depends on the shuffle"
check "split without shuffle"

# ---- faults: exit code, message, nothing left behind

printf 'a,b,y\n1,2,0\n3,abc,1\n' >text.csv
printf '1,2,0\n3,4\n' >ragged.csv
printf '1,2,0\n3,nan,1\n' >nan.csv
printf '1,2,0\n,4,1\n' >hole.csv
printf '1,2,0\n3,?,1\n' >question.csv
printf '1,2,0\n3,1e999,1\n' >huge.csv
printf '1,2,0\n3,4,NA\n' >nolabel.csv
printf 'a,b,y\n' >norows.csv
printf '' >empty.csv
printf '1,"2,0\n3,4,1\n' >open.csv
refuse 3 'text.csv: line 3, column 2 (b): "abc" is not a number (drop=b leaves the column out' text.csv bad.h5
refuse 3 "line 2 has 2 fields, the lines before have 3" ragged.csv bad.h5
refuse 3 "line 2, column 2: \"nan\" is a missing" nan.csv bad.h5
refuse 3 "line 2, column 1: \"\" is a missing" hole.csv bad.h5
refuse 3 "line 2, column 2: \"?\" is a missing" question.csv bad.h5
refuse 3 "line 2, column 2: \"1e999\" is beyond" huge.csv bad.h5
refuse 3 "line 2, column 3: \"NA\" as label" nolabel.csv bad.h5
refuse 3 "zero rows" norows.csv bad.h5
refuse 3 "zero rows" empty.csv bad.h5
refuse 3 "line 1: a quote is opened" open.csv bad.h5
refuse 3 "No such file" missing.csv bad.h5
refuse 3 'no column "knd" (nearest: kind)' header.csv bad.h5 label=knd
refuse 3 "is an HDF5 file" out.h5 bad.h5
check "bad data"

refuse 2 "unknown key (nearest: label" header.csv bad.h5 lable=kind
refuse 2 "split" header.csv bad.h5 split=2
refuse 2 "leaves one part empty" header.csv bad.h5 split=0.01
refuse 2 "given twice" header.csv bad.h5 split=0.3 split=0.3
refuse 2 "must end in .h5" header.csv ragged.csv
refuse 2 "has no meaning for LIBSVM" train.svm bad.h5 header=true
refuse 2 "4 names for 2 features" header.csv bad.h5 names=a,b,c,d
check "bad usage"

refuse 6 "cannot be written" header.csv no-folder/bad.h5
cp plain.h5 old.h5
for keys in shuffle=1 shuffle=0 deflate=1 memory=0.02; do
  (
    trap '' XFSZ # a write beyond the limit then fails as on a full disk
    ulimit -f 8
    timeout 60 "$program" import rows.csv old.h5 $keys >log 2>&1
  )
  code=$?
  [ $code = 6 ] || wrong "a full disk with $keys gave $code: $(tail -n 1 log)"
  [ -e old.h5.part ] && wrong "old.h5.part was left behind"
  cmp -s plain.h5 old.h5 || wrong "the old file was changed"
done
cp plain.h5 old.h5
timeout 60 "$program" import text.csv old.h5 >log 2>&1 && wrong "text.csv was taken"
cmp -s plain.h5 old.h5 || wrong "bad data changed the old file"
check "output that cannot be written, old files kept"

# One slip in a quantity, and the same in a column of names.
csv_regression 200 1 >slip.csv
sed -i '57s/,[^,]*$/,oops/' slip.csv
refuse 3 'line 57, label: "oops" is no number, unlike the others' slip.csv bad.h5
good 1 import slip.csv slip.h5 task=classification
awk -F, -v OFS=, 'NR > 1 { $NF = NR % 3 ? NR % 3 : "other" } NR <= 60' slip.csv >names.csv
good 1 import names.csv names.h5
grep -q '^classes: 3 ' log || wrong "not three classes: $(grep classes log)"
check "a text among many numbers is refused, names beside a few numbers are classes"

finish
