#pragma once

namespace steward {

/// Whether `c` is `0` to `9`, whatever the locale.
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Whether `c` is one of `a-z A-Z`, whatever the locale.
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace steward
