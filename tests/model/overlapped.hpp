#pragma once

// Commands that do not wait for each other. What comes of them is nobody's to
// foretell, but no invariant may break, and what clients saw must make sense.

#include <steward/tests/model/jury.hpp>
#include <steward/tests/model/scenario.hpp>

#include <algorithm>
#include <string>
#include <variant>

namespace modelled {

/// Has a jury judge a pool.
class overlapped_subject {
public:
  overlapped_subject(const scenario& x, tally& seen, flaw has = flaw::none)
    : how_(x.how), tally_(seen),
      jury_({x.how, x.order.early_timers == 0, x.order.seed, has}, seen),
      pool_(x.how, x.order, jury_.script(), jury_) {
    tally_.begin_case();
    jury_.watch(pool_);
    pool_.sim().after_each_step([this] {
      // What a thread has got shows when it goes on.
      if (pool_.sim().at_rest() && !pool_.drained() && !blocked_)
        judge_at_rest();
      if (jury_.unanswered() > 1)
        tally_.add("waiting together");
    });
  }

  /// Does it and goes on at once.
  void run(const any_command& x, const pool_model& before) {
    std::visit([&](const auto& y) { act(y, before); }, x);
  }

  /// Lets everything come to its end. Throws `failure` if that is not good.
  void finish() {
    pool_.sim().order().be_fair();
    jury_.be_fair();
    auto until = later(pool_.sim().wall(), how_.pool.open_timeout + 30s);
    while (give_all_back()
           || (jury_.unanswered() > 0 && pool_.sim().wall() < until))
      pool_.sim().run_for(500ms);
    must_be_zero("I6", jury_.unanswered(), "requests were never answered");
    if (!pool_.drained()) {
      forget_all();
      ask_for_all();
      jury_.on_drain();
      pool_.drain(1s);
    }
    pool_.sim().run_for(how_.pool.tick); // the clock's last message to itself
    pool_.sim().expect_quiescent();      // I11
    jury_.judge_the_end();
  }

private:
  void judge_at_rest() {
    if (pool_.asleep() > 0)
      tally_.add_once("asleep");
    jury_.judge_at_rest();
  }

  // -- commands ---------------------------------------------------------------

  void act(const command::acquire& x, const pool_model&) {
    blocked_ = client_ways[x.who] == way::thread;
    pool_.acquire(x);
    blocked_ = false;
  }

  // The model thinks that there is one; that may be too early or too late.
  void act(command::give_back x, const pool_model&) {
    auto n = pool_.leases_of(x.who).size();
    if (n == 0)
      return;
    x.which %= static_cast<unsigned>(n);
    pool_.give_back(x);
  }

  void act(const command::give_back_wrongly& x, const pool_model&) {
    pool_.give_back_wrongly(x);
  }

  void act(const command::die& x, const pool_model&) {
    pool_.die(x);
    jury_.on_death(x.who);
  }

  void act(const command::evict& x, const pool_model&) {
    jury_.on_evict();
    pool_.evict(x);
  }

  void act(const command::pass& x, const pool_model&) {
    pool_.sim().run_for(x.how_long);
  }

  void act(const command::pass_until_due& x, const pool_model& before) {
    pool_.sim().run_for(before.length_of(x));
  }

  void act(command::fail_next_open, const pool_model&) {
    jury_.fail_next_open();
  }

  void act(const command::end_open&, const pool_model&) {
    // Opens end when they like.
  }

  void act(const command::drain& x, const pool_model&) {
    jury_.on_drain();
    auto report = pool_.drain(x.patience);
    tally_.add("revoked", report.revoked);
    must_be_zero("I11", report.abandoned + report.stuck + report.unwritten,
                 "things are left behind by a drain");
    must_be_zero("I11", jury_.open_now(), "resources are open after a drain");
  }

  void act(command::go_on x, const pool_model&) {
    for (; x.steps > 0 && !pool_.sim().at_rest(); --x.steps)
      pool_.sim().step();
  }

  // All must be quiet before, and nobody acts again before the clock has missed
  // the time: what happens in between is stamped with a time to come.
  void act(const command::sleep& x, const pool_model&) {
    pool_.sim().settle();
    if (jury_.jobs_under_way() > 0)
      return;
    jury_.on_sleep(x.how_long);
    pool_.sim().oversleep(x.how_long);
    pool_.sim().settle();
  }

  // -- the end ----------------------------------------------------------------

  bool give_all_back() {
    auto some = false;
    for (unsigned i = 0; i < clients; ++i)
      for (; !pool_.leases_of(i).empty(); some = true)
        pool_.give_back({i, 0, health::good});
    return some;
  }

  // Nobody wants anything any more: all goes by itself, or is told to. // I12
  void forget_all() {
    const auto& o = how_.pool;
    auto goes = o.idle_timeout != off || o.max_lifetime != off;
    // What the dead asked for may still be under way.
    pool_.sim().run_for(o.open_timeout + 2 * how_.jobs_take);
    if (!goes)
      for (unsigned i = 0; i < keys; ++i)
        act(command::evict{i}, pool_model{how_});
    auto rest = std::min(o.idle_timeout, o.max_lifetime);
    auto left = jury_.has(flaw::lingers_too_long) ? -o.linger : 4 * o.tick;
    pool_.sim().run_for((goes ? rest : 0s) + how_.jobs_take + o.linger + left);
    must_be_zero("nothing leaks", jury_.open_now(), "resources are open");
    must_be_zero("I12", pool_.stats().keys, "keys are still there");
  }

  // All that there may be is there again.
  void ask_for_all() {
    auto most = std::min<std::size_t>(how_.pool.total_max, keys);
    if (most < keys && jury_.has(flaw::wants_too_much))
      ++most;
    for (unsigned i = 0; i < most; ++i)
      pool_.acquire({1, i, 0, 0s});
    pool_.sim().settle();
    if (pool_.leases_of(1).size() != most)
      throw failure("nothing is lost", "there is less to lend than before");
  }

  static void must_be_zero(const char* what, std::uint64_t n,
                           const char* text) {
    if (n > 0)
      throw failure(what, std::to_string(n) + " " + text);
  }

  setup how_;
  tally& tally_;
  bool blocked_ = false;
  jury jury_;
  real_pool pool_;
};

/// The property that nothing breaks an invariant.
inline auto keeps_invariants(tally& seen, flaw has = flaw::none) {
  return [&seen, has](/* nothing: all is drawn inside */) {
    auto x = *scenarios<overlapped_subject>(kind::overlapped);
    overlapped_subject subject{x, seen, has};
    run_all(x, subject);
    subject.finish();
  };
}

} // namespace modelled
