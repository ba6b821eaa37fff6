#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace steward {

/// Why a resource was closed. A closed list: a new reason is a new enumerator.
enum class close_reason : unsigned char {
  requested, ///< somebody sent `evict`
  idle,      ///< nobody used it for `idle_timeout`
  lifetime,  ///< older than `max_lifetime`
  evicted,   ///< made room for another resource at a limit
  unhealthy, ///< its holder or the opener's `check` gave it up
  stalled,   ///< held or opening for longer than allowed
  drained,   ///< the pool or the runtime shut down
  orphaned,  ///< its owner died without closing it
};

inline constexpr std::array<std::string_view, 8> close_reason_names
  = {"requested", "idle",    "lifetime", "evicted",
     "unhealthy", "stalled", "drained",  "orphaned"};

constexpr std::size_t close_reason_count = close_reason_names.size();

constexpr std::string_view to_string(close_reason x) {
  return close_reason_names[static_cast<std::size_t>(x)];
}

constexpr std::optional<close_reason> close_reason_from(std::string_view name) {
  for (std::size_t i = 0; i < close_reason_count; ++i)
    if (close_reason_names[i] == name)
      return static_cast<close_reason>(i);
  return std::nullopt;
}

} // namespace steward
