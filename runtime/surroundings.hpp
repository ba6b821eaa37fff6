#pragma once

#include <steward/actors/job_runner.hpp>
#include <steward/actors/persistence.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/storage/record_store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace steward {

/// How a thread waits for what actors do. The machine's way is to block.
class waiting {
public:
  /// Blocks for so long at most; whether that which is waited for has come.
  using attempt = std::function<bool(std::chrono::nanoseconds)>;

  virtual ~waiting() = default;

  /// Waits with `come`, for `patience` at most; whether it has come.
  virtual bool wait(const attempt& come, std::chrono::nanoseconds patience) = 0;
};

/// What a runtime takes from the world around it: by default the machine's
/// clock, threads, randomness and databases. A simulation brings its own, and
/// the same actors run in it.
struct surroundings {
  using store_opener = std::function<std::unique_ptr<record_store>(
    const std::string& url, duration wait_max)>;

  /// The time of the machine, also where a pool's time is a manual one.
  std::shared_ptr<timepiece> time;

  /// Makes what runs openers that may block, so many at a time.
  std::function<std::shared_ptr<job_runner>(std::size_t workers)> make_runner;

  std::shared_ptr<waiting> waits;
  store_opener open_store;
  std::function<std::uint64_t()> random;      ///< any bits, evenly spread
  run_on records_thread = run_on::own_thread; ///< of persistence

  /// Whether a thread that asks a supervisor, or gives back to it, may do its
  /// work for a turn instead of waking another thread for it. A runtime refuses
  /// this in a simulation.
  bool lends_threads = false;

  /// Set in the configuration of an actor system whose actors only run when a
  /// test says so.
  static constexpr char simulated_option[] = "steward-testkit.simulated";

  /// All of it as the machine has it.
  static surroundings machine();
};

} // namespace steward
