// How many schedules of the standard scenario the test kit explores in a second
// of one core, with all that a campaign does: every invariant after every step,
// and one run in a hundred twice.
#include <steward/runtime/logging.hpp>
#include <steward/tests/explore/scenarios.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

constexpr std::uint64_t batch = 500;

void standard_pool(benchmark::State& state) {
  steward::set_log_level(steward::log_level::silent);
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  for (auto _ : state) {
    auto c = steward::testkit::explore({.name = "standard_pool",
                                        .first_seed = runs + 1,
                                        .seeds = batch,
                                        .sometimes_after = ~std::uint64_t{0}},
                                       explored::standard_pool);
    runs += c.runs;
    steps += c.steps;
  }
  // Each second of CPU time: there is one thread.
  state.SetItemsProcessed(static_cast<std::int64_t>(runs));
  state.counters["steps"] = static_cast<double>(steps)
                            / static_cast<double>(runs);
}

BENCHMARK(standard_pool)->Unit(benchmark::kMillisecond);

} // namespace
