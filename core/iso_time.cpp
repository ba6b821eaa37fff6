#include <steward/core/iso_time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace steward {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;

constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:dd.dddZ";

// The years that a count of nanoseconds in 64 bits covers from end to end.
constexpr int year_min = 1678;
constexpr int year_max = 2261;

constexpr time_point first_of(int year) {
  using namespace std::chrono;
  return time_point{
    sys_days{std::chrono::year{year} / January / 1}.time_since_epoch()};
}

void put(std::string& text, std::size_t at, std::size_t digits, long value) {
  for (auto i = digits; i-- > 0; value /= 10)
    text[at + i] = static_cast<char>('0' + value % 10);
}

int get(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (auto c : text.substr(at, digits))
    value = value * 10 + (c - '0');
  return value;
}

bool matches_pattern(std::string_view text) {
  auto fits = [](char c, char p) {
    return p == 'd' ? c >= '0' && c <= '9' : c == p;
  };
  return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(),
                    fits);
}

} // namespace

time_point cut_to_milliseconds(time_point t) {
  auto readable = std::clamp<time_point>(t, first_of(year_min),
                                         first_of(year_max + 1) - duration{1});
  return time_point{floor<milliseconds>(readable.time_since_epoch())};
}

std::string to_iso_text(time_point t) {
  auto since_epoch
    = floor<milliseconds>(cut_to_milliseconds(t).time_since_epoch());
  auto day = floor<days>(since_epoch);
  std::chrono::year_month_day date{std::chrono::sys_days{day}};
  auto rest = (since_epoch - day).count();
  std::string text{pattern};
  put(text, 0, 4, static_cast<int>(date.year()));
  put(text, 5, 2, static_cast<long>(static_cast<unsigned>(date.month())));
  put(text, 8, 2, static_cast<long>(static_cast<unsigned>(date.day())));
  put(text, 11, 2, rest / 3'600'000);
  put(text, 14, 2, rest / 60'000 % 60);
  put(text, 17, 2, rest / 1'000 % 60);
  put(text, 20, 3, rest % 1'000);
  return text;
}

std::optional<time_point> parse_iso_text(std::string_view text) {
  if (!matches_pattern(text))
    return std::nullopt;
  std::chrono::year_month_day date{
    std::chrono::year{get(text, 0, 4)},
    std::chrono::month{static_cast<unsigned>(get(text, 5, 2))},
    std::chrono::day{static_cast<unsigned>(get(text, 8, 2))}};
  auto hour = get(text, 11, 2);
  auto minute = get(text, 14, 2);
  auto second = get(text, 17, 2);
  auto year = static_cast<int>(date.year());
  if (!date.ok() || year < year_min || year > year_max || hour > 23
      || minute > 59 || second > 59)
    return std::nullopt;
  duration since_epoch = std::chrono::sys_days{date}.time_since_epoch();
  since_epoch += std::chrono::hours{hour} + std::chrono::minutes{minute}
                 + std::chrono::seconds{second}
                 + milliseconds{get(text, 20, 3)};
  return time_point{since_epoch};
}

} // namespace steward
