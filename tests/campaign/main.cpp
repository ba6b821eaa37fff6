// Explores the scenarios for as long as one likes; see tools/explore.

#include <steward/runtime/logging.hpp>
#include <steward/testkit/internal/environment.hpp>
#include <steward/tests/explore/scenarios.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>

using namespace explored;

namespace {

// Fewer prove nothing by what they do not reach.
constexpr std::uint64_t seeds_usual = 2'000;

constexpr double minutes_max = 10'000;

struct words {
  double minutes = 0;
  std::uint64_t seeds = 0; // 0: not said
  std::uint64_t first_seed = 1;
  std::string scenario;
  std::string regressions;
  bool hashes = false;
};

[[noreturn]] void refuse(std::string_view option, const std::string& word,
                         const std::string& allowed) {
  throw misuse("", std::string{option} + " is \"" + word
                     + "\"; allowed: " + allowed);
}

template <class T>
T number(std::string_view option, const std::string& word, T least, T most,
         const std::string& allowed) {
  T result{};
  const auto* last = word.data() + word.size();
  auto [end, error] = std::from_chars(word.data(), last, result);
  // Not the other way round: nothing can be said of a NaN.
  if (error != std::errc{} || end != last
      || !(result >= least && result <= most))
    refuse(option, word, allowed);
  return result;
}

std::uint64_t count(std::string_view option, const std::string& word,
                    std::uint64_t least) {
  return number(option, word, least, ~std::uint64_t{0},
                "a whole number, at least " + std::to_string(least));
}

const std::string& scenario_of(std::string_view option,
                               const std::string& word) {
  std::string all;
  for (const auto& x : scenarios) {
    if (word == x.name)
      return word;
    all += (all.empty() ? "" : ", ") + std::string{x.name};
  }
  refuse(option, word, all);
}

explore_options options_of(const words& w, const named_scenario& x,
                           std::chrono::milliseconds limit) {
  explore_options o;
  o.name = x.name;
  o.first_seed = w.first_seed;
  o.seeds = w.seeds;
  o.sometimes_after = seeds_usual;
  if (w.minutes > 0)
    o.time_limit = limit;
  o.regressions = w.regressions;
  o.charts = "build/charts";
  return o;
}

// The begin of a row; what is refused comes before the head of the table.
std::ostream& row(const named_scenario& x) {
  static auto first = true;
  if (std::exchange(first, false))
    std::cout << std::left << std::setw(24) << "scenario" << std::right
              << std::setw(10) << "schedules" << std::setw(10) << "each s"
              << std::setw(10) << "steps" << std::endl;
  return std::cout << std::left << std::setw(24) << x.name;
}

bool campaign_of(const words& w, const named_scenario& x,
                 std::chrono::milliseconds limit) {
  using seconds = std::chrono::duration<double>;
  auto start = std::chrono::steady_clock::now();
  try {
    auto c = explore(options_of(w, x, limit), x.run);
    if (c.runs == 0) // STEWARD_TESTKIT_ONLY names another
      return true;
    seconds took = std::chrono::steady_clock::now() - start;
    auto runs = static_cast<double>(c.runs);
    row(x) << std::right << std::setw(10) << c.runs << std::fixed
           << std::setprecision(0) << std::setw(10) << runs / took.count()
           << std::setw(10) << static_cast<double>(c.steps) / runs << std::endl;
    for (const auto& situation : c.unreached)
      std::cout << "  not reached in so few: " << situation << std::endl;
    return true;
  } catch (const misuse&) {
    throw;
  } catch (const failure& e) {
    row(x) << "violated\n" << e.what() << std::endl;
    return false;
  }
}

void print_hashes(const words& w, const named_scenario& x) {
  if (auto one = single_run_wanted())
    print_digest(std::cout, x,
                 {one->seed, one->listed ? &*one->listed : nullptr});
  else
    print_digests(std::cout, x, w.first_seed, w.seeds);
}

// What words and environment say together, or must not.
void settle(words& w) {
  if (const auto* only = std::getenv("STEWARD_TESTKIT_ONLY");
      only != nullptr && *only != '\0') {
    if (!w.scenario.empty() && w.scenario != only)
      refuse("--scenario", w.scenario,
             std::string{only} + ", as STEWARD_TESTKIT_ONLY says");
    w.scenario = scenario_of("STEWARD_TESTKIT_ONLY", only);
  }
  single_run_wanted(); // or throws
  constexpr auto last = ~std::uint64_t{0};
  if (w.hashes && w.minutes > 0)
    refuse("--minutes", "with --hashes", "--seeds: digests are to be compared");
  if (w.minutes > 0 && w.seeds > 0)
    refuse("--seeds", std::to_string(w.seeds), "nothing with --minutes");
  if (auto n = seeds_wanted()) {
    if (w.minutes > 0)
      refuse("STEWARD_TESTKIT_SEEDS", std::to_string(*n),
             "nothing with --minutes");
    w.seeds = *n;
  } else if (w.minutes > 0) { // no seed is the last one, but time is up
    w.seeds = std::max<std::uint64_t>(last - w.first_seed, 1);
  } else if (w.seeds == 0) {
    w.seeds = seeds_usual;
  }
  if (w.seeds > 0 && w.first_seed > last - (w.seeds - 1))
    refuse("--first-seed", std::to_string(w.first_seed),
           "at most " + std::to_string(last - (w.seeds - 1)) + " with "
             + std::to_string(w.seeds) + " seeds");
}

int run(const words& w) {
  auto wanted = [&](const named_scenario& x) {
    return w.scenario.empty() || w.scenario == x.name;
  };
  auto shares = 0u;
  for (const auto& x : scenarios)
    shares += wanted(x) ? x.share : 0;
  using minutes = std::chrono::duration<double, std::ratio<60>>;
  auto good = true;
  for (const auto& x : scenarios) {
    if (!wanted(x))
      continue;
    auto limit = std::chrono::ceil<std::chrono::milliseconds>(
      minutes{w.minutes * x.share / shares});
    if (w.hashes)
      print_hashes(w, x);
    else
      good = campaign_of(w, x, limit) && good;
  }
  if (!std::cout.flush())
    throw std::runtime_error{"standard output cannot be written"};
  return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Explores schedules of the scenarios until one breaks an "
               "invariant"};
  words w;
  app.add_option_function<std::string>(
    "--minutes",
    [&](const std::string& x) {
      w.minutes = number("--minutes", x, 0.01, minutes_max,
                         "a number from 0.01 to 10000");
    },
    "How long, in all; instead of --seeds");
  app.add_option_function<std::string>(
    "--seeds", [&](const std::string& x) { w.seeds = count("--seeds", x, 1); },
    "How many schedules of each scenario");
  app.add_option_function<std::string>(
    "--first-seed",
    [&](const std::string& x) { w.first_seed = count("--first-seed", x, 0); },
    "Where to begin");
  app.add_option_function<std::string>(
    "--scenario",
    [&](const std::string& x) { w.scenario = scenario_of("--scenario", x); },
    "This one only");
  app.add_option("--regressions", w.regressions,
                 "Folder of seeds that failed before; new ones are added");
  app.add_flag("--hashes", w.hashes,
               "Print a digest of each run instead: equal for equal code");
  try {
    app.parse(argc, argv);
    settle(w);
    set_log_level(log_level::silent); // what is planted is no news
    return run(w);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const misuse& e) {
    std::cerr << "explore: " << e.detail() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "explore: " << e.what() << '\n';
    return 2;
  }
}
