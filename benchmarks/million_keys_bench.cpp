// Many keys with one idle resource each: bytes per key, the time of a tick at
// which nothing is due, the time to expire all.

#include <steward/steward.hpp>

#include <benchmark/benchmark.h>

#include <fstream>
#include <string>

#include <malloc.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using seconds = std::chrono::duration<double>;
using steady = std::chrono::steady_clock;

struct nothing {};

struct nothing_opener {
  static constexpr bool blocks = false;

  nothing operator()(const steward::open_request&) const {
    return {};
  }
};

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void idle_keys(benchmark::State& state) {
  auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    steward::config cfg;
    caf::actor_system sys{cfg};
    auto start = steward::time_point{1'000'000s};
    auto time = std::make_shared<steward::manual_timepiece>(start);
    malloc_trim(0);
    auto before = resident_bytes();
    steward::runtime rt{sys, {.time = time}};
    auto pool = rt.make_pool<nothing>(
      {.name = "bench", .idle_timeout = 300s, .linger = 1s}, nothing_opener{});

    auto t0 = steady::now();
    for (std::size_t i = 0; i < count; ++i)
      if (!pool.acquire("tenant-" + std::to_string(i)))
        state.SkipWithError("cannot acquire");
    auto filled = steady::now();
    auto full = resident_bytes();

    // All are due at 300 s; here nobody is.
    constexpr int ticks = 100;
    auto t1 = steady::now();
    for (int i = 1; i <= ticks; ++i)
      rt.advance(start + std::chrono::seconds{i});
    auto idle_ticks = steady::now() - t1;

    auto t2 = steady::now();
    rt.advance(start + 301s);
    auto expired = steady::now() - t2;
    if (pool.stats().open != 0)
      state.SkipWithError("resources are left");
    rt.advance(start + 400s);
    if (pool.stats().keys != 0)
      state.SkipWithError("supervisors are left");
    malloc_trim(0);
    auto after = resident_bytes();

    auto n = static_cast<double>(count);
    state.counters["bytes_per_key"] = (full - before) / n;
    state.counters["bytes_per_key_after"] = (after - before) / n;
    state.counters["open_us_per_key"] = seconds(filled - t0).count() * 1e6 / n;
    state.counters["tick_nothing_due_us"] = seconds(idle_ticks).count() * 1e6
                                            / ticks;
    state.counters["expire_all_ms"] = seconds(expired).count() * 1e3;
  }
}

BENCHMARK(idle_keys)->Arg(1)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Unit(
  benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
