#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace steward::bench {

/// Jain's index of how evenly `shares` are spread: 1 if all are equal, 1/n if
/// one has everything. Nothing if nobody has anything.
inline std::optional<double> jain_index(std::span<const std::uint64_t> shares) {
  double sum = 0;
  double squares = 0;
  for (auto n : shares) {
    auto x = static_cast<double>(n);
    sum += x;
    squares += x * x;
  }
  if (squares == 0)
    return std::nullopt;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

} // namespace steward::bench
