#!/bin/sh
# Which branches tools/branches-not-taken misses, and which reasons it takes.
#
#   branches_command_test.sh PROGRAM
. "$(dirname "$0")/output_of_a_program.sh"
dir=$(mktemp -d)
trap 'rm -rf "$out" "$dir"' EXIT
program=$1
cd "$dir"
mkdir core build
ln -s .. build/include
cat > core/a.cpp << 'SOURCE'
if (a)
  b();
if (c) // unreached: c is always there
  d();
// unreached: as its neighbour below
if (e
    && f)
  g();
assert(h);
if (i)
  j();
SOURCE

# report LINE...: as gcovr tells of these, each with a branch that was not taken,
# as nothing was thrown if $throws.
throws=false
report() {
  lines=
  for line; do
    lines="$lines${lines:+,}{\"line_number\":$line,\"branches\":[{\"count\":3,\"throw\":false},{\"count\":0,\"throw\":$throws}]}"
  done
  echo "{\"files\":[{\"file\":\"build/include/core/a.cpp\",\"lines\":[$lines]}]}"
}

# expect STATUS LINE...: of the files of $pattern.
expect() {
  expected=$1
  shift
  status=0
  report "$@" | "$program" "$pattern" > "$out" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "lines $* end with $status"
}

pattern='core/a.*'
expect 0 3 6 7 9
[ "$(cat "$out")" = '4 of 7 branches are taken, 3 say why not' ] || fail 'not 4 of 7'
expect 1 1 3 10
grep -q -x 'core/a.cpp:1: 1 of 2 branches not taken: if (a)' "$out" || fail 'no line 1'
grep -q -x 'core/a.cpp:10: 1 of 2 branches not taken: if (i)' "$out" || fail 'no line 10'
[ "$(wc -l < "$out")" -eq 3 ] || fail 'not two lines and the sum'
throws=true
expect 0 1 3 10
[ "$(cat "$out")" = '3 of 3 branches are taken, 0 say why not' ] || fail 'not 3 of 3'
pattern='core/b.*'
expect 2 1
[ "$(cat "$out")" = 'core/b.* is in no report of gcovr' ] || fail 'no word of b'
