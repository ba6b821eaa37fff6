#!/bin/sh
# The program in the README is the example that is compiled and run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
awk '/^```cpp$/ && !done { inside = 1; next }
     /^```$/ && inside { inside = 0; done = 1 }
     inside' "$root/README.md" | diff -u "$root/examples/readme.cpp" - || {
  echo "README.md and examples/readme.cpp differ; change one to be the other" >&2
  exit 1
}
