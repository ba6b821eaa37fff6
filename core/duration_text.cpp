#include <steward/core/duration_text.hpp>

#include <steward/core/ascii.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace steward {
namespace {

struct unit {
  std::string_view name;
  std::int64_t ns;
};

// From the largest down: the order in which the parts of a text must stand.
constexpr std::array<unit, 8> units = {{
  {"d", 86'400'000'000'000},
  {"h", 3'600'000'000'000},
  {"min", 60'000'000'000},
  {"m", 60'000'000'000},
  {"s", 1'000'000'000},
  {"ms", 1'000'000},
  {"us", 1'000},
  {"ns", 1},
}};

// What is left to read, with the few moves that the grammar needs.
struct scanner {
  std::string_view rest;

  template <class Predicate>
  std::string_view take_while(Predicate pred) {
    std::size_t n = 0;
    while (n < rest.size() && pred(rest[n]))
      ++n;
    auto result = rest.substr(0, n);
    rest.remove_prefix(n);
    return result;
  }

  bool take(char c) {
    if (rest.empty() || rest.front() != c)
      return false;
    rest.remove_prefix(1);
    return true;
  }

  void skip_spaces() {
    take_while([](char c) { return c == ' '; });
  }
};

// `whole` units; nothing if that leaves the range.
std::optional<std::int64_t> whole_part(std::string_view digits,
                                       std::int64_t unit_ns) {
  std::int64_t n = 0;
  for (auto c : digits)
    if (__builtin_mul_overflow(n, 10, &n)
        || __builtin_add_overflow(n, c - '0', &n))
      return std::nullopt;
  if (__builtin_mul_overflow(n, unit_ns, &n))
    return std::nullopt;
  return n;
}

// The digits behind the point, of one unit. Digits below a nanosecond must be
// zeros: a duration is read exactly or not at all.
std::optional<std::int64_t> fraction_part(std::string_view digits,
                                          std::int64_t unit_ns) {
  while (!digits.empty() && digits.back() == '0')
    digits.remove_suffix(1);
  // A day has 14 decimal digits of nanoseconds; more cannot come out even.
  if (digits.size() > 14)
    return std::nullopt;
  __extension__ using wide = unsigned __int128;
  wide numerator = 0;
  wide denominator = 1;
  for (auto c : digits) {
    numerator = numerator * 10 + static_cast<unsigned>(c - '0');
    denominator *= 10;
  }
  numerator *= static_cast<wide>(unit_ns);
  if (numerator % denominator != 0)
    return std::nullopt;
  return static_cast<std::int64_t>(numerator / denominator);
}

} // namespace

std::optional<duration> parse_duration(std::string_view text) {
  if (text == "0")
    return duration::zero();
  scanner in{text};
  std::int64_t sum = 0;
  auto unit_before = INT64_MAX;
  do {
    auto whole = in.take_while(is_digit);
    std::string_view fraction;
    if (whole.empty())
      return std::nullopt;
    if (in.take('.') && (fraction = in.take_while(is_digit)).empty())
      return std::nullopt;
    in.skip_spaces();
    auto name = in.take_while(is_letter);
    std::int64_t unit_ns = 0;
    for (const auto& u : units)
      if (u.name == name)
        unit_ns = u.ns;
    if (unit_ns == 0 || unit_ns >= unit_before)
      return std::nullopt;
    unit_before = unit_ns;
    auto a = whole_part(whole, unit_ns);
    auto b = fraction_part(fraction, unit_ns);
    if (!a || !b || __builtin_add_overflow(sum, *a, &sum)
        || __builtin_add_overflow(sum, *b, &sum))
      return std::nullopt;
    if (in.rest.empty())
      return duration{sum};
    in.skip_spaces();
  } while (true);
}

std::string to_text(duration d) {
  if (d == duration::zero())
    return "0s";
  std::string result;
  auto left = d.count();
  for (const auto& u : units) {
    if (auto n = left / u.ns; n > 0) {
      result += std::to_string(n);
      result += u.name;
      left %= u.ns;
    }
  }
  return result;
}

} // namespace steward
