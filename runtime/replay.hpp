#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/time.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace steward {

/// One request of a log: who wants which resource, and when. The views must
/// outlive the replay.
struct timed_request {
  time_point at;
  std::string_view key;
  std::string_view params;
};

/// What a replay runs with. `pool` has the limits; all times are virtual.
struct replay_options {
  pool_options pool;
  duration hold{0};    ///< how long each request keeps its resource
  std::string records; ///< URL of the record store; none if empty
  std::string owner;   ///< names this run in the records
  /// CAF's worker threads; 0: as many as CAF likes. A replay does one thing
  /// after the other, so that more of them only wake each other up.
  std::size_t threads = 1;
  const std::atomic<bool>* stop = nullptr; ///< set by Ctrl-C: drain and report
  /// Called every few thousand requests, from the calling thread only, with the
  /// number of requests that are answered.
  std::function<void(std::uint64_t)> progress;
};

/// What these limits would have done to these users.
struct replay_result {
  std::uint64_t requests = 0; ///< answered; fewer than given if stopped
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
  std::uint64_t rejected = 0;
  std::array<std::uint64_t, close_reason_count> closed{}; ///< by reason
  std::uint64_t peak_open = 0; ///< most resources open at one instant
  std::uint64_t records_written = 0;
  std::uint64_t conflicts = 0;
  duration virtual_time{0};              ///< first to last answered request
  std::chrono::nanoseconds wall_time{0}; ///< start to the last durable record
  bool stopped = false;                  ///< ended early by `stop`
  /// Why records are missing, one line; empty if all are in the database. The
  /// replay ended early if the database fell too far behind.
  std::string records_error;
  std::uint64_t records_missing = 0; ///< opens and closes that are not written
};

/// Drives a pool with real supervisors through `requests`, which are in time
/// order, in virtual time, then drains it. Deterministic: equal input gives an
/// equal result, whatever the number of threads. At one instant returns happen
/// first, then the tick, then requests in the order given. Blocks the caller.
/// Throws `invalid_options`, or `store_failure` if the records cannot be opened.
replay_result replay(std::span<const timed_request> requests,
                     const replay_options& options);

} // namespace steward
