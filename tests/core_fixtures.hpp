#pragma once

#include <steward/core/shelf.hpp>
#include <steward/core/timepiece.hpp>

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace core_test {

using namespace steward;
using namespace std::chrono_literals;

/// When tests begin; not on a round second, as a real origin would not be.
inline constexpr time_point start = time_point{1000h} + 123ms;

/// Stands still until it is moved.
class manual_time final : public timepiece {
public:
  time_point at = start;

  time_point now() const noexcept override {
    return at;
  }

  time_point stamp() const noexcept override {
    return at;
  }

  void leave_out(duration) noexcept override {
  }
};

/// As a shelf takes it back: `idle_again()` is called where the slot is missed.
template <class F>
void give_back(slot& held, time_point stamp, F idle_again) {
  if (held.give_back(stamp) != slot::given::missed)
    return;
  held.give_back(stamp, true, true);
  idle_again();
}

/// Two different params with one tag, if the standard library hashes with
/// Murmur 2: blocks whose mixed values differ in the highest bit cancel out.
inline std::optional<std::pair<std::string, std::string>> colliding_params() {
  constexpr std::uint64_t mul = (std::uint64_t{0xc6a4a793} << 32) + 0x5bd1e995;
  std::uint64_t inverse = mul; // of an odd number, by Newton's iteration
  for (int i = 0; i < 6; ++i)
    inverse *= 2 - mul * inverse;
  auto unshift = [](std::uint64_t x) { return x ^ (x >> 47); };
  auto partner = [&](std::uint64_t block) {
    auto mixed = unshift(block * mul) * mul;
    auto other = mixed ^ (std::uint64_t{1} << 63);
    return unshift(other * inverse) * inverse;
  };
  std::uint64_t blocks[2] = {0x6f6e65206f6e6521, 0x74776f2074776f21};
  std::string a(sizeof blocks, '\0');
  std::memcpy(a.data(), blocks, sizeof blocks);
  for (auto& x : blocks)
    x = partner(x);
  std::string b(sizeof blocks, '\0');
  std::memcpy(b.data(), blocks, sizeof blocks);
  if (a == b || tag_of(a) != tag_of(b))
    return std::nullopt;
  return std::pair{a, b};
}

} // namespace core_test
