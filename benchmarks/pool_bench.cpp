// The borrow path of a pool, from one thread and from two.

#include <steward/steward.hpp>

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct nothing {};

struct nothing_opener {
  static constexpr bool blocks = false;

  nothing operator()(const steward::open_request&) const {
    return {};
  }
};

struct fixture {
  steward::config cfg;
  caf::actor_system sys{cfg};
  steward::runtime rt{sys};
  steward::pool<nothing> pool = rt.make_pool<nothing>(
    {.name = "bench", .idle_timeout = 1h}, nothing_opener{});
};

// Lives in `main`: CAF 0.17.6 crashes if an actor system is a static object.
fixture* the_fixture = nullptr;

fixture& shared() {
  return *the_fixture;
}

// One pair = acquire and release.
void warm_key(benchmark::State& state) {
  auto& pool = shared().pool;
  const std::string key = "tenant-7";
  if (!pool.acquire(key))
    state.SkipWithError("cannot acquire");
  for (auto _ : state) {
    auto lease = pool.acquire(key);
    benchmark::DoNotOptimize(lease->get());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(warm_key)->ThreadRange(1, 2)->UseRealTime();

void warm_key_with_params(benchmark::State& state) {
  auto& pool = shared().pool;
  const steward::acquire_options options{
    .params = "host=db.example port=5432 dbname=tenants user=app"};
  const std::string key = "tenant-8";
  if (!pool.acquire(key, options))
    state.SkipWithError("cannot acquire");
  for (auto _ : state) {
    auto lease = pool.acquire(key, options);
    benchmark::DoNotOptimize(lease->get());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(warm_key_with_params);

void warm_keys_in_turn(benchmark::State& state) {
  auto& pool = shared().pool;
  std::vector<std::string> keys;
  for (int i = 0; i < 1'000; ++i)
    keys.push_back("key-" + std::to_string(i));
  for (const auto& key : keys)
    if (!pool.acquire(key))
      state.SkipWithError("cannot acquire");
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 500;
  for (auto _ : state) {
    auto lease = pool.acquire(keys[i++ % keys.size()]);
    benchmark::DoNotOptimize(lease->get());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(warm_keys_in_turn)->ThreadRange(1, 2)->UseRealTime();

// The slow path: at the limit, every borrow evicts and opens.
void evict_and_open(benchmark::State& state) {
  auto& pool = shared().pool;
  std::vector<steward::acquire_options> options(9);
  for (std::size_t i = 0; i < options.size(); ++i)
    options[i].params = std::to_string(i);
  std::size_t i = 0;
  for (auto _ : state) {
    auto lease = pool.acquire("crowded", options[i++ % options.size()]);
    if (!lease)
      state.SkipWithError(steward::describe(lease.error()).c_str());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(evict_and_open)->UseRealTime();

} // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  fixture own;
  the_fixture = &own;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
