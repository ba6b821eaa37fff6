#!/bin/sh
# What a test framework says of a violated scenario is the whole report, and
# nothing is said of one that holds.
#
#   adapter_test.sh PROGRAM NAME SELECT
#
# PROGRAM has the test cases violated, holds and alone; SELECT is its argument
# for one, with a % for it, and NAME what the campaign `violated` is called.
. "$(dirname "$0")/../output_of_a_program.sh"
program=$1
name=$2
select=$3

# run CASE: its output in $out; ends as it does.
run() {
  "$program" "${select%%%*}$1" > "$out" 2>&1
}

says() {
  grep -q -e "$1" "$out" || fail "no '$1'"
}

! run violated || fail "a violated scenario passes"
says 'nobody overtakes: it does not hold'
says "  in $name, seed [0-9]*, policy random, step 3, virtual time +0s"
says "to repeat: STEWARD_TESTKIT_ONLY=$name STEWARD_TESTKIT_SEED=[0-9]* STEWARD_TESTKIT_SCHEDULE=0:1 "
says '1 \*+0s  runner b: starts'
says 'the last messages of each actor:'
says '    runner b: starts (1), arrive (3)'

run holds || fail "a scenario that holds fails"

! run alone || fail "a failure of a simulation passes"
says 'no message: p never got arrive'
