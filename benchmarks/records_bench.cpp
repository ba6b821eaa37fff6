// How many rows a second become durable: straight into the store by the size
// of the batch, and through persistence by the number of callers that wait.
#include "raw_committer.hpp"

#include <steward/runtime/records.hpp>
#include <steward/runtime/timepieces.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <steward/tests/postgres_server.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <stdlib.h>

#include <algorithm>
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

// -- raw against persistence ---------------------------------------------------

enum class where : int { sqlite, postgresql };

const char* name_of(where x) {
  return x == where::sqlite ? "sqlite" : "postgresql";
}

std::string url_of(where x, const temp_file& file) {
  return x == where::sqlite ? "sqlite:" + file.path()
                            : record_test::postgres_url();
}

// Rows never meet those of another run.
std::string next_name() {
  static std::atomic<std::uint64_t> n{0};
  return std::to_string(++n * 0x9e3779b97f4a7c15ULL) + "/resource";
}

// Each of so many callers asks, waits, asks again: what they waited.
class callers {
public:
  explicit callers(benchmark::State& state)
    : state_(state), all_(static_cast<std::size_t>(state.range(1))) {
  }

  template <class Ask>
  void run(Ask ask) {
    auto calls = std::max<std::size_t>(20, 12'800 / all_.size());
    std::int64_t done = 0;
    for (auto _ : state_) {
      std::vector<std::thread> threads;
      for (auto& waits : all_)
        threads.emplace_back([&, calls] {
          for (std::size_t i = 0; i < calls; ++i) {
            auto start = std::chrono::steady_clock::now();
            ask();
            auto end = std::chrono::steady_clock::now();
            waits.push_back(
              std::chrono::duration<double, std::micro>(end - start).count());
          }
        });
      for (auto& x : threads)
        x.join();
      done += static_cast<std::int64_t>(calls * all_.size());
    }
    state_.SetItemsProcessed(done);
    tell();
  }

private:
  void tell() {
    std::vector<double> waits;
    for (auto& x : all_)
      waits.insert(waits.end(), x.begin(), x.end());
    std::sort(waits.begin(), waits.end());
    state_.counters["p50_us"] = waits[waits.size() / 2];
    state_.counters["p99_us"] = waits[waits.size() * 99 / 100];
  }

  benchmark::State& state_;
  std::vector<std::vector<double>> all_;
};

struct opened_records {
  temp_file file;
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};
  std::unique_ptr<records> all;

  explicit opened_records(where x) {
    records_options options;
    options.url = url_of(x, file);
    options.owner = "bench-1";
    all = open_records(sys, options);
  }

  ~opened_records() {
    all->stop({10s});
  }

  static caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
    cafx::tune(cfg);
    return cfg;
  }
};

// New names, each in a transaction with what waits beside it.
void create_raw(benchmark::State& state) {
  auto to = static_cast<where>(state.range(0));
  state.SetLabel(name_of(to));
  temp_file file;
  auto url = url_of(to, file);
  open_record_store(url, 5s); // makes the schema
  // By name, as persistence does it: PostgreSQL gets two.
  std::vector<std::unique_ptr<raw::committer>> committers;
  for (int i = 0; i < (to == where::sqlite ? 1 : 2); ++i)
    committers.push_back(std::make_unique<raw::committer>(
      to == where::sqlite ? raw::to_sqlite(file.path())
                          : raw::to_postgres(url)));
  callers{state}.run([&] {
    auto name = next_name();
    auto& by = committers[std::hash<std::string>{}(name) % committers.size()];
    by->add({std::move(name), "0123456789abcdef0123456789abcdef"}).get();
  });
}

void create_through_persistence(benchmark::State& state) {
  auto to = static_cast<where>(state.range(0));
  state.SetLabel(name_of(to));
  opened_records open{to};
  std::atomic<std::uint64_t> wrong{0};
  callers{state}.run([&] {
    auto answer = open.all->get_or_create(
      {next_name(), "sessions", "tenant-7", "dsn=postgresql://host/db"}, {30s});
    wrong += answer.verdict != record_verdict::created;
  });
  state.counters["rows_per_commit"]
    = static_cast<double>(open.all->counters().written.load())
      / static_cast<double>(open.all->counters().batches.load());
  if (wrong > 0)
    state.SkipWithError("some rows were not created");
}

void by_callers(benchmark::internal::Benchmark* b) {
  for (auto to : {where::sqlite, where::postgresql})
    for (int threads : {1, 64, 512})
      b->Args({static_cast<int>(to), threads});
  b->UseRealTime();
}
BENCHMARK(create_raw)->Apply(by_callers);
BENCHMARK(create_through_persistence)->Apply(by_callers);

// Names that are there already: 1,000 of them, again and again.
void existing_names(benchmark::State& state) {
  auto to = static_cast<where>(state.range(0));
  state.SetLabel(name_of(to));
  opened_records open{to};
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.push_back(next_name());
    open.all->note_opened({names.back(), "sessions", "k", ""}, time_point{});
  }
  open.all->flush({30s});
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> wrong{0};
  callers{state}.run([&] {
    auto answer = open.all->get_or_create(
      {names[++next % names.size()], "sessions", "k", ""}, {30s});
    wrong += answer.verdict != record_verdict::existed;
  });
  if (wrong > 0)
    state.SkipWithError("some names did not exist");
}
BENCHMARK(existing_names)->Apply(by_callers);

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
