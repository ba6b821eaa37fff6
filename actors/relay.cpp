#include <steward/actors/relay.hpp>

#include <steward/core/planted.hpp>

#include <cassert>
#include <mutex>
#include <utility>

namespace steward {

void relay::open(terms what, line who) {
  std::lock_guard lock{guard_};
  assert(line_.empty() && !who.empty());
  terms_ = std::move(what);
  line_ = std::move(who);
  open_.store(true, std::memory_order_relaxed);
}

relay::line relay::call_in() {
  if (!open_.load(std::memory_order_relaxed)) // nobody else opens it
    return {};
  std::lock_guard lock{guard_};
  open_.store(false, std::memory_order_relaxed);
  return std::exchange(line_, {});
}

bool relay::join(std::string_view params, time_point deadline,
                 function_ref<sink()> make, as who) {
  if (!open_.load(std::memory_order_relaxed))
    return false;
  std::lock_guard lock{guard_};
  // unreached: closed between these two looks
  if (!open_.load(std::memory_order_relaxed) || params != terms_.params
      || deadline < terms_.armed_at || line_.size() >= terms_.waiters_max)
    return false;
  if (who == as::user && is_expected())
    return false;
  line_.push_back({deadline, make()});
  return true;
}

bool relay::pass_on(slot& place) noexcept {
  // A grant that nobody takes comes back by this way. The supervisor gets it
  // then: else a line of the dead would be a recursion as deep as it is long.
  static thread_local bool passing = false;
  if (passing || !open_.load(std::memory_order_relaxed) || is_expected())
    return false;
  sink next;
  {
    std::lock_guard lock{guard_};
    if (line_.empty()) // who joins from now on is called in for our message
      return false;
    if (STEWARD_PLANTED(last_runner_first))
      std::swap(line_.front(), line_.back());
    next = std::move(line_.front().who);
    line_.pop_front();
  }
  passing = true;
  next->granted(hold{&place});
  passing = false;
  return true;
}

} // namespace steward
