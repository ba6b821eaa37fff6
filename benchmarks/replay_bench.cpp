// The main job: requests per second through real supervisors, in virtual time,
// without records and with durable ones.

#include <steward/steward.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

// As a web server's log of four days: 1,753 clients, of whom a few send most of
// the requests, in bursts.
struct made_up_log {
  std::vector<std::string> keys;
  std::vector<steward::timed_request> requests;

  explicit made_up_log(std::size_t size) {
    std::mt19937_64 random{2015};
    for (int i = 0; i < 1'753; ++i)
      keys.push_back("client-" + std::to_string(i));
    std::exponential_distribution<double> gap{1.0 / 30.0};
    std::uniform_real_distribution<double> even{0.0, 1.0};
    double seconds = 1'431'857'100;
    while (requests.size() < size) {
      seconds += gap(random) * 2;
      auto who = static_cast<std::size_t>(
        std::pow(static_cast<double>(keys.size()), even(random)));
      for (auto burst = random() % 4; burst < 4 && requests.size() < size;
           ++burst) {
        auto at = steward::time_point{
          std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
        requests.push_back({at, keys[who % keys.size()], {}});
      }
    }
  }
};

void run(benchmark::State& state, const std::string& records) {
  static const made_up_log log{10'000};
  steward::replay_options options;
  options.pool.name = "replay";
  options.pool.idle_timeout = 1h;
  options.records = records;
  steward::replay_result result;
  std::size_t run = 0;
  for (auto _ : state) {
    options.owner = "run-" + std::to_string(run++);
    result = steward::replay(log.requests, options);
    state.SetIterationTime(
      std::chrono::duration<double>(result.wall_time).count());
  }
  state.SetItemsProcessed(state.iterations()
                          * static_cast<std::int64_t>(result.requests));
  state.counters["opened"] = static_cast<double>(result.opened);
}

void replay_without_records(benchmark::State& state) {
  run(state, "");
}

BENCHMARK(replay_without_records)
  ->UseManualTime()
  ->Unit(benchmark::kMillisecond);

// Beside the working directory, so that fsync meets a real disk.
void replay_with_sqlite(benchmark::State& state) {
  auto path = std::filesystem::absolute("replay_bench.db").string();
  auto clean = [&] {
    for (const char* suffix : {"", "-wal", "-shm"})
      std::remove((path + suffix).c_str());
  };
  clean();
  run(state, "sqlite:" + path);
  clean();
}

BENCHMARK(replay_with_sqlite)->UseManualTime()->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
