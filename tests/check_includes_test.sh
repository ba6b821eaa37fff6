#!/bin/sh
# Plants one violation of every rule of tools/check-includes, each in a tree of
# its own, and wants each reported with place, include and alternative.
set -eu
check=$(cd "$(dirname "$0")/.." && pwd)/tools/check-includes
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0
planted=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# forbidden FILE INCLUDE WORDS: the report must have the WORDS.
forbidden() {
  planted=$((planted + 1))
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/core" "$tree/$(dirname "$1")"
  printf '#include <vector>\n' > "$tree/core/good.hpp"
  case $2 in
    '<'* | '"'*) printf '#pragma once\n\n#  include %s // why\n' "$2" ;;
    *) printf '\n\n%s\n' "$2" ;;
  esac > "$tree/$1"
  if report=$("$check" "$tree"); then
    fail "$1 may include $2"
  fi
  case $report in
    "$1:3: "*"$3"*) ;;
    *) fail "$1 with $2 should say '$3', says: $report" ;;
  esac
  case $2 in
    [\<\"]*) case $report in *"$2"*) ;; *) fail "$2 not named: $report" ;; esac ;;
  esac
}

# allowed FILE INCLUDE
allowed() {
  mkdir -p "$tree/$(dirname "$1")"
  printf '#include %s\n' "$2" >> "$tree/$1"
}

# core -> std and core
for folder in messages storage actors runtime testkit apps tests; do
  forbidden core/x.hpp "<steward/$folder/x.hpp>" 'as an argument'
done
forbidden core/x.hpp '<caf/all.hpp>' 'no CAF'
forbidden core/x.hpp '<spdlog/spdlog.h>' 'return a value'
forbidden core/x.hpp '<sqlite3.h>' 'record_store.hpp'
forbidden core/x.hpp '<boost/optional.hpp>' 'standard library'
forbidden core/x.hpp '<unistd.h>' 'standard library'
forbidden core/x.cpp '<thread>' 'as an argument'
forbidden core/x.cpp '<fstream>' 'no I/O'
forbidden core/x.cpp 'auto now = std::chrono::steady_clock::now();' \
  'time is an argument'

# messages -> core
for folder in storage actors runtime testkit apps; do
  forbidden messages/x.hpp "<steward/$folder/x.hpp>" 'messages/, core/'
done
forbidden messages/x.hpp '<caf/actor.hpp>' '<steward/messages/caf.hpp>'
forbidden messages/x.hpp '<SQLiteCpp/Database.h>' 'record_store.hpp'
forbidden messages/x.hpp '<spdlog/spdlog.h>' 'return a value'

# storage -> core
for folder in messages actors runtime testkit apps; do
  forbidden storage/x.cpp "<steward/$folder/x.hpp>" 'storage/, core/'
done
forbidden storage/x.cpp '<caf/all.hpp>' 'no CAF'
forbidden storage/x.cpp '<spdlog/spdlog.h>' 'return a value'

# actors -> messages, core, storage
for folder in runtime testkit apps tests; do
  forbidden actors/x.cpp "<steward/$folder/x.hpp>" 'messages/ or core/'
done
forbidden actors/x.cpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'
forbidden actors/x.cpp '<sqlite3.h>' 'record_store.hpp'
forbidden actors/x.cpp '<steward/storage/internal/x.hpp>' 'other headers'

# runtime -> actors, messages, core, the interface of storage
forbidden runtime/x.cpp '<steward/storage/sqlite_store.hpp>' 'record_store.hpp'
for folder in testkit apps tests; do
  forbidden runtime/x.cpp "<steward/$folder/x.hpp>" 'runtime/, actors/'
done
forbidden runtime/x.cpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'
forbidden runtime/x.cpp '<SQLiteCpp/SQLiteCpp.h>' 'record_store.hpp'

# testkit -> runtime and below
for folder in apps tests examples; do
  forbidden testkit/x.hpp "<steward/$folder/x.hpp>" 'or below'
done
forbidden testkit/x.hpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'

# apps -> runtime, messages, core
for folder in actors storage testkit tests; do
  forbidden apps/main.cpp "<steward/$folder/x.hpp>" 'the API in runtime/'
done
forbidden apps/main.cpp '<caf/all.hpp>' 'no CAF'
forbidden apps/main.cpp '<steward/messages/caf.hpp>' 'no CAF'
forbidden apps/bench/x.hpp '<caf/all.hpp>' 'no CAF'
forbidden apps/bench/x.hpp '<steward/actors/x.hpp>' 'the API in runtime/'
forbidden apps/main.cpp '<sqlite3.h>' 'SQL is for storage/'
forbidden apps/main.cpp '<spdlog/spdlog.h>' 'return a value'

# examples -> what users have
for folder in actors storage apps tests; do
  forbidden examples/x.cpp "<steward/$folder/x.hpp>" '<steward/steward.hpp>'
done
forbidden examples/x.cpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'
forbidden examples/x.cpp '<sqlite3.h>' 'SQL is for storage/'

# everywhere
forbidden tests/x_test.cpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'
forbidden tests/x_test.cpp '<steward/examples/x.hpp>' 'of their own'
forbidden benchmarks/x_bench.cpp '<caf/all.hpp>' '<steward/messages/caf.hpp>'
forbidden runtime/x.hpp '"pool.hpp"' '<steward/folder/name.hpp>'
forbidden tests/x_test.cpp '"../core/x.hpp"' '<steward/folder/name.hpp>'
forbidden actors/x.cpp '<caf/scheduler/x.hpp>' '<steward/messages/caf.hpp>'
forbidden runtime/x.hpp '<steward/steward.hpp>' 'for users'
forbidden steward.hpp '<steward/actors/x.hpp>' 'umbrella'
forbidden runtime/x.hpp '<steward/testkit.hpp>' 'for users'
forbidden apps/x.cpp '<steward/testkit.hpp>' 'for users'
forbidden testkit.hpp '<steward/runtime/x.hpp>' 'testkit/ wraps'
forbidden steward.hpp '<steward/storage/x.hpp>' 'umbrella'

# What is allowed passes without a word.
rm -rf "${tree:?}"/*
allowed core/a.hpp '<atomic>'
allowed core/a.hpp '<steward/core/b.hpp>'
allowed messages/caf.hpp '<caf/all.hpp>'
allowed messages/a.hpp '<steward/messages/caf.hpp>'
allowed messages/a.hpp '<steward/core/a.hpp>'
allowed storage/a.cpp '<SQLiteCpp/SQLiteCpp.h>'
allowed storage/a.cpp '<steward/core/a.hpp>'
allowed storage/a.cpp '<steward/storage/internal/a.hpp>'
allowed actors/a.cpp '<steward/messages/caf.hpp>'
allowed actors/a.cpp '<steward/storage/record_store.hpp>'
allowed actors/a.cpp '<spdlog/spdlog.h>'
allowed runtime/a.cpp '<steward/actors/a.hpp>'
allowed runtime/a.cpp '<steward/storage/record_store.hpp>'
allowed testkit/a.hpp '<steward/runtime/a.hpp>'
allowed apps/a.cpp '<steward/runtime/a.hpp>'
allowed apps/a.cpp '<CLI/CLI.hpp>'
allowed apps/bench/a.hpp '<steward/messages/caf.hpp>'
allowed apps/bench/a.hpp '<steward/apps/a.hpp>'
allowed benchmarks/peers/a.cpp '<steward/apps/bench/a.hpp>'
allowed examples/a.cpp '<steward/steward.hpp>'
allowed examples/a.cpp '<steward/testkit/a.hpp>'
allowed tests/a_test.cpp '<steward/apps/a.hpp>'
allowed tests/a_test.cpp '<caf/scheduler/test_coordinator.hpp>'
allowed tests/a_test.cpp '"a_fixture.hpp"'
allowed steward.hpp '<steward/runtime/a.hpp>'
allowed examples/a.cpp '<steward/testkit.hpp>'
allowed testkit.hpp '<steward/testkit/a.hpp>'
if ! report=$("$check" "$tree") || [ -n "$report" ]; then
  fail "these are allowed: $report"
fi

# A tree without sources is not a tree that passed.
rm -rf "${tree:?}"/*
if "$check" "$tree" 2>/dev/null; then
  fail "an empty tree passes"
fi

echo "$planted violations planted, $failures failures"
[ "$failures" -eq 0 ]
