#include <steward/apps/bench/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace steward::bench {
namespace {

// Values below 2^8 have a bucket each; from then on each power of two has 2^7.
constexpr unsigned linear_bits = 7;
constexpr std::uint64_t half = std::uint64_t{1} << linear_bits;
constexpr std::size_t bucket_count = (64 - linear_bits + 1) * half;

} // namespace

histogram::histogram() : counts_(bucket_count) {
}

std::size_t histogram::index_of(std::uint64_t value) noexcept {
  auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= linear_bits + 1)
    return static_cast<std::size_t>(value);
  auto shift = width - (linear_bits + 1);
  return static_cast<std::size_t>(shift * half + (value >> shift));
}

std::uint64_t histogram::last_of(std::size_t index) noexcept {
  if (index < 2 * half)
    return index;
  auto shift = index / half - 1;
  auto top = index - shift * half;
  return (static_cast<std::uint64_t>(top + 1) << shift) - 1;
}

void histogram::merge(const histogram& other) noexcept {
  for (std::size_t i = 0; i < bucket_count; ++i)
    counts_[i] += other.counts_[i];
  total_ += other.total_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t histogram::at(double share) const noexcept {
  if (total_ == 0)
    return 0;
  auto wanted = static_cast<std::uint64_t>(
    std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(total_)));
  wanted = std::clamp<std::uint64_t>(wanted, 1, total_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += counts_[i];
    if (seen >= wanted)
      return std::min(last_of(i), max_);
  }
  return max_;
}

} // namespace steward::bench
