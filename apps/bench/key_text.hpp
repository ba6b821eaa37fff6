#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace steward::bench {

/// The name of the n-th key: `key-` and eight hexadecimal digits. Written into
/// place in a nanosecond or two, because a table of a million names would cost
/// each operation a cache miss that is not the subject's.
class key_text {
public:
  explicit key_text(std::uint32_t n) noexcept {
    // One digit to each byte, the first one lowest.
    auto x = static_cast<std::uint64_t>(__builtin_bswap32(n));
    x = ((x & 0xf0f0f0f0ULL) >> 4) | ((x & 0x0f0f0f0fULL) << 32);
    x = spread(static_cast<std::uint32_t>(x))
        | spread(static_cast<std::uint32_t>(x >> 32)) << 8;
    // '0' + x, and 39 more where x > 9.
    auto above_9 = ((x + 0x0606060606060606ULL) >> 4) & 0x0101010101010101ULL;
    x += 0x3030303030303030ULL + above_9 * 39;
    std::memcpy(bytes_.data(), "key-", 4);
    std::memcpy(bytes_.data() + 4, &x, sizeof(x));
  }

  std::string_view view() const noexcept {
    return {bytes_.data(), bytes_.size()};
  }

private:
  // Byte i to byte 2 i.
  static std::uint64_t spread(std::uint32_t n) noexcept {
    std::uint64_t x = n;
    x = (x | x << 16) & 0x0000ffff0000ffffULL;
    return (x | x << 8) & 0x00ff00ff00ff00ffULL;
  }

  std::array<char, 12> bytes_;
};

} // namespace steward::bench
