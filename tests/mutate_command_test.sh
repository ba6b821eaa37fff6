#!/bin/sh
# What tools/mutate says of mutants, and where it says nothing at all. On a
# project whose build and tests are scripts.
#
#   mutate_command_test.sh PROGRAM
. "$(dirname "$0")/output_of_a_program.sh"
dir=$(mktemp -d)
trap 'rm -rf "$out" "$dir"' EXIT

mkdir -p "$dir/tools" "$dir/core" "$dir/bin" "$dir/tests/mutation"
cp "$1" "$dir/tools/mutate"
# It has tests of all names that are looked for.
for test in "$(dirname "$0")"/*_test.cpp; do
  : > "$dir/tests/${test##*/}"
done
echo 'bool breaks = false; // the build, if anything else' > "$dir/core/breaks.cpp"
echo 'int hangs = 1 + 1;' > "$dir/core/hangs.cpp"
# What is planted is not ours to change.
printf '%s\n' 'if (STEWARD_PLANTED(bug))' '  for (;;)' '    x = 1 + 1;' 'y();' \
  > "$dir/core/planted.cpp"
cat > "$dir/core/sample.cpp" << 'SOURCE'
int killed = 2 + 1;
int survives = 3 + 1;
int known = 4 + 1;
SOURCE
echo 'core/sample.cpp | int known = 4 + 1; | + 1 -> nothing | it is known' \
  > "$dir/tests/mutation/equivalent.txt"

# Makes tests that do what the sources say, and what the files here do:
#   sick   a test fails
#   races  one mutant is seen by the exploration only
#   fills  a build that fails leaves no space for any other
cat > "$dir/bin/cmake" << 'CMAKE'
#!/bin/sh
[ "$1" = --build ] || exit 0
build=$2
shift 5
core=$build/../src/core
[ ! -e "$here/full" ] || exit 1
if ! grep -q '= false;' "$core/breaks.cpp"; then
  [ ! -e "$here/fills" ] || : > "$here/full"
  exit 1
fi
mkdir -p "$build/tests"
for target; do
  echo '#!/bin/sh' > "$build/tests/$target"
  chmod +x "$build/tests/$target"
done
if [ "$target" = steward_explore ]; then
  [ ! -e "$here/races" ] || grep -q '3 + 1' "$core/sample.cpp" \
    || echo exit 1 >> "$build/tests/steward_explore"
  exit 0
fi
grep -q '2 + 1' "$core/sample.cpp" || echo exit 1 >> "$build/tests/slot_test"
[ ! -e "$here/sick" ] || echo exit 1 >> "$build/tests/shelf_test"
grep -q '1 + 1' "$core/hangs.cpp" \
  || echo 'echo $$ > "$here/hangs"; sleep 600 & wait' >> "$build/tests/slot_test"
CMAKE
chmod +x "$dir/bin/cmake"
git -C "$dir" init -q
git -C "$dir" add core tools
export here="$dir"
PATH=$dir/bin:$PATH

# mutate STATUS SOURCE... [-- OPTION...]: ends with the STATUS.
mutate() {
  expected=$1
  shift
  status=0
  "$dir/tools/mutate" --sample 0 --jobs 1 --files "$@" > "$out" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "$* ends with $status"
}

said() {
  grep -q -x -F -e "$1" "$out" || fail "it does not say: $1"
}

# says_nothing WHY: of no mutant does it say that it was killed.
says_nothing() {
  tail -n 1 "$out" | grep -q -F -e "mutate: $1" || fail "it does not say: $1"
  if grep -q '^killed' "$out"; then
    fail 'a mutant counts as killed'
  fi
}

mutate 0 'core/*.cpp' --list
said '5 of 5 mutants'

mutate 1 core/sample.cpp core/breaks.cpp
said 'killed     core/sample.cpp:1: + 1 -> nothing  (by slot_test)'
said 'survived   core/sample.cpp:2: + 1 -> nothing  (int survives = 3 + 1;)'
said 'equivalent core/sample.cpp:3: + 1 -> nothing  (it is known)'
said 'invalid    core/breaks.cpp:1: false -> true  (does not compile)'
said '1 killed, 1 equivalent, 1 survived, 1 invalid'
mutate 0 core/breaks.cpp
said '0 killed, 0 equivalent, 0 survived, 1 invalid'
mutate 0 core/hangs.cpp --time-min 1
said 'killed     core/hangs.cpp:1: + 1 -> nothing  (by slot_test, which did not end in 1 s)'
rm "$dir/hangs"
: > "$dir/races"
mutate 0 core/sample.cpp
said 'killed     core/sample.cpp:2: + 1 -> nothing  (by steward_explore)'
mutate 1 core/sample.cpp --core
said 'survived   core/sample.cpp:2: + 1 -> nothing  (int survives = 3 + 1;)'
rm "$dir/races"

# -- where nothing is known ---------------------------------------------------

mutate 2 core/nowhere.cpp
says_nothing '--files match no source'
mutate 2 core/sample.cpp --space-min 1000000000
says_nothing "$dir/build/mutate has "
: > "$dir/full"
mutate 2 core/sample.cpp
says_nothing 'the sources do not compile without any mutant; see '
rm "$dir/full"
: > "$dir/sick"
mutate 2 core/sample.cpp
says_nothing 'a mutant would be killed by shelf_test, but there is none'
rm "$dir/sick"
: > "$dir/fills"
mutate 2 core/breaks.cpp core/sample.cpp
says_nothing 'the sources do not compile any more, without a mutant; see '
rm "$dir/fills" "$dir/full"
rm "$dir/tests/slot_test.cpp"
mutate 2 core/sample.cpp
says_nothing 'there is no test called slot_test'
: > "$dir/tests/slot_test.cpp"

# -- two runs, and an interruption --------------------------------------------

"$dir/tools/mutate" --jobs 1 --files core/hangs.cpp > "$dir/first" 2>&1 &
first=$!
until [ -s "$dir/hangs" ]; do
  sleep 0.01
  kill -0 "$first" || fail 'the run that hangs has ended'
done
mutate 2 core/sample.cpp
says_nothing 'another run works in build/mutate'
start=$(date +%s)
kill -INT "$first"
status=0
wait "$first" || status=$?
cp "$dir/first" "$out"
[ "$status" -eq 130 ] || fail "what is interrupted ends with $status"
[ $(($(date +%s) - start)) -lt 20 ] || fail 'it took long to end'
said 'mutate: interrupted'
said '0 killed, 0 equivalent, 0 survived, 0 invalid'
if kill -0 "$(cat "$dir/hangs")" 2> /dev/null; then
  fail 'a test is left'
fi
cmp -s "$dir/core/hangs.cpp" "$dir/build/mutate/0/src/core/hangs.cpp" \
  || fail 'a mutant is left'
