#pragma once

#include <steward/apps/bench/measurement.hpp>
#include <steward/apps/bench/spread.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace steward::bench {

/// What one driver did of one run, every time.
struct driver_series {
  std::string label; ///< tells it from the others
  std::string command;
  std::vector<measurement> all;
  bool cannot = false; ///< it said that it has no such workload
};

/// One line of the table of runs: the first driver is this steward.
struct run_result {
  run_options run;
  std::vector<driver_series> drivers;
};

struct bench_report {
  std::string machine;
  std::string date; ///< of the start, UTC
  std::vector<run_result> results;
  bool stopped = false; ///< by a signal
};

/// A figure of all measurements that have it.
template <class T>
std::vector<double> figures_of(const driver_series& of,
                               std::optional<T> measurement::*figure) {
  std::vector<double> result;
  for (const auto& x : of.all)
    if (x.*figure)
      result.push_back(static_cast<double>(*(x.*figure)));
  return result;
}

/// Its median; none if nobody measured it.
template <class T>
std::optional<double> median_of(const driver_series& of,
                                std::optional<T> measurement::*figure) {
  auto all = figures_of(of, figure);
  if (all.empty())
    return std::nullopt;
  return spread_of(std::move(all)).median;
}

/// Nanoseconds of CPU for one operation: the median.
std::optional<double> cpu_of_operation(const driver_series& of);

/// The rates of the first driver of a run in those of `other`, pair by pair.
std::vector<double> rate_ratios(const run_result& in, std::size_t other);

/// "W1 from 2 threads".
std::string title_of(const run_options& run);

/// Three digits and a unit: 8.16 M, 411 ns, 3,421 B.
std::string short_count(double n);
std::string short_time(double nanoseconds);

/// For people.
std::string to_table(const bench_report& report);

/// For programs: one object with a line end.
std::string to_json(const bench_report& report);

/// A page that needs nothing but itself.
std::string to_page(const bench_report& report);

} // namespace steward::bench
