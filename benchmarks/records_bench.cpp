// How many rows a second become durable: straight into the store by the size
// of the batch, and through persistence by the number of callers that wait.
#include <steward/runtime/records.hpp>
#include <steward/runtime/timepieces.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <benchmark/benchmark.h>

#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace steward;
using namespace std::chrono_literals;

class temp_file {
public:
  temp_file() {
    folder_
      = (std::filesystem::temp_directory_path() / "bench-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr)
      throw std::runtime_error{"cannot make " + folder_};
  }

  temp_file(const temp_file&) = delete;
  temp_file& operator=(const temp_file&) = delete;

  ~temp_file() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path() const {
    return folder_ + "/records.db";
  }

private:
  std::string folder_;
};

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

// New names from state.range(0) threads, each of which waits for its answer.
void get_or_create_through_persistence(benchmark::State& state) {
  constexpr std::size_t calls_of_thread = 200;
  temp_file file;
  caf::actor_system_config cfg;
  cafx::tune(cfg);
  caf::actor_system sys{cfg};
  records_options options;
  options.url = "sqlite:" + file.path();
  options.owner = "bench-1";
  auto all = open_records(sys, options);
  auto threads_max = static_cast<std::size_t>(state.range(0));
  std::atomic<std::uint64_t> n{0};
  std::atomic<std::uint64_t> wrong{0};
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < threads_max; ++t)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < calls_of_thread; ++i) {
          auto x = std::get<create_record>(nth_write(++n)).draft;
          auto answer
            = all->get_or_create({x.name, x.pool, x.key, x.attributes}, {30s});
          wrong += answer.verdict != record_verdict::created;
        }
      });
    for (auto& thread : threads)
      thread.join();
  }
  auto rows = static_cast<std::int64_t>(n);
  state.SetItemsProcessed(rows);
  state.counters["rows_per_commit"]
    = static_cast<double>(rows)
      / static_cast<double>(all->counters().batches.load());
  all->stop({10s});
  if (wrong > 0)
    state.SkipWithError("some rows were not created");
}
BENCHMARK(get_or_create_through_persistence)->Arg(1)->Arg(64)->UseRealTime();

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
