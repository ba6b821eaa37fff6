#include <steward/apps/bench/spread.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace steward::bench {
namespace {

// Between the values that are next to it.
double quantile(const std::vector<double>& sorted, double share) {
  auto at = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<std::size_t>(at);
  auto above = std::min(below + 1, sorted.size() - 1);
  auto part = at - std::floor(at);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

// How many values from the end the bound of the median is: each value is above
// the median with probability one half, so that all but k of n are on one side
// of it by chance as often as so many coins show one side.
std::optional<std::size_t> bound_of_median(std::size_t n) {
  constexpr double chance_max = 0.05;
  std::optional<std::size_t> result;
  auto coins = std::pow(0.5, static_cast<double>(n)); // exactly k of n
  auto chance = coins;                                // at most k of n
  for (std::size_t k = 0; k < n && chance <= chance_max; ++k) {
    result = k;
    coins *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    chance += coins;
  }
  return result;
}

} // namespace

spread spread_of(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  spread result;
  result.count = values.size();
  result.median = quantile(values, 0.5);
  result.least = values.front();
  result.most = values.back();
  result.quartile_1 = quantile(values, 0.25);
  result.quartile_3 = quantile(values, 0.75);
  if (auto k = bound_of_median(values.size())) {
    result.likely_least = values[*k];
    result.likely_most = values[values.size() - 1 - *k];
  }
  return result;
}

std::vector<double> ratios_of(const std::vector<double>& a,
                              const std::vector<double>& b) {
  std::vector<double> result;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (b[i] > 0)
      result.push_back(a[i] / b[i]);
  return result;
}

} // namespace steward::bench
