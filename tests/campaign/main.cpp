// Explores the scenarios for as long as one likes; see tools/explore.

#include <steward/runtime/logging.hpp>
#include <steward/tests/explore/scenarios.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>

using namespace explored;

namespace {

struct words {
  double minutes = 0;
  std::uint64_t seeds = 2'000;
  std::uint64_t first_seed = 1;
  std::string scenario;
  std::string regressions;
  bool hashes = false;
};

explore_options options_of(const words& w, const named_scenario& x,
                           std::chrono::seconds limit) {
  explore_options o;
  o.name = x.name;
  o.first_seed = w.first_seed;
  o.seeds = w.minutes > 0 ? ~std::uint64_t{0} - w.first_seed : w.seeds;
  if (w.minutes > 0)
    o.time_limit = limit;
  o.regressions = w.regressions;
  o.charts = "build/charts";
  return o;
}

bool campaign_of(const words& w, const named_scenario& x,
                 std::chrono::seconds limit) {
  using seconds = std::chrono::duration<double>;
  auto start = std::chrono::steady_clock::now();
  try {
    auto c = explore(options_of(w, x, limit), x.run);
    seconds took = std::chrono::steady_clock::now() - start;
    auto runs = static_cast<double>(c.runs);
    std::cout << std::left << std::setw(24) << x.name << std::right
              << std::setw(10) << c.runs << std::fixed << std::setprecision(0)
              << std::setw(10) << runs / took.count() << std::setw(10)
              << static_cast<double>(c.steps) / runs << std::endl;
    return true;
  } catch (const failure& e) {
    std::cout << std::left << std::setw(24) << x.name << "violated\n"
              << e.what() << std::endl;
    return false;
  }
}

int run(const words& w) {
  auto count = std::count_if(
    scenarios.begin(), scenarios.end(), [&](const named_scenario& x) {
      return w.scenario.empty() || w.scenario == x.name;
    });
  if (count == 0) {
    std::cerr << "explore: --scenario is \"" << w.scenario << "\"; allowed:";
    for (const auto& x : scenarios)
      std::cerr << ' ' << x.name;
    std::cerr << '\n';
    return 2;
  }
  // At least a second each: none would be no limit.
  auto limit = std::chrono::seconds{std::max(
    std::int64_t{1},
    static_cast<std::int64_t>(w.minutes * 60 / static_cast<double>(count)))};
  if (!w.hashes)
    std::cout << std::left << std::setw(24) << "scenario" << std::right
              << std::setw(10) << "schedules" << std::setw(10) << "each s"
              << std::setw(10) << "steps" << std::endl;
  auto good = true;
  for (const auto& x : scenarios) {
    if (!w.scenario.empty() && w.scenario != x.name)
      continue;
    if (w.hashes)
      print_digests(std::cout, x, w.first_seed, w.seeds);
    else
      good = campaign_of(w, x, limit) && good;
  }
  return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Explores schedules of the scenarios until one breaks an "
               "invariant"};
  words w;
  app
    .add_option("--minutes", w.minutes, "How long, in all; instead of --seeds")
    ->check(CLI::Range(0.01, 10'000.0));
  app.add_option("--seeds", w.seeds, "How many schedules of each scenario")
    ->check(CLI::PositiveNumber);
  app.add_option("--first-seed", w.first_seed, "Where to begin");
  app.add_option("--scenario", w.scenario, "This one only");
  app.add_option("--regressions", w.regressions,
                 "Folder of seeds that failed before; new ones are added");
  app.add_flag("--hashes", w.hashes,
               "Print a digest of each run instead: equal for equal code");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  set_log_level(log_level::silent); // what is planted is no news
  try {
    return run(w);
  } catch (const std::exception& e) {
    std::cerr << "explore: " << e.what() << '\n';
    return 2;
  }
}
