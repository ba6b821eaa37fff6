#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/core/timing_wheel.hpp>
#include <steward/messages/tick.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace steward {

/// How a clock runs.
struct clock_config {
  std::shared_ptr<timepiece> time;
  std::shared_ptr<alarms> box;
  /// Whether it has a timer of its own; else `advance` moves it, and it sets
  /// `time` through `set_time`.
  bool runs = true;
  std::function<void(time_point)> set_time = {};
};

/// The only actor with a timer. Wakes each actor at the time it asked for, or
/// its caretaker if it sleeps, and as long as any is armed, itself at each tick
/// of the shortest pool: then it notices when the whole process was stopped, and
/// takes that time out of the time line, so that nothing is closed for time that
/// nobody could use.
class clock_state {
public:
  using self_pointer = caf::stateful_actor<clock_state>*;

  explicit clock_state(self_pointer self) : self_(self) {
  }

  ~clock_state();

  static constexpr const char* name = "steward.clock";

  caf::behavior make_behavior(clock_config config);

private:
  static constexpr std::size_t purge_min = 1024;

  void on_done(const tick_done& m);
  void on_attended(const attended& m);
  void collect();
  void put(const std::shared_ptr<recipient>& whom, time_point at);
  std::size_t wake_due(time_point now);
  bool leave_to_caretaker(std::shared_ptr<recipient> whom,
                          const cleanup_tick& tick);
  void one_answer();
  void beat();
  void plan_wake(time_point now);
  void start_advance(time_point to, std::function<void()> done);
  void go_on();

  self_pointer self_;
  clock_config config_;
  std::optional<timing_wheel<std::shared_ptr<recipient>>> wheel_;
  std::size_t purge_at_ = purge_min; // when so many are in the wheel
  std::map<caf::actor, std::vector<std::shared_ptr<recipient>>> asleep_;
  std::uint64_t seq_ = 0;
  duration tick_ = std::chrono::seconds{1}; // the shortest of all pools
  bool pools_ = false;
  time_point planned_ = never; // of the timer that counts
  std::uint64_t generation_ = 0;

  // Of an `advance`: until when, who has yet to answer, whom to tell.
  time_point target_{};
  std::size_t outstanding_ = 0;
  std::function<void()> advanced_; // null: nobody
};

/// Spawns as `caf::actor`.
caf::behavior clock_actor(caf::stateful_actor<clock_state>* self,
                          clock_config config);

} // namespace steward
