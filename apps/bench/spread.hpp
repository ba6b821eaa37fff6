#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace steward::bench {

/// How a figure came out in several runs.
struct spread {
  std::size_t count = 0;
  double median = 0;
  double least = 0;
  double most = 0;
  double quartile_1 = 0;
  double quartile_3 = 0;

  /// The true median is below `likely_most` with at least 95 % certainty, and
  /// above `likely_least` with the same, whatever the noise looks like. None
  /// if there are too few runs, that is fewer than 5.
  std::optional<double> likely_least;
  std::optional<double> likely_most;
};

/// @pre not empty
spread spread_of(std::vector<double> values);

/// `a[i] / b[i]` for the runs that both have. A pair ran one right after the
/// other, so that what disturbed one disturbed the other, too.
std::vector<double> ratios_of(const std::vector<double>& a,
                              const std::vector<double>& b);

} // namespace steward::bench
