#!/bin/sh
# What the explorer is told wrong is one line and 2, and what it cannot prove
# with a few schedules is no violation.
#
#   explore_command_test.sh PROGRAM
. "$(dirname "$0")/output_of_a_program.sh"
program=$1

# refused LINE ARGUMENT...: it ends with 2 and says this line and no other.
refused() {
  line=$1
  shift
  status=0
  "$program" "$@" > "$out" 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "$* ends with $status"
  [ "$(tail -n 1 "$out" | cut -c 1-${#line})" = "$line" ] || fail "not: $line"
  [ "$(wc -l < "$out")" -eq 1 ] || fail "more than one line"
}

whole='allowed: a whole number, at least'
refused "explore: --seeds is \"0\"; $whole 1" --seeds 0
refused "explore: --seeds is \"x\"; $whole 1" --seeds x
refused "explore: --seeds is \"1e3\"; $whole 1" --seeds 1e3
refused "explore: --first-seed is \"-1\"; $whole 0" --first-seed=-1
for minutes in nan inf 0 -1 1x; do
  refused "explore: --minutes is \"$minutes\"; allowed: a number from 0.01" \
    "--minutes=$minutes"
done
for many in --seeds=2 --seeds=18446744073709551615; do
  refused 'explore: --first-seed is "18446744073709551615"; allowed: at most ' \
    --first-seed=18446744073709551615 "$many"
done
STEWARD_TESTKIT_SEEDS=3 refused \
  'explore: --first-seed is "18446744073709551614"; allowed: at most ' \
  --first-seed=18446744073709551614 --hashes
refused 'explore: --seeds is "3"; allowed: nothing with --minutes' \
  --seeds 3 --minutes 1
STEWARD_TESTKIT_SEEDS=3 refused \
  'explore: STEWARD_TESTKIT_SEEDS is "3"; allowed: nothing with --minutes' \
  --minutes 1
refused 'explore: regressions is "/dev/null", which is no folder' \
  --regressions /dev/null
refused 'explore: --scenario is "pool"; allowed: standard_pool, any_pool' \
  --scenario pool
STEWARD_TESTKIT_ONLY=pool refused 'explore: STEWARD_TESTKIT_ONLY is "pool"; allowed: '
STEWARD_TESTKIT_ONLY=any_pool refused \
  'explore: --scenario is "any_records"; allowed: any_pool, as STEWARD_TEST' \
  --scenario any_records
STEWARD_TESTKIT_SEEDS=x refused \
  'explore: STEWARD_TESTKIT_SEEDS is "x"; allowed: a number' --hashes
STEWARD_TESTKIT_SEED=abc refused \
  'explore: STEWARD_TESTKIT_SEED is "abc"; allowed: a number'
STEWARD_TESTKIT_SEED=1 STEWARD_TESTKIT_SCHEDULE=x refused \
  'explore: STEWARD_TESTKIT_SCHEDULE: schedule is "x"; allowed: '

"$program" --scenario any_pool --seeds 3 > "$out" 2>&1 || fail 'three seeds fail'
grep -q '^any_pool  *3 ' "$out" || fail 'no row of three seeds'
grep -q '^  not reached in so few: ' "$out" || fail 'nothing was missed by three'
STEWARD_TESTKIT_ONLY=served_in_order "$program" --seeds 3 > "$out" 2>&1 \
  || fail 'one scenario fails'
[ "$(wc -l < "$out")" -eq 2 ] || fail 'a row of another'

# So little time is shared out, too.
start=$(date +%s%N)
"$program" --minutes 0.01 > "$out" 2>&1 || fail 'a little time fails'
[ $(($(date +%s%N) - start)) -lt 10000000000 ] || fail 'much more than 0.6 s'
[ "$(grep -c '^[a-z]' "$out")" -gt 10 ] || fail 'not all scenarios had time'

# What the environment says holds for digests, too.
hashes() {
  "$program" --hashes --scenario any_records "$@" > "$out" 2>&1 \
    || fail 'digests fail'
}
STEWARD_TESTKIT_SEEDS=3 hashes --seeds 5
[ "$(wc -l < "$out")" -eq 3 ] || fail 'not three digests'
third=$(sed -n 3p "$out")
STEWARD_TESTKIT_SEED=3 hashes
[ "$(cat "$out")" = "$third" ] || fail "not $third alone"
STEWARD_TESTKIT_SEED=3 STEWARD_TESTKIT_SCHEDULE=0:1,2:1 hashes
[ "$(wc -l < "$out")" -eq 1 ] || fail 'not one digest'
[ "$(cat "$out")" != "$third" ] || fail 'the schedule was not obeyed'
