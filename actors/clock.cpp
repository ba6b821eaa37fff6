#include <steward/actors/clock.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/duration_text.hpp>
#include <steward/core/planted.hpp>

#include <algorithm>
#include <utility>

namespace steward {

namespace {

struct beat_now {
  std::uint64_t generation;
};

spdlog::logger& logger() {
  static auto& result = logger_of("clock");
  return result;
}

// A loaded machine is late by that much now and then; more means that nothing
// ran at all.
duration lateness_max(duration tick) {
  return 2 * tick + std::chrono::seconds{1};
}

} // namespace

} // namespace steward

STEWARD_MESSAGE(steward::beat_now)

namespace steward {

clock_state::~clock_state() {
  if (config_.box != nullptr)
    config_.box->stop();
}

caf::behavior clock_state::make_behavior(clock_config config) {
  config_ = std::move(config);
  wheel_.emplace(config_.time->now());
  cafx::drop_unknown(self_);
  if (!config_.runs) // `advance` collects first
    config_.box->looks_at(time_point::min());
  return {
    [this](collect_alarms) { plan_wake(config_.time->now()); },
    [this](const tick_done& m) { on_done(m); },
    [this](const attended& m) { on_attended(m); },
    [this](const beat_now& m) {
      if (m.generation == generation_)
        beat();
    },
    [this](const clock_pool& m) {
      tick_ = pools_ ? std::min(tick_, m.tick) : m.tick;
      pools_ = true;
    },
    [this](const advance& m) -> caf::result<advanced> {
      if (config_.runs) // by its timer, and by nobody else
        return caf::make_error(caf::sec::unexpected_message);
      auto promise = self_->make_response_promise();
      start_advance(m.to,
                    [=, this]() mutable { promise.deliver(advanced{seq_}); });
      return promise;
    },
    [this](const advance_for_thread& m) {
      if (!config_.runs)
        start_advance(m.to, [done = m.done] { done->set_value(); });
    },
    [this](stop_clock) { self_->quit(); },
  };
}

void clock_state::collect() {
  auto left = config_.box->collect();
  if (!left)
    return;
  for (const auto& x : *left)
    if (!x.whom->over.load(std::memory_order_relaxed))
      put(x.whom, x.at);
}

void clock_state::on_done(const tick_done& m) {
  if (!STEWARD_PLANTED(never_rearmed))
    put(m.whom, m.next);
  one_answer();
  plan_wake(config_.time->now());
}

void clock_state::on_attended(const attended& m) {
  for (const auto& [whom, at] : m.next)
    put(whom, at);
  one_answer();
  plan_wake(config_.time->now());
}

void clock_state::one_answer() {
  if (outstanding_ > 0 && --outstanding_ == 0 && advanced_)
    go_on();
}

// What was armed for later stays in the wheel and is passed over then; but not
// more of it than of what counts, as it keeps keys in memory that have left.
void clock_state::put(const std::shared_ptr<recipient>& whom, time_point at) {
  if (at >= whom->armed)
    return;
  whom->armed = at;
  wheel_->insert(at, whom);
  if (wheel_->size() < purge_at_)
    return;
  wheel_->erase_if([](time_point t, const std::shared_ptr<recipient>& x) {
    return x->armed != t || x->over.load(std::memory_order_relaxed);
  });
  purge_at_ = std::max(purge_min, 2 * wheel_->size());
}

// How many answers will come.
std::size_t clock_state::wake_due(time_point now) {
  std::size_t result = 0;
  cleanup_tick tick{seq_ + 1, now};
  auto message = caf::make_message(tick); // one for all
  wheel_->pop_due(now, [&](time_point at, std::shared_ptr<recipient> whom) {
    if (whom->armed != at)
      return;
    seq_ = tick.seq;
    whom->armed = never;
    if (whom->tell(message))
      ++result;
    else if (leave_to_caretaker(std::move(whom), tick))
      ++result;
  });
  for (auto& [caretaker, all] : asleep_) {
    cafx::send(self_, caretaker, attend{std::move(all), tick});
    ++result;
  }
  asleep_.clear();
  return result;
}

// In parts, so that other actors have a turn in between. Whether one is full and
// was sent.
bool clock_state::leave_to_caretaker(std::shared_ptr<recipient> whom,
                                     const cleanup_tick& tick) {
  constexpr std::size_t part_max = 256;
  auto part = asleep_.try_emplace(whom->caretaker()).first;
  auto& all = part->second;
  all.push_back(std::move(whom));
  if (all.size() < part_max)
    return false;
  cafx::send(self_, part->first, attend{std::move(all), tick});
  asleep_.erase(part);
  return true;
}

// -- with a timer -------------------------------------------------------------

void clock_state::beat() {
  auto now = config_.time->now();
  auto late = now - std::exchange(planned_, never);
  if (late > lateness_max(tick_) && !STEWARD_PLANTED(lateness_counts)) {
    logger().warn("late_tick seq={} late={} effect=\"that time does not count "
                  "as idle\"",
                  seq_, to_text(late));
    config_.time->leave_out(late);
    now -= late;
  }
  collect();
  wake_due(now);
  // From the same reading: a stop between two of them would go unnoticed.
  plan_wake(now);
}

// One timer counts, the latest planned; the others find their generation gone.
void clock_state::plan_wake(time_point now) {
  if (!config_.runs)
    return;
  do {
    collect();
    if (wheel_->size() == 0)
      continue;
    auto next = std::clamp(wheel_->next(), now, later(now, tick_));
    if (next >= planned_)
      continue;
    planned_ = next;
    cafx::send_later(self_, next - now, beat_now{++generation_});
  } while (!config_.box->looks_at(planned_));
}

// -- without ------------------------------------------------------------------

void clock_state::start_advance(time_point to, std::function<void()> done) {
  advanced_ = std::move(done);
  target_ = to;
  go_on();
}

// One instant after the other; the next one when all have answered.
void clock_state::go_on() {
  collect();
  while (outstanding_ == 0) {
    auto next = wheel_->next();
    if (next > target_)
      break;
    config_.set_time(next);
    outstanding_ = wake_due(next);
  }
  if (outstanding_ > 0)
    return;
  config_.set_time(target_);
  config_.box->raise(wheel_->next());
  std::exchange(advanced_, nullptr)();
}

caf::behavior clock_actor(caf::stateful_actor<clock_state>* self,
                          clock_config config) {
  return cafx::state(self).make_behavior(std::move(config));
}

} // namespace steward
