#include <steward/core/fingerprint.hpp>

#include <cstdint>

namespace steward {

namespace {

std::uint64_t fnv1a(std::string_view text, std::uint64_t start) {
  auto hash = start;
  for (auto c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

} // namespace

fingerprint fingerprint_of(std::string_view text) {
  auto first = mixed(fnv1a(text, 0xcbf29ce484222325ULL));
  auto second = mixed(fnv1a(text, 0x9e3779b97f4a7c15ULL) + text.size());
  fingerprint result;
  for (std::size_t i = 0; i < 8; ++i) {
    result[i] = static_cast<std::byte>(first >> (i * 8) & 0xff);
    result[i + 8] = static_cast<std::byte>(second >> (i * 8) & 0xff);
  }
  return result;
}

} // namespace steward
