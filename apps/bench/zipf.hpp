#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace steward::bench {

/// A small, quick generator (splitmix64): the same bits from the same seed on
/// every machine.
class random_bits {
public:
  explicit random_bits(std::uint64_t seed) noexcept : state_(seed) {
  }

  std::uint64_t operator()() noexcept {
    auto z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// 0 to `n` - 1, evenly but for less than n / 2^32. @pre `n` < 2^32.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>(((*this)() >> 32) * n >> 32);
  }

  /// 0 to 1, without 1.
  double unit() noexcept {
    return static_cast<double>((*this)() >> 11) * 0x1p-53;
  }

private:
  std::uint64_t state_;
};

/// Draws ranks 0 to n - 1 with probabilities proportional to 1 / (rank + 1)^s,
/// exactly, from a table of n doubles. Drawing takes a binary search: draw
/// before you measure. There are fewer ranks if `stop` is set meanwhile, as a
/// hundred million take seconds.
class zipf {
public:
  zipf(std::uint32_t n, double s, const std::atomic<bool>& stop);

  std::uint32_t operator()(random_bits& random) const;

  double probability(std::uint32_t rank) const;

private:
  std::vector<double> sums_; // of the probabilities up to and with this rank
};

} // namespace steward::bench
