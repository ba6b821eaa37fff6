#pragma once

#include <steward/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// No limit, where an option is a count.
inline constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

/// Off, where an option is a duration.
inline constexpr duration off = duration::max();

/// What a request gets when its key, or the pool, is full.
enum class full_policy : unsigned char {
  evict_idle, ///< the place of the least recently used idle resource
  reject,     ///< an error that names the limit
};

constexpr std::string_view to_string(full_policy x) {
  return x == full_policy::evict_idle ? "evict_idle" : "reject";
}

/// The limits of one pool: each with its effect, its default, its range.
struct pool_options {
  /// Names the pool in logs, records and configuration: 1 to 64 of
  /// `a-z A-Z 0-9 _ -`, the first one a letter.
  std::string name;

  /// Most resources of one key, opening and closing ones included. 1 to 1e6.
  std::size_t per_key_max = 8;

  /// Most resources of all keys, opening and closing ones included. At least 1.
  std::size_t total_max = unlimited;

  /// How many leases share one resource. 1 (exclusive) to 8191.
  std::size_t holders_max = 1;

  /// A resource that nobody holds is closed at the first tick at which its last
  /// use ended this long ago. At least `tick`, at most 10 years; `off`: never.
  duration idle_timeout = std::chrono::seconds{300};

  /// A resource is closed at the first tick at which it is this old and nobody
  /// holds it. At least `tick`, at most 10 years; `off`: never.
  duration max_lifetime = off;

  /// The grid on which cleanup happens. 1 ms to 1 day.
  duration tick = std::chrono::seconds{1};

  /// How long the supervisor of a key without resources stays, if it may stay
  /// awake, so that a key in slow but regular use keeps it. `tick` to 1 day.
  duration linger = std::chrono::seconds{60};

  /// How many supervisors stay awake though nothing is under way, of those that
  /// woke last. The others sleep: that saves 2 kB each, and the next request
  /// that has to ask one takes some microseconds longer. 0 to 1e6.
  std::size_t awake_max = 16;

  /// An open that takes longer fails with `open_timed_out`; what it opens after
  /// that is closed as `stalled`. Also how long `acquire` waits unless told
  /// otherwise. 1 ms to 1 day.
  duration open_timeout = std::chrono::seconds{20};

  /// What happens at `per_key_max` and `total_max`.
  full_policy when_full = full_policy::evict_idle;

  /// How many requests of one key may wait until somebody gives back, in order
  /// of arrival, where the key is full and nothing may be evicted; each until its
  /// deadline. 0 (none: such a request is refused at once) to 1e6.
  std::size_t waiters_max = 0;

  /// Whether each resource gets a record. The record is written behind: queued
  /// when the resource opens, durable after the next batch.
  bool recorded = false;
};

/// Options that cannot be used. `what()` has one line per wrong option: its
/// name, the value given, what is allowed.
class invalid_options : public std::invalid_argument {
public:
  using std::invalid_argument::invalid_argument;
};

/// One line per wrong option; empty if all are in range.
std::vector<std::string> check(const pool_options& options);

/// Throws `invalid_options` unless `check` has nothing to say.
void require_valid(const pool_options& options);

} // namespace steward
