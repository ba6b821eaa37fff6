# What a test of a program's output needs: the file $out, which goes with the
# test, and `fail`. To be sourced by sh.
# shellcheck shell=sh
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# fail WHAT: ends the test, and shows what the program said last.
fail() {
  echo "$1; it said:" >&2
  cat "$out" >&2
  exit 1
}
