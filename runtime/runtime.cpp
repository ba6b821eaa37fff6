#include <steward/runtime/runtime.hpp>

#include <steward/actors/clock.hpp>
#include <steward/actors/log.hpp>
#include <steward/core/one_line.hpp>
#include <steward/messages/lent_thread.hpp>
#include <steward/messages/tick.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <utility>

#include <unistd.h>

namespace steward {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t workers_max = 1024;

void require_patience(const char* name, duration value) {
  if (value < duration::zero() || value > std::chrono::hours{24})
    throw invalid_options(fmt::format(
      "{} is {}ms; allowed: 0 to 1 day", name,
      std::chrono::duration_cast<std::chrono::milliseconds>(value).count()));
}

std::string made_up_owner(std::uint64_t random) {
  return fmt::format("{}-{:08x}", ::getpid(), random & 0xffffffff);
}

std::chrono::nanoseconds left_until(steady::time_point t) {
  return std::max(std::chrono::nanoseconds{0},
                  std::chrono::nanoseconds{t - steady::now()});
}

spdlog::logger& logger() {
  static auto& result = logger_of("runtime");
  return result;
}

} // namespace

runtime::runtime(caf::actor_system& sys, runtime_options options,
                 surroundings around)
  : sys_(sys), options_(std::move(options)), around_(std::move(around)),
    alarms_(std::make_shared<alarms>()) {
  if (options_.workers == 0 || options_.workers > workers_max)
    throw invalid_options(fmt::format("workers is {}; allowed: 1 to {}",
                                      options_.workers, workers_max));
  // Whoever waited would wait for actors that nobody runs meanwhile.
  if (around_.lends_threads
      && caf::get_or(sys_.config(), surroundings::simulated_option, false))
    throw invalid_options("surroundings are the machine's; allowed in a "
                          "simulation: its own, as of testkit::simulated");
  require_patience("drain_timeout", options_.drain_timeout);
  require_patience("close_timeout", options_.close_timeout);
  if (options_.owner.empty())
    options_.owner = made_up_owner(around_.random());
  clock_config clock;
  if (options_.time == nullptr) {
    time_ = around_.time;
  } else {
    time_ = options_.time;
    clock.runs = false;
    clock.set_time = [t = options_.time](time_point now) { t->set(now); };
  }
  clock.time = time_;
  clock.box = alarms_;
  // Opened before anything is started: it is what may fail.
  if (!options_.records.empty())
    records_ = open_records(sys_, {options_.records, options_.owner}, around_);
  clock_ = sys_.spawn(clock_actor, std::move(clock));
  workers_ = around_.make_runner(options_.workers);
}

runtime::~runtime() {
  drain(options_.drain_timeout);
}

std::shared_ptr<pool_core>
runtime::add_pool(pool_options options, std::shared_ptr<any_opener> opener) {
  options = overlaid(std::move(options), sys_.config());
  require_valid(options);
  if (options.recorded && records_ == nullptr)
    throw invalid_options("recorded is true; allowed: only in a runtime with "
                          "records");
  std::lock_guard lock{guard_};
  if (drained_)
    throw invalid_options("the runtime has drained; make pools before");
  for (const auto& other : pools_)
    if (other->options().name == options.name)
      throw invalid_options("name is \"" + options.name
                            + "\"; allowed: a name that no other pool has");
  auto context = std::make_shared<pool_context>(std::move(options), time_,
                                                std::move(opener));
  context->clock = clock_;
  context->alarm_box = alarms_;
  context->runner = workers_;
  context->lends_to = around_.lends_threads ? &sys_ : nullptr;
  context->owner = options_.owner;
  context->secret = around_.random();
  if (context->options.recorded) {
    context->persistence = records_->actor();
    auto counters = records_->shared_counters();
    context->backlog = {counters, &counters->queued};
  }
  cafx::send_anon(clock_, clock_pool{context->options.tick});
  pools_.push_back(
    std::make_shared<pool_core>(sys_, std::move(context), around_.waits));
  return pools_.back();
}

// One for all durable pools of this runtime, as they die together.
std::shared_ptr<record_guard> runtime::guard_of(const pool_options& options) {
  require_valid(overlaid(options, sys_.config()));
  if (records_ == nullptr)
    throw invalid_options("a durable pool is allowed only in a runtime with "
                          "records");
  std::lock_guard lock{joining_};
  if (!records_guard_)
    records_guard_
      = std::make_shared<record_guard>(records_,
                                       guard_options{.url = options_.records,
                                                     .owner = options_.owner,
                                                     .lease = options_.lease},
                                       around_);
  return records_guard_;
}

void runtime::warn_of(const reclaim_report& report) {
  for (auto& x : report.failed)
    logger().warn("not_reclaimed record={}", one_line(x));
  for (auto& x : report.left)
    logger().info("not_reclaimed_yet open={} owner=\"{}\" incarnation={}",
                  x.open, one_line(x.owner), x.incarnation);
}

// In a worker, as it is user code. Who has renewed his lease all the while is
// alive: what he leaves when he dies is for who starts then.
void runtime::look_again(
  std::function<reclaim_report(const reclaim_report& before)> attempt,
  reclaim_report before) {
  struct state {
    std::function<reclaim_report(const reclaim_report&)> attempt;
    reclaim_report last;
    int attempts_left = 6; // two leases
    std::atomic<bool> under_way{false};
  };
  auto late = std::make_shared<state>();
  late->attempt = std::move(attempt);
  late->last = std::move(before);
  auto look = [late] {
    try {
      late->last = late->attempt(late->last);
      warn_of(late->last);
    } catch (const std::exception& x) {
      logger().warn("not_reclaimed cause=\"{}\"", one_line(x.what()));
    }
    late->under_way = false;
    return [] {};
  };
  auto at_beat = [late, look, runner = workers_] {
    if (late->under_way.exchange(true))
      return true;
    auto go_on = !late->last.left.empty() && late->attempts_left-- > 0;
    if (go_on)
      runner->run({look});
    return go_on;
  };
  std::lock_guard lock{joining_};
  if (records_guard_)
    records_guard_->at_each_beat(std::move(at_beat));
}

void runtime::advance(time_point to) {
  std::lock_guard turn{advancing_}; // a clock knows one target at a time
  caf::actor clock;
  {
    std::lock_guard lock{guard_};
    clock = clock_;
  }
  if (!clock) // drained
    return;
  auto done = std::make_shared<std::promise<void>>();
  auto answer = done->get_future();
  // Where nothing is due, no other thread has to wake up.
  cafx::lent_thread me{sys_};
  me.send(clock, caf::make_message(advance_for_thread{to, std::move(done)}));
  me.run();
  answer.wait(); // also over if the promise was dropped
}

// -- the end ------------------------------------------------------------------

drain_report runtime::drain(duration patience) {
  std::lock_guard turn{draining_}; // who comes second waits for the end
  drain_report report;
  {
    std::lock_guard lock{guard_};
    if (std::exchange(drained_, true))
      return report;
  }
  drain_pools(patience, report);
  report.stuck = workers_->stop(options_.close_timeout);
  for (auto& p : pools_) {
    report.revoked += p->stats().revoked;
    p->end();
  }
  {
    std::lock_guard lock{joining_};
    if (records_guard_)
      records_guard_->end(); // what is still open is anybody's now
    records_guard_.reset();
  }
  if (records_ != nullptr) {
    auto last = records_->stop({options_.close_timeout});
    report.unwritten = last.pending;
    report.records_error = last.cause;
    // A handle to an actor with a thread of its own would keep the actor
    // system from ending. A worker that is still in a call of the guard has one
    // until that ends, which has a limit.
    records_.reset();
  }
  cafx::send_anon(clock_, stop_clock{});
  {
    std::lock_guard lock{guard_};
    clock_ = {};
  }
  if (!report.clean())
    logger().warn("drained revoked={} abandoned={} stuck={} unwritten={} "
                  "error=\"{}\"",
                  report.revoked, report.abandoned, report.stuck,
                  report.unwritten, report.records_error);
  pools_.clear();
  return report;
}

// Every pool gets the same time; each step begins for all of them at once.
void runtime::drain_pools(duration patience, drain_report& report) {
  auto come = [this](std::chrono::nanoseconds patience_of_all) {
    auto until = steady::now() + patience_of_all;
    return std::all_of(pools_.begin(), pools_.end(), [&](auto& p) {
      return p->wait_drained(left_until(until));
    });
  };
  auto all_drained = [&](std::chrono::nanoseconds time) {
    return around_.waits->wait(come, time);
  };
  for (auto& p : pools_)
    p->start_drain();
  if (all_drained(patience))
    return;
  for (auto& p : pools_)
    p->force_drain();
  if (all_drained(options_.close_timeout))
    return;
  for (auto& p : pools_) {
    report.abandoned += p->stats().keys;
    p->abandon_all();
  }
  all_drained(options_.close_timeout);
}

} // namespace steward
