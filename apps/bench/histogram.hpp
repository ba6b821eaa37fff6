#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steward::bench {

/// Counts values, each to within 1/128 of itself, from 0 to 2^64 - 1: the
/// buckets are linear within a power of two, as those of HdrHistogram, which
/// Debian has for Java and Go only. `add` neither allocates nor fails. One
/// thread; add up the histograms of several with `merge`.
class histogram {
public:
  histogram();

  void add(std::uint64_t value) noexcept {
    ++counts_[index_of(value)];
    ++total_;
    if (value > max_)
      max_ = value;
  }

  void merge(const histogram& other) noexcept;

  std::uint64_t count() const noexcept {
    return total_;
  }

  /// The largest value, exactly; 0 if there is none.
  std::uint64_t max() const noexcept {
    return max_;
  }

  /// The least value that at least `share` (0 to 1) of all are not above,
  /// rounded up to the end of its bucket, but not beyond `max()`; 0 if there
  /// are no values.
  std::uint64_t at(double share) const noexcept;

  /// The bucket of a value, and the largest value of a bucket.
  static std::size_t index_of(std::uint64_t value) noexcept;
  static std::uint64_t last_of(std::size_t index) noexcept;

private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

} // namespace steward::bench
