#include <steward/runtime/replay.hpp>

#include <steward/messages/tick.hpp>
#include <steward/runtime/runtime.hpp>

#include <algorithm>
#include <deque>
#include <future>
#include <utility>

namespace steward {

namespace {

using steady = std::chrono::steady_clock;

/// What a replay opens: nothing, and at once.
struct stand_in {};

struct stand_in_opener {
  static constexpr bool blocks = false;

  stand_in operator()(const open_request&) const {
    return {};
  }
};

// What the driver shares with the thread that waits for it.
struct drive {
  std::span<const timed_request> requests;
  const replay_options* options;
  std::shared_ptr<manual_timepiece> time;
  std::shared_ptr<pool_core> pool;
  caf::actor clock;
  const alarms* next_due;
  caf::actor persistence;
  std::shared_ptr<const record_counters> counters;

  std::atomic<std::uint64_t> answered{0};
  std::uint64_t reused = 0;
  std::uint64_t rejected = 0;
  bool stopped = false;
  std::string records_error;
  std::promise<void> finished;
};

// More unwritten records than that, and the driver waits for the database.
constexpr std::uint64_t backlog_max = 20'000;

constexpr std::uint64_t look_around_every = 1'024;

/// The actor that goes through the requests: one event after the other, each
/// only after all that followed from the one before. It is an actor because its
/// messages to supervisors and back need no thread to wake up.
class driver_state {
public:
  using self_pointer = caf::stateful_actor<driver_state>*;

  explicit driver_state(self_pointer self) : self_(self) {
  }

  static constexpr const char* name = "steward.replay";

  caf::behavior make_behavior(std::shared_ptr<drive> d) {
    d_ = std::move(d);
    self_->set_exception_handler(
      [this](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error {
        d_->finished.set_exception(e);
        return caf::exit_reason::unhandled_exception;
      });
    return {
      [this](caf::ok_atom) { go_on(); },
    };
  }

private:
  struct held {
    time_point until;
    hold what;
  };

  // Until there is something to wait for, or the end.
  void go_on() {
    while (next_ < d_->requests.size()) {
      if (next_ % look_around_every == 0 && next_ != looked_at_) {
        looked_at_ = next_;
        if (look_around())
          return;
      }
      const auto& r = d_->requests[next_];
      if (!reach(r.at))
        return;
      if (auto free = d_->pool->try_borrow(r.key, r.params)) {
        ++d_->reused;
        take(std::move(free));
      } else {
        return ask(r);
      }
    }
    finish();
  }

  // At one instant returns come first, then the tick. False if the clock was
  // asked to go on: then so do we, later.
  bool reach(time_point t) {
    for (;;) {
      auto back = held_.empty() ? never : held_.front().until;
      auto due = d_->next_due->next();
      if (back <= t && back <= due) {
        d_->time->set(back);
        held_.pop_front();
      } else if (due <= t) {
        advance(std::min(t, back == never ? t : back - duration{1}));
        return false;
      } else {
        d_->time->set(t);
        return true;
      }
    }
  }

  void advance(time_point to) {
    cafx::request(self_, d_->clock, steward::advance{to})
      .then([this](const advanced&) { go_on(); },
            [this](const caf::error& e) { give_up(describe(e)); });
  }

  void ask(const timed_request& r) {
    auto error = d_->pool->ask(
      self_, r.key, {std::string{r.params}, std::chrono::hours{24}}, [this] {
        return std::make_shared<waiting_actor>(cafx::ask<granted_hold>(
          self_,
          [this](const granted_hold& x) {
            if (!x.what->fresh())
              ++d_->reused;
            take(std::move(*x.what));
            go_on();
          },
          [this](const caf::error&) {
            ++d_->rejected;
            answered();
            go_on();
          }));
      });
    if (error)
      give_up(describe(error));
  }

  void take(hold what) {
    held_.push_back({d_->time->now() + d_->options->hold, std::move(what)});
    answered();
  }

  void answered() {
    ++next_;
    d_->answered.store(next_, std::memory_order_relaxed);
  }

  // Ctrl-C, and a database that cannot keep up; true if it has to wait.
  bool look_around() {
    if (d_->options->stop != nullptr && *d_->options->stop) {
      d_->stopped = true;
      finish();
      return true;
    }
    if (d_->counters == nullptr || d_->counters->queued < backlog_max)
      return false;
    auto deadline = later(system_timepiece{}.now(), std::chrono::seconds{30});
    cafx::request(self_, d_->persistence, flush_records{deadline})
      .then(
        [this](const records_flushed& x) {
          if (x.pending == 0)
            return go_on();
          d_->records_error = x.cause;
          finish();
        },
        [this](const caf::error& e) { give_up(describe(e)); });
    return true;
  }

  void give_up(std::string why) {
    d_->records_error = std::move(why);
    finish();
  }

  // At the end of input everything is given back where time stands.
  void finish() {
    held_.clear();
    self_->quit();
    d_->finished.set_value();
  }

  self_pointer self_;
  std::shared_ptr<drive> d_;
  std::deque<held> held_; // in the order in which they come back
  std::size_t next_ = 0;
  std::size_t looked_at_ = static_cast<std::size_t>(-1);
};

caf::behavior driver(caf::stateful_actor<driver_state>* self,
                     std::shared_ptr<drive> d) {
  return cafx::state(self).make_behavior(std::move(d));
}

void wait_for(drive& d, const replay_options& options) {
  auto done = d.finished.get_future();
  while (done.wait_for(std::chrono::milliseconds{50})
         != std::future_status::ready)
    if (options.progress)
      options.progress(d.answered.load(std::memory_order_relaxed));
  done.get();
}

} // namespace

replay_result replay(std::span<const timed_request> requests,
                     const replay_options& options) {
  replay_result result;
  caf::actor_system_config cfg;
  configure(cfg);
  if (options.threads > 0)
    cafx::set_threads(cfg, options.threads);
  caf::actor_system sys{cfg};
  auto d = std::make_shared<drive>();
  d->requests = requests;
  d->options = &options;
  d->time = std::make_shared<manual_timepiece>(
    requests.empty() ? time_point{} : requests.front().at);
  runtime rt{sys,
             {.records = options.records,
              .owner = options.owner,
              .drain_timeout = std::chrono::seconds{60},
              .close_timeout = std::chrono::seconds{30},
              .time = d->time}};
  auto limits = options.pool;
  limits.recorded = !options.records.empty();
  auto pool = rt.make_pool<stand_in>(limits, stand_in_opener{});
  d->pool = pool.core();
  d->clock = rt.clock();
  d->next_due = &rt.next_due();
  if (limits.recorded) {
    d->persistence = rt.records().actor();
    d->counters = rt.records().shared_counters();
  }
  auto counters = d->counters;

  auto started = steady::now();
  cafx::send_anon(sys.spawn(driver, d), caf::ok_atom::value);
  wait_for(*d, options);
  d->persistence = {};
  d->clock = {};
  auto drained = rt.drain(std::chrono::hours{1}); // a million closes take time
  result.wall_time = steady::now() - started;

  auto stats = pool.stats();
  result.requests = d->answered;
  result.opened = stats.opened;
  result.reused = d->reused;
  result.rejected = d->rejected;
  result.closed = stats.closed;
  result.peak_open = stats.open_peak;
  result.stopped = d->stopped;
  if (result.requests > 0)
    result.virtual_time
      = requests[static_cast<std::size_t>(result.requests) - 1].at
        - requests.front().at;
  if (counters != nullptr) {
    result.records_written = counters->written;
    result.conflicts = counters->conflicts;
  }
  result.records_missing = drained.unwritten;
  result.records_error = d->records_error.empty() ? drained.records_error
                                                  : d->records_error;
  return result;
}

} // namespace steward
