#!/bin/sh
# What CONTRIBUTING.md gives to copy is copied, compiled and run.
#
#   contributing_test.sh COMPILER
set -eu
compiler=$1
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/steward/core" "$tree/steward/tests"

# Each block of C++ begins with the name of its file.
awk -v tree="$tree/steward/" '
  /^```cpp$/ { getline; file = tree $2; count++; next }
  /^```$/    { file = "" }
  file != "" { print > file }
  END        { exit count != 3 }
' "$root/CONTRIBUTING.md"

cp "$root/tests/test_main.cpp" "$tree"
"$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
  -DBOOST_TEST_DYN_LINK -I"$tree" -o "$tree/even_share_test" \
  "$tree/test_main.cpp" "$tree"/steward/*/*.cpp -lboost_unit_test_framework
"$tree/even_share_test"
