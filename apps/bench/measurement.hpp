#pragma once

#include <steward/apps/bench/workload.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steward::bench {

/// What one run of a driver found; none where it is not measured. Each field
/// has the name that it has in JSON.
struct measurement {
  std::string driver;
  run_options run;
  std::uint64_t operations = 0; ///< that were counted for `rate`
  std::optional<double> rate;   ///< operations a second
  std::optional<std::uint64_t> p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
  std::optional<double> clock_ns;    ///< one reading, of which a time has one
  std::optional<double> cpu_seconds; ///< while operations were counted
  std::optional<std::uint64_t> peak_rss_bytes;
  std::optional<double> bytes_per_key;       ///< that has a resource
  std::optional<double> bytes_per_key_after; ///< when they are gone
  std::optional<double> hit_rate;            ///< found a resource, 0 to 1
  std::optional<std::uint64_t> refused;      ///< borrows that were tried again
  std::optional<double> jain;
  std::optional<std::uint64_t> longest_wait_ns;
  std::optional<double> expire_all_ms;
  std::optional<double> tick_idle_us;     ///< the median
  std::optional<double> tick_idle_max_us; ///< but for the first
  bool stopped = false; ///< ended before its time, by a signal
};

/// One JSON object on one line, without a line end.
std::string to_line(const measurement& x);

/// Reads what a driver printed; fields that it does not have are none. Throws
/// `std::runtime_error` with one line if that is no measurement.
measurement parse_line(std::string_view line);

} // namespace steward::bench
