#!/bin/sh
# The code in docs/testing.md is what is compiled and run elsewhere, and the
# report in it is what a program prints.
#
#   docs_test.sh PROGRAM [--write]
#
# A block of code follows a line <!-- FILE REGION -->; in the FILE the region
# lies between two lines [REGION], which are comments. A report follows a line
# <!-- output of NAME -->: PROGRAM prints it; without a PROGRAM, "", it is not
# compared. --write puts into the page what should be there.
set -eu
program=$1
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/output"

# How it was called is different on each machine.
if [ -n "$program" ]; then
  "$program" --run_test=the_race_of_the_first_cache_is_found 2> "$work/errors" \
    | sed -n '/^no stale reads:/,$p' \
    | sed 's/\(STEWARD_TESTKIT_SCHEDULE=[^ ]*\) .*/\1 .\/race_test/' \
    > "$work/output"
  [ -s "$work/output" ] || {
    echo "$program printed no report" >&2
    cat "$work/errors" >&2
    exit 1
  }
fi

# expected PAGE: the page as it should be.
expected() {
  awk -v root="$root/" -v output="$work/output" '
  # A line that is a comment with nothing but [name].
  function is_mark(line, name) {
    sub(/^ *(\/\/|#) /, "", line)
    return line == "[" name "]"
  }
  function put_region(file, name,   line, inside, found, indent) {
    while ((getline line < (root file)) > 0) {
      if (is_mark(line, name)) {
        inside = !inside
        found++
        indent = match(line, /[^ ]/) - 1
      } else if (inside)
        print substr(line, 1, indent) ~ /^ *$/ ? substr(line, indent + 1) : line
    }
    close(root file)
    if (found != 2)
      bad(file " has no region [" name "]")
  }
  function put_output(   line, lines) {
    while ((getline line < output) > 0) {
      print line
      lines++
    }
    close(output)
    return lines > 0
  }
  function bad(what) {
    print FILENAME ":" NR ": " what > "/dev/stderr"
    failed = 1
  }

  /^<!-- .* -->$/ { file = $2; name = $3 }
  /^```/ && inside { inside = skip = 0; file = "" }
  /^```[a-z]/ {
    inside = 1
    print
    if (file == "output") { skip = put_output(); blocks++ }
    else if (file != "") { put_region(file, name); skip = 1; blocks++ }
    else if ($0 !~ /^```text$/)
      bad("code that is nowhere compiled; give its file and region")
    next
  }
  !skip
  END {
    if (blocks < 5)
      bad("only " blocks + 0 " blocks of code")
    exit failed
  }
' "$1"
}

# is_right PAGE: it is as it should be; says what is not.
is_right() {
  expected "$1" > "$work/expected" && diff -u "$1" "$work/expected"
}

page=$root/docs/testing.md
if [ "${2-}" = --write ]; then
  expected "$page" > "$work/page"
  cp "$work/page" "$page"
elif ! is_right "$page"; then
  echo "docs/testing.md differs from the sources: tests/docs_test.sh" \
    "PROGRAM --write mends it" >&2
  exit 1
fi

# And what is planted is seen.
for slip in \
  's/== 7);/== 8);/' \
  's/^<!-- .*cache.hpp cache -->$//' \
  's/cache.hpp cache -->/cache.hpp no_such_region -->/' \
  's/cache.hpp cache -->/no_such_file.hpp cache -->/' \
  ${program:+'s/^no stale reads: .*/no stale reads/'}; do
  sed "$slip" "$page" > "$work/slip.md"
  if cmp -s "$page" "$work/slip.md" || is_right "$work/slip.md" > "$work/seen" 2>&1; then
    echo "this would not be seen: $slip" >&2
    exit 1
  fi
done
