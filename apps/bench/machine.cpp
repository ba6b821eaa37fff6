#include <steward/apps/bench/machine.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace steward::bench {
namespace {

double seconds(const timeval& x) {
  return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
}

} // namespace

std::uint64_t settled_bytes() {
  ::malloc_trim(0);
  return resident_bytes();
}

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t peak_resident_bytes() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return static_cast<std::uint64_t>(use.ru_maxrss) * 1024;
}

double cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

std::uint64_t clock_ns() noexcept {
  return static_cast<std::uint64_t>(
    std::chrono::steady_clock::now().time_since_epoch().count());
}

double clock_cost_ns() {
  constexpr int readings = 1'000;
  std::array<std::uint64_t, 11> tries{};
  for (auto& x : tries) {
    auto start = clock_ns();
    for (int i = 0; i < readings; ++i)
      x = clock_ns() - start;
  }
  std::sort(tries.begin(), tries.end());
  return static_cast<double>(tries[tries.size() / 2]) / readings;
}

} // namespace steward::bench
