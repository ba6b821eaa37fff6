#pragma once

// What there is to be seen after a command, by a model and by a real pool in
// the same words.

#include <steward/core/close_reason.hpp>
#include <steward/core/pool_counters.hpp>
#include <steward/core/refusal.hpp>
#include <steward/tests/model/commands.hpp>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace modelled {

/// When a pool is made.
inline constexpr time_point origin{std::chrono::hours{24 * 365 * 50}};

/// What happened, in any order; then how things stand.
struct observation {
  struct closing {
    time_point at;
    std::uint64_t id;
    close_reason why;

    friend auto operator<=>(const closing&, const closing&) = default;
  };

  std::vector<std::pair<unsigned, std::string>> answers; ///< by request
  std::vector<closing> closed;
  std::vector<std::string> lines; ///< anything else, in order
  pool_stats stats;

  void answer(unsigned request, std::string text) {
    answers.emplace_back(request, std::move(text));
  }

  /// The answer to `evict`, which comes before or after what it leads to.
  void evicting(std::string text) {
    lines.insert(lines.begin(), std::move(text));
  }

  /// What happens at one instant to different keys has no order.
  void sort() {
    std::sort(answers.begin(), answers.end());
    std::sort(closed.begin(), closed.end());
  }

  /// One line each.
  std::string text() const;
};

inline std::string granted_text(std::uint64_t id, bool fresh) {
  return "resource " + std::to_string(id) + (fresh ? ", fresh" : ", reused");
}

/// A refusal without figures.
inline std::string refused_at_the_door(errc why) {
  return std::string{to_string(why)};
}

/// `one_key`: nothing happens to others at this instant.
inline std::string refused_text(errc why, const rejection& x, bool one_key) {
  std::string result{to_string(why)};
  if (!x.limit.empty())
    result += " (" + std::string{x.limit} + " is "
              + std::to_string(x.limit_value) + ")";
  result += ": " + std::to_string(x.open) + " open, " + std::to_string(x.leased)
            + " leased";
  // At the instant of a deadline other opens time out, before or after.
  if (why != errc::open_timed_out)
    result += ", " + std::to_string(x.waiting) + " waiting";
  // It is told when all that comes of it has begun: who is next may have got
  // something.
  if (one_key && (why == errc::key_full || x.waiting == 0))
    result += ", " + std::to_string(x.open_in_pool) + " open in the pool";
  if (x.retry_after_ms)
    result += ", again in " + std::to_string(*x.retry_after_ms) + " ms";
  return result;
}

inline std::string opening_text(std::uint64_t id, std::string_view key,
                                std::string_view with) {
  return "open " + std::to_string(id) + " for " + std::string{key} + " with \""
         + std::string{with} + "\"";
}

inline std::string text_of(const pool_stats& x) {
  std::string result;
  auto add = [&](std::string_view name, std::uint64_t n) {
    if (n != 0)
      result += (result.empty() ? "" : ", ") + std::string{name} + " "
                + std::to_string(n);
  };
  add("opened", x.opened);
  add("open_failed", x.open_failed);
  add("rejected", x.rejected);
  for (std::size_t i = 0; i < close_reason_count; ++i)
    add(close_reason_names[i], x.closed[i]);
  add("revoked", x.revoked);
  add("open", x.open);
  add("open_peak", x.open_peak);
  add("keys", x.keys);
  return result.empty() ? "nothing" : result;
}

inline std::string observation::text() const {
  std::string result;
  for (const auto& [request, what] : answers)
    result += "  request " + std::to_string(request) + ": " + what + "\n";
  for (const auto& x : lines)
    result += "  " + x + "\n";
  for (const auto& x : closed)
    result += "  at " + to_text(x.at - origin) + " closed "
              + std::to_string(x.id) + ", " + std::string{to_string(x.why)}
              + "\n";
  return result + "  stats: " + text_of(stats) + "\n";
}

} // namespace modelled
