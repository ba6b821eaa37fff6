#include <steward/core/one_line.hpp>

#include <steward/core/hex.hpp>

namespace steward {

std::string one_line(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += "\\x";
      result += hex_digits[byte >> 4];
      result += hex_digits[byte & 15];
    }
  }
  return result;
}

} // namespace steward
