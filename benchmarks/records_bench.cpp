// How many rows a second become durable: straight into the store by the size
// of the batch, and as notes of pools.
#include "temp_file.hpp"

#include <steward/runtime/records.hpp>
#include <steward/runtime/timepieces.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace steward;
using namespace std::chrono_literals;

record_write nth_write(std::uint64_t n) {
  record row;
  // Spread over the index, as names of many keys are.
  row.name = std::to_string(n * 0x9e3779b97f4a7c15ULL) + "/resource";
  row.pool = "sessions";
  row.key = "tenant-" + std::to_string(n % 1000);
  row.attributes = "dsn=postgresql://host/db";
  row.owner = "bench-1";
  row.opened_at = time_point{1431857103250ms};
  return create_record{std::move(row)};
}

// Rows of new names, in batches of state.range(0).
void store_write(benchmark::State& state) {
  temp_file file;
  sqlite_store store{file.path(), 5s};
  std::uint64_t n = 0;
  std::vector<record_write> batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (auto& x : batch)
      x = nth_write(++n);
    benchmark::DoNotOptimize(store.write(batch, 5s));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n));
}
BENCHMARK(store_write)->Arg(1)->Arg(100)->Arg(1000)->UseRealTime();

// Notes, as pools send them: nobody waits but for the last.
void notes_through_persistence(benchmark::State& state) {
  temp_file file;
  caf::actor_system_config cfg;
  cafx::tune(cfg);
  caf::actor_system sys{cfg};
  records_options options;
  options.url = "sqlite:" + file.path();
  options.owner = "bench-1";
  auto all = open_records(sys, options);
  std::uint64_t n = 0;
  auto notes = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < notes; ++i) {
      auto x = std::get<create_record>(nth_write(++n)).draft;
      all->note_opened({x.name, x.pool, x.key, x.attributes}, x.opened_at);
      all->note_closed(x.name, close_reason::idle, x.opened_at + 5min);
    }
    if (all->flush({60s}).pending > 0)
      state.SkipWithError("not flushed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(2 * n));
  all->stop({10s});
}
BENCHMARK(notes_through_persistence)->Arg(1)->Arg(10'000)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
