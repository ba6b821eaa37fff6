#!/usr/bin/env bash
# What is asked of the fault suite amiss is refused, instead of a run that does
# nothing and passes; its table takes in rows without losing others; and who ends
# a run finds nothing left of it.
#
#   faults_command_test.sh PROGRAM
program=$1
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/lib.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# refused LINE COMMAND...: it ends with a status above 0, and says LINE alone.
refused() {
  local line=$1 said status=0
  shift
  said=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || die "$* is not refused"
  [ "$said" = "$line" ] || die "$* says: $said"
}

none='no fault has "typo" in its name; --list shows them'
refused "steward_faults: $none" "$program" --only typo
refused "steward_faults: $none" "$program" --only lock --only typo --list
for word in abc 0 -1 0.0 1e3 ''; do
  for option in --minutes --seconds; do
    refused "steward: $option is '$word'; allowed: a number above 0" \
      tools/faults "$option" "$word"
  done
done

[ "$("$program" --list | wc -l)" -eq 29 ] || die "there are not 29 faults"
[ "$("$program" --list --only lock_timeout)" = "postgresql: lock_timeout" ] \
  || die "--only does not bind --list"
[ "$("$program" --list --only sqlite: | grep -c -v '^sqlite: ')" -eq 0 ] \
  || die "--only sqlite: lists others"

printf '%s\n' before '<!-- begin of the table -->' '| a | x | 1 |' \
  '| b | x | 2 |' '| b | y | 3 |' '<!-- end of the table -->' after \
  > "$scratch/page"
printf '%s\n' '| b | x | 9 |' '| c | z | 8 |' > "$scratch/table"
put_rows "$scratch/table" "$scratch/page" some > "$scratch/some"
diff - "$scratch/some" << 'EOF' || die "rows of other faults are lost"
before
<!-- begin of the table -->
| a | x | 1 |
| b | x | 9 |
| b | y | 3 |
| c | z | 8 |
<!-- end of the table -->
after
EOF
put_rows "$scratch/table" "$scratch/page" '' > "$scratch/all"
diff - "$scratch/all" << 'EOF' || die "a whole run does not replace the table"
before
<!-- begin of the table -->
| b | x | 9 |
| c | z | 8 |
<!-- end of the table -->
after
EOF

# stopped SIGNAL FAULT: starts a run, ends it by the signal when all workers are
# there, and says its status; the workers have to go, too.
stopped() {
  local runner workers=() status=0 i
  TMPDIR=$scratch/left "$program" --seconds 50 --only "$2" \
    > "$scratch/output" 2>&1 &
  runner=$!
  while [ "${#workers[@]}" -lt 4 ]; do
    kill -0 "$runner" 2> "$scratch/gone" || die "the run of $2 has ended early"
    read -r -a workers < "/proc/$runner/task/$runner/children" || true
  done
  kill -s "$1" "$runner"
  wait "$runner" || status=$?
  for i in "${workers[@]}"; do
    timeout 10 tail --pid="$i" -f /dev/null \
      || die "worker $i outlives a run that got SIG$1"
  done
  echo "$status"
}

mkdir "$scratch/left"
fault='full tmpfs'
# Who may not mount has nothing to unmount.
"$program" --seconds 0.3 --only "$fault" > "$scratch/output" 2>&1 || true
[ "$(grep -c skipped "$scratch/output")" -eq 0 ] || fault=nothing
for signal in INT TERM; do
  [ "$(stopped "$signal" "$fault")" -eq 2 ] || die "SIG$signal does not end it"
  [ "$(grep -c -F "$scratch/left" /proc/mounts)" -eq 0 ] \
    || die "SIG$signal leaves something mounted"
  [ -z "$(ls -A "$scratch/left")" ] || die "SIG$signal leaves files behind"
done
[ "$(stopped KILL "$fault")" -eq 137 ] || die "SIGKILL does not end it"
# What it left goes when the next one starts.
[ -n "$(ls -A "$scratch/left")" ] || die "a run has no folder of its own"
TMPDIR=$scratch/left "$program" --seconds 0.3 --only 'sqlite: nothing' \
  > "$scratch/output" 2>&1 || die "a run after one that was killed fails"
[ "$(grep -c -F "$scratch/left" /proc/mounts)" -eq 0 ] \
  || die "a killed run leaves something mounted for ever"
[ -z "$(ls -A "$scratch/left")" ] || die "a killed run leaves files for ever"

refused "steward_faults: the file of the table cannot be written" \
  "$program" --only 'sqlite: nothing' --table "$scratch/none/table"
refused "steward_faults: the file of the table cannot be written" \
  "$program" --only 'sqlite: nothing' --table "$scratch"
