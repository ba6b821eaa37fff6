#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace steward::testkit {

/// Repeatable random numbers (SplitMix64, Steele et al. 2014): the same for the
/// same seed and name with every compiler. Streams of different names are
/// independent, so that who draws more shifts nobody else's draws.
class random_stream {
public:
  using result_type = std::uint64_t;

  explicit random_stream(std::uint64_t seed,
                         std::string_view name = {}) noexcept
    : state_(seed * 0x9e3779b97f4a7c15ULL ^ fold(name)) {
    (*this)();
  }

  static constexpr result_type min() noexcept {
    return 0;
  }

  static constexpr result_type max() noexcept {
    return std::numeric_limits<result_type>::max();
  }

  result_type operator()() noexcept {
    auto z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
  }

  /// A number from 0 to `n - 1`. @pre n > 0
  std::uint64_t below(std::uint64_t n) noexcept {
    return (*this)() % n; // what is off by that, nobody can see
  }

  /// A number from `first` to `last`. @pre first <= last
  std::int64_t between(std::int64_t first, std::int64_t last) noexcept {
    return first
           + static_cast<std::int64_t>(
             below(static_cast<std::uint64_t>(last - first) + 1));
  }

  /// True with the probability `p`.
  bool chance(double p) noexcept {
    // 53 bits, as many as a double has.
    return static_cast<double>((*this)() >> 11) * 0x1p-53 < p;
  }

  /// A digest of a text (FNV-1a).
  static constexpr std::uint64_t fold(std::string_view text) noexcept {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (auto c : text)
      h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return h;
  }

private:
  std::uint64_t state_;
};

} // namespace steward::testkit
