#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace steward::bench {

/// What is measured. One operation is a borrow and its return; opening costs
/// nothing but the subject's own work.
enum class workload : std::uint8_t {
  w1, ///< 1,000 keys, uniform, 8 per key: everybody finds a free resource
  w2, ///< Zipf 0.99 over 1,000,000 keys, 100,000 in all, 4 per key
  w3, ///< 1 per key, every borrow has other params: each evicts and opens
  w4, ///< many idle resources, one per key, expire at once
  w5, ///< 64 clients wait for one key with 1 resource
};

inline constexpr std::size_t workload_count = 5;

constexpr std::string_view to_string(workload x) {
  constexpr std::string_view names[] = {"W1", "W2", "W3", "W4", "W5"};
  return names[static_cast<std::size_t>(x)];
}

/// Who the clients are.
enum class origin : std::uint8_t { threads, actors };

constexpr std::string_view to_string(origin x) {
  return x == origin::threads ? "threads" : "actors";
}

/// One run of a driver. All values are checked.
struct run_options {
  workload what = workload::w1;
  origin from = origin::threads;
  std::size_t clients = 2;
  std::uint32_t keys = 1'000;
  double seconds = 2;
  std::size_t limit = 8;            ///< resources of a key
  std::optional<std::size_t> total; ///< resources of all keys
  std::uint64_t seed = 1;
  /// Operations a second of all clients together, each due at its own time;
  /// none: every client begins the next when it has ended one.
  std::optional<double> pace;
  /// So many operations in all instead of so many seconds, all of them timed.
  std::optional<std::uint64_t> operations;
};

/// What a workload is unless told otherwise.
run_options defaults_of(workload what);

/// Words that name no run. `what()` is one line: what, where, what is allowed.
class unusable_run : public std::invalid_argument {
public:
  using std::invalid_argument::invalid_argument;
};

/// What a driver called `name` prints when it is asked for help.
std::string help_of_driver(std::string_view name);

/// Whether one of the words does.
bool asks_for_help(int count, const char* const* words);

/// Reads `WORKLOAD [--clients N] [--from threads|actors] [--keys K]
/// [--seconds S] [--limit L] [--total T] [--seed X] [--pace R]
/// [--operations O]`. Throws `unusable_run`.
run_options parse_run(int count, const char* const* words);

/// The words that `parse_run` takes for this run.
std::string to_words(const run_options& run);

} // namespace steward::bench
