#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace steward {

/// Why a request was not granted. A closed list.
enum class errc : std::uint8_t {
  invalid_key = 1,     ///< empty, or over 256 bytes
  key_full,            ///< `per_key_max` is reached and nothing may be evicted
  total_full,          ///< `total_max` is reached and nothing may be evicted
  open_failed,         ///< the opener said no
  open_timed_out,      ///< the opener did not answer within `open_timeout`
  deadline_exceeded,   ///< the request's own deadline passed
  draining,            ///< the pool or the runtime shuts down
  records_unavailable, ///< the queue of records is full, or nothing keeps them
  unknown_lease,       ///< no such lease, or given back already
};

constexpr std::string_view to_string(errc x) {
  switch (x) {
    case errc::invalid_key: return "invalid_key";
    case errc::key_full: return "key_full";
    case errc::total_full: return "total_full";
    case errc::open_failed: return "open_failed";
    case errc::open_timed_out: return "open_timed_out";
    case errc::deadline_exceeded: return "deadline_exceeded";
    case errc::draining: return "draining";
    case errc::records_unavailable: return "records_unavailable";
    case errc::unknown_lease: return "unknown_lease";
  }
  return "unknown";
}

/// How things stood when a request was refused: which limit, its value, and
/// the counts of the key.
struct rejection {
  std::string_view limit; ///< the option's name; empty if no limit was met
  std::size_t limit_value = 0;
  std::size_t open = 0;         ///< open, opening and closing
  std::size_t leased = 0;       ///< of these, how many somebody holds
  std::size_t waiting = 0;      ///< other requests
  std::size_t open_in_pool = 0; ///< the same as `open`, of all keys
  /// When an idle resource of the key is next due for closing, from now; none
  /// if all are held, as nobody knows then.
  std::optional<std::int64_t> retry_after_ms;
};

/// Longest key, in bytes.
inline constexpr std::size_t key_size_max = 256;

/// Whether `key` can name anybody.
constexpr bool valid_key(std::string_view key) {
  return !key.empty() && key.size() <= key_size_max;
}

} // namespace steward
