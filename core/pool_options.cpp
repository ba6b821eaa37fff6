#include <steward/core/pool_options.hpp>

#include <steward/core/ascii.hpp>
#include <steward/core/duration_text.hpp>

#include <algorithm>

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t name_size_max = 64;
constexpr std::size_t per_key_max_max = 1'000'000;
constexpr std::size_t holders_max_max = 8191;
constexpr duration tick_min = 1ms;
constexpr duration day = 24h;
constexpr duration ten_years = 3650 * day;

std::string text(std::size_t n) {
  return n == unlimited ? "unlimited" : std::to_string(n);
}

std::string text(duration d) {
  if (d == off)
    return "off";
  if (d >= duration::zero())
    return to_text(d);
  // The smallest duration has no positive twin.
  return "-" + to_text(d == duration::min() ? duration::max() : -d);
}

// As a person can read it, on one line, whatever bytes it has.
std::string quoted(const std::string& name) {
  std::string result = "\"";
  for (auto c : name.substr(0, name_size_max))
    result += c >= ' ' && c <= '~' ? c : '?';
  return result + (name.size() > name_size_max ? "...\"" : "\"");
}

bool is_name(const std::string& name) {
  auto allowed = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= name_size_max
         && is_letter(name.front())
         && std::all_of(name.begin(), name.end(), allowed);
}

// Collects the sentences, one per wrong option.
class checker {
public:
  template <class Value>
  bool in_range(std::string_view option, Value value, Value min, Value max,
                std::string_view allowed) {
    if (value >= min && value <= max)
      return true;
    wrong(option, text(value), allowed);
    return false;
  }

  void wrong(std::string_view option, const std::string& value,
             std::string_view allowed) {
    auto& line = lines.emplace_back(option);
    line += " is ";
    line += value;
    line += "; allowed: ";
    line += allowed;
  }

  std::vector<std::string> lines;
};

} // namespace

std::vector<std::string> check(const pool_options& options) {
  checker that;
  if (!is_name(options.name))
    that.wrong("name", quoted(options.name),
               "1 to 64 of a-z A-Z 0-9 _ -, the first one a letter");
  that.in_range<std::size_t>("per_key_max", options.per_key_max, 1,
                             per_key_max_max, "1 to 1000000");
  that.in_range<std::size_t>("total_max", options.total_max, 1, unlimited,
                             "1 or more, or unlimited");
  that.in_range<std::size_t>("holders_max", options.holders_max, 1,
                             holders_max_max, "1 to 8191");
  // A wrong tick is one mistake, not one per option that is measured by it.
  auto tick_fits = that.in_range("tick", options.tick, tick_min, day,
                                 "1ms to 1 day");
  auto least = tick_fits ? options.tick : tick_min;
  auto from_tick = tick_fits ? "tick (" + text(least) + ")" : "tick";
  auto timeout_range = from_tick + " to 10 years, or off";
  if (options.idle_timeout != off)
    that.in_range("idle_timeout", options.idle_timeout, least, ten_years,
                  timeout_range);
  if (options.max_lifetime != off)
    that.in_range("max_lifetime", options.max_lifetime, least, ten_years,
                  timeout_range);
  that.in_range<std::size_t>("awake_max", options.awake_max, 0, 1'000'000,
                             "0 to 1000000");
  that.in_range("linger", options.linger, least, day, from_tick + " to 1 day");
  that.in_range("open_timeout", options.open_timeout, tick_min, day,
                "1ms to 1 day");
  that.in_range<std::size_t>("waiters_max", options.waiters_max, 0, 1'000'000,
                             "0 to 1000000");
  if (options.when_full != full_policy::evict_idle
      && options.when_full != full_policy::reject)
    that.wrong("when_full",
               std::to_string(static_cast<unsigned>(options.when_full)),
               "evict_idle or reject");
  return that.lines;
}

void require_valid(const pool_options& options) {
  std::string what;
  for (const auto& line : check(options)) {
    if (!what.empty())
      what += '\n';
    what += line;
  }
  if (!what.empty())
    throw invalid_options{what};
}

} // namespace steward
