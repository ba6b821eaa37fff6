#include <steward/testkit/schedule.hpp>

#include <steward/testkit/failure.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace steward::testkit {

namespace {

// Drawn priorities lie above it; who is lowered comes below all others.
constexpr std::uint64_t drawn_min = std::uint64_t{1} << 32;

[[noreturn]] void bad_schedule(std::string_view text) {
  throw std::invalid_argument("schedule is \"" + std::string{text}
                              + "\"; allowed: decision:option, in order, "
                                "separated by commas; an option is a number, "
                                "or t for a timer");
}

// Takes a number off the front of `text`.
template <class T>
T take_number(std::string_view& text, std::string_view whole) {
  T result{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(),
                                      result);
  if (error != std::errc{})
    bad_schedule(whole);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return result;
}

std::uint16_t take_option(std::string_view& text, std::string_view whole) {
  if (text.starts_with('t')) {
    text.remove_prefix(1);
    return early_timer;
  }
  auto result = take_number<std::uint16_t>(text, whole);
  if (result == early_timer)
    bad_schedule(whole);
  return result;
}

} // namespace

std::string to_string(const policy& x) {
  if (auto* p = std::get_if<pct>(&x))
    return "pct" + std::to_string(p->depth);
  return std::holds_alternative<fifo>(x) ? "fifo" : "random";
}

std::string schedule_text(std::span<const decision> decisions) {
  std::vector<std::uint16_t> taken;
  for (const auto& d : decisions)
    taken.push_back(d.taken);
  return options_text(taken);
}

std::string option_text(std::uint16_t option) {
  return option == early_timer ? "t" : std::to_string(option);
}

std::string options_text(std::span<const std::uint16_t> taken) {
  std::string result;
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (auto option = taken[i]; option != 0)
      result += (result.empty() ? "" : ",") + std::to_string(i) + ":"
                + option_text(option);
  return result;
}

std::vector<std::uint16_t> parse_schedule(std::string_view text) {
  // More decisions than that no run takes; a slip must not take all memory.
  constexpr std::size_t decisions_max = 10'000'000;
  std::vector<std::uint16_t> result;
  auto whole = text;
  while (!text.empty()) {
    auto at = take_number<std::size_t>(text, whole);
    if (at < result.size() || at > decisions_max || !text.starts_with(':'))
      bad_schedule(whole);
    text.remove_prefix(1);
    result.resize(at);
    result.push_back(take_option(text, whole));
    if (text.empty())
      break;
    if (!text.starts_with(',') || text.size() == 1)
      bad_schedule(whole);
    text.remove_prefix(1);
  }
  return result;
}

schedule::schedule(const options& how)
  : how_(how), random_(how.seed, "schedule"), lowest_(drawn_min) {
  constexpr unsigned depth_max = 1'000;
  if (!(how.early_timers >= 0 && how.early_timers <= 1)) // nor is a NaN
    throw misuse("bad option", "early_timers is "
                                 + std::to_string(how.early_timers)
                                 + "; allowed: 0 to 1");
  if (auto* p = std::get_if<pct>(&how_.how)) {
    if (p->depth == 0 || p->depth > depth_max)
      throw misuse("bad option", "depth of pct is " + std::to_string(p->depth)
                                   + "; allowed: 1 to "
                                   + std::to_string(depth_max));
    for (unsigned i = 1; i < p->depth; ++i)
      changes_.push_back(random_.below(std::max<std::size_t>(how_.horizon, 1)));
    std::sort(changes_.begin(), changes_.end(), std::greater<>{});
  }
}

schedule::schedule(std::vector<std::uint16_t> listed)
  : listed_(true), list_(std::move(listed)), random_(0), lowest_(0) {
}

std::size_t schedule::choose(std::span<const std::uint64_t> ready, bool timer) {
  if (fair_)
    return 0;
  if (ready.size() > ready_max) {
    if (!is_plain())
      throw misuse("too many actors", std::to_string(ready.size())
                                        + " are ready at once; allowed: "
                                        + std::to_string(ready_max)
                                        + " where a schedule decides");
    taken_.push_back({0, early_timer, timer}); // as many as can be written
    return 0;
  }
  auto result = decide(ready, timer);
  taken_.push_back(
    {result == ready.size() ? early_timer : static_cast<std::uint16_t>(result),
     static_cast<std::uint16_t>(ready.size() + (timer ? 1 : 0)), timer});
  return result;
}

std::size_t schedule::decide(std::span<const std::uint64_t> ready, bool timer) {
  if (listed_) {
    auto next = taken_.size();
    auto option = next < list_.size() ? list_[next] : std::uint16_t{0};
    if (option == early_timer)
      return timer ? ready.size() : 0;
    // Of a list that was shortened, or is of another version of the code.
    return option < ready.size() ? option : 0;
  }
  if (timer && how_.early_timers > 0 && random_.chance(how_.early_timers))
    return ready.size();
  if (std::holds_alternative<fair_random>(how_.how))
    return random_.below(ready.size());
  if (std::holds_alternative<pct>(how_.how))
    return highest(ready);
  return 0;
}

std::size_t schedule::highest(std::span<const std::uint64_t> ready) {
  auto best = [&] {
    std::size_t result = 0;
    for (std::size_t i = 1; i < ready.size(); ++i)
      if (priority_of(ready[i]) > priority_of(ready[result]))
        result = i;
    return result;
  };
  auto result = best();
  while (!changes_.empty() && changes_.back() <= taken_.size()) {
    changes_.pop_back();
    priority_of(ready[result]) = --lowest_;
    result = best();
  }
  return result;
}

std::uint64_t& schedule::priority_of(std::uint64_t id) {
  if (id >= priorities_.size())
    priorities_.resize(id + 16);
  auto& result = priorities_[id];
  if (result == 0)
    result = drawn_min + (random_() >> 1);
  return result;
}

} // namespace steward::testkit
