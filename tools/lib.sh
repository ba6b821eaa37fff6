# What the tools share. To be sourced by bash; leaves the caller in the root of
# the project.
# shellcheck shell=bash
set -euo pipefail

# The same output and the same sort order everywhere.
export LC_ALL=C.UTF-8 TZ=UTC

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's names of what a build needs, and of what the tests need besides.
build_packages=(
  g++ cmake ninja-build ccache
  libcaf-dev libspdlog-dev libsqlitecpp-dev libsqlite3-dev libpq-dev
  libcli11-dev nlohmann-json3-dev zlib1g-dev
)
demo_packages=("${build_packages[@]}" sqlite3)
test_packages=(
  "${build_packages[@]}" sqlite3 bc postgresql pgbouncer
  libboost-test-dev libbenchmark-dev librapidcheck-dev libgtest-dev catch2
)

say() {
  printf 'steward: %s\n' "$*"
}

die() {
  printf 'steward: %s\n' "$*" >&2
  exit 1
}

# usage FILE: the comment at the top of the FILE.
usage() {
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"
}

# put_rows TABLE PAGE ONLY: prints PAGE with the rows of TABLE between its two
# marks; where ONLY is not empty, with those rows in the place of the old ones.
put_rows() {
  awk -v table="$1" -v only="$3" '
    function fault(row, part) { split(row, part, "|"); return part[2] part[3] }
    BEGIN {
      while ((getline row < table) > 0) {
        new[fault(row)] = row
        order[++rows] = fault(row)
      }
    }
    /^<!-- end of the table -->$/ {
      for (i = 1; i <= rows; ++i)
        if (order[i] in new) print new[order[i]]
      inside = 0
    }
    inside && only && !(fault($0) in new) { print; next }
    inside && only { print new[fault($0)]; delete new[fault($0)] }
    !inside { print }
    /^<!-- begin of the table -->$/ { inside = 1 }
  ' "$2"
}

# logged WHAT LOG COMMAND...: runs the COMMAND with its output in LOG. Says one
# line, and more only if it fails.
logged() {
  local what=$1 log=$2 start=$SECONDS status=0
  shift 2
  mkdir -p "$(dirname "$log")"
  # The lock is ours alone: nothing that outlives us may keep it.
  "$@" > "$log" 2>&1 < /dev/null 9>&- || status=$?
  if [ "$status" -ne 0 ]; then
    {
      # A compiler's first errors are what counts; the end is what all have.
      grep -m 5 -E ': (fatal )?error: |undefined reference|^(CMake Error|E: )' \
        "$log" || true
      echo '[...]'
      tail -n 20 "$log"
    } | cut -c 1-300 >&2
    die "$what failed after $((SECONDS - start)) s; all its output is in $log"
  fi
  # What took no time is not worth a line.
  if [ $((SECONDS - start)) -ge 2 ]; then
    say "$what: done in $((SECONDS - start)) s"
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# missing_of NAME...: those of Debian's packages that are not installed.
missing_of() {
  local name
  for name in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2> /dev/null) in
      ii*) ;;
      *) printf '%s ' "$name" ;;
    esac
  done
}

# need_packages NAME...: installs those of Debian's packages that are missing.
# Does nothing, without a network too, if all are there.
need_packages() {
  if ! command -v dpkg-query > /dev/null; then
    say "this is no Debian; you need the equivalents of: $*"
    return
  fi
  if [ -z "$(missing_of "$@")" ]; then
    return
  fi
  # One run installs at a time; the next may find that nothing is missing now.
  lock packages
  local missing
  read -r -a missing <<< "$(missing_of "$@")"
  if [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  local install="apt-get install ${missing[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo > /dev/null; then
    die "packages are missing, this is not root, and there is no sudo." \
      "As root, run: $install"
  fi
  say "installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    # Asks for the password here, where it can be seen.
    sudo -v || die "sudo does not let you. As root, run: $install"
  fi
  # Lists that cannot be fetched matter only if the packages cannot be, then.
  apt update > build/apt-update.log 2>&1 || true
  logged "installing packages" build/apt-install.log \
    apt install -y --no-install-recommends "${missing[@]}"
}

# apt COMMAND ARGUMENT...: apt-get as root, never asking, patient.
apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@" < /dev/null
}

# jobs_max: how many compilers this machine can run at once. One for CAF takes
# about half a gigabyte. CMAKE_BUILD_PARALLEL_LEVEL overrides.
jobs_max() {
  local cores memory
  if [ -n "${CMAKE_BUILD_PARALLEL_LEVEL:-}" ]; then
    echo "$CMAKE_BUILD_PARALLEL_LEVEL"
    return
  fi
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 700000) }' /proc/meminfo)
  if [ "$memory" -lt "$cores" ]; then
    cores=$memory
  fi
  echo $((cores > 0 ? cores : 1))
}

# lock NAME: waits until no other run works in build/NAME. Held until we end.
lock() {
  mkdir -p build
  exec 9> "build/$1.lock"
  if ! flock -n 9; then
    say "another run works in build/$1; waiting for it"
    flock 9
  fi
}

# build PRESET [TARGET...]: configures and builds in build/PRESET.
build() {
  local preset=$1 dir=build/$1 targets=()
  shift
  if [ $# -gt 0 ]; then
    targets=(--target "$@")
  fi
  # A folder that was copied or moved here cannot be used.
  if [ -f "$dir/CMakeCache.txt" ] \
    && ! grep -q -x -F "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$dir/CMakeCache.txt"; then
    rm -rf "$dir"
  fi
  # ccache wants a place of its own where there is no home.
  if [ ! -w "${HOME:-/nowhere}" ]; then
    export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}
  fi
  logged "configuring $preset" "build/$preset-configure.log" \
    cmake --preset "$preset"
  logged "building $preset" "build/$preset-build.log" \
    cmake --build "$dir" -j "$(jobs_max)" "${targets[@]}"
}
