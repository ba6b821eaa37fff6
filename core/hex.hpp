#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace steward {

/// The hexadecimal digits, each at its value.
inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// Two hexadecimal digits for each byte, as records show tokens and fingerprints.
inline std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto byte : bytes) {
    auto value = std::to_integer<unsigned>(byte);
    text += hex_digits[value >> 4U];
    text += hex_digits[value & 15U];
  }
  return text;
}

/// Reads what `to_hex` writes of 16 bytes, and nothing else.
inline std::optional<std::array<std::byte, 16>>
parse_hex(std::string_view text) {
  std::array<std::byte, 16> bytes{};
  if (text.size() != bytes.size() * 2)
    return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto digit = hex_digits.find(text[i]);
    if (digit == hex_digits.npos)
      return std::nullopt;
    bytes[i / 2] = (bytes[i / 2] << 4) | static_cast<std::byte>(digit);
  }
  return bytes;
}

} // namespace steward
