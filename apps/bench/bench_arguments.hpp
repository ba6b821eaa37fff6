#pragma once

#include <steward/apps/bench/workload.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace steward::bench {

/// What `steward bench` was asked to do. All values are checked.
struct bench_arguments {
  std::vector<run_options> runs;
  std::vector<std::string> against; ///< commands of other drivers
  std::size_t repeat = 1;
  std::optional<double> at_least; ///< ratio below which the status is not 0
  std::string json;               ///< a path, `-`, or empty
  std::string plot;               ///< a path, or empty
  bool quiet = false;
};

/// The words of the command line, before they are understood.
struct bench_words {
  std::vector<std::string> workloads;
  std::vector<std::string> against;
  std::string clients;
  std::string from = "threads";
  std::string keys;
  std::string seconds;
  std::string limit;
  std::string total;
  std::string seed;
  std::string pace;
  std::string operations;
  std::string repeat;
  std::string at_least;
  std::string json;
  std::string plot;
  bool driver = false;
  bool quiet = false;
};

/// Adds `steward bench` with its options to `app`; returns it.
CLI::App& add_bench(CLI::App& app, bench_words& words);

/// Throws `unusable_run`.
bench_arguments to_arguments(const bench_words& words);

} // namespace steward::bench
