#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace steward {

/// A token or fingerprint as 32 hexadecimal digits, as records show it.
inline std::string to_hex(const std::array<std::byte, 16>& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto byte : bytes) {
    auto value = std::to_integer<unsigned>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

} // namespace steward
