#pragma once

// Judges a pool by what its opener and its clients say, and never by what the
// pool says of itself.

#include <steward/testkit/history_check.hpp>
#include <steward/testkit/random_stream.hpp>
#include <steward/tests/model/flaws.hpp>
#include <steward/tests/model/line_watch.hpp>
#include <steward/tests/model/real_pool.hpp>
#include <steward/tests/model/tally.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace modelled {

class jury final : public witness {
public:
  struct options {
    setup of;
    bool time_waits = true; ///< for messages, so that times can be judged
    std::uint64_t seed = 0; ///< of how long jobs take
    flaw has = flaw::none;
  };

  jury(options how, tally& seen)
    : how_(std::move(how)), tally_(seen), random_(how_.seed, "jobs"),
      line_(as_said(), has(flaw::line_in_reverse)),
      book_(
        limits(), [this](failure x) { pool_->sim().report(std::move(x)); },
        [this] { return pool_->sim().wall(); }),
      history_([this] { return ++stamp_; }), opener_(history_.as("opener")) {
    for (unsigned i = 0; i < clients; ++i)
      records_.push_back(history_.as(name_of_client(i)));
  }

  /// What the opener of the pool must do.
  std::shared_ptr<const opener_script> script() {
    auto result = std::make_shared<opener_script>();
    result->opening = [this](const open_request& x) { on_opening(x); };
    result->fails = [this](const open_request&) {
      return failing_ > 0 && failing_-- > 0;
    };
    result->opened = [this](const open_request& x, bool well) {
      on_opened(x, well);
    };
    result->closing = [this](const thing& x, close_reason why) {
      on_closing(x, why);
    };
    result->closed = [this](std::uint64_t id) {
      --jobs_;
      if (!has(flaw::closes_nothing))
        book_.closed(id);
    };
    result->healthy = [this](const thing& x) {
      return !pool_->is_broken(x.id);
    };
    if (how_.of.jobs_take > 0s) {
      result->open_takes = [this](const open_request& x) {
        auto d = job_takes();
        lives_[x.id].late = d > how_.of.pool.open_timeout;
        return d;
      };
      result->close_takes = [this] { return job_takes(); };
    }
    return result;
  }

  /// To be called before anything happens.
  void watch(real_pool& pool) {
    pool_ = &pool;
  }

  bool has(flaw x) const noexcept {
    return how_.has == x;
  }

  // -- what else happens ------------------------------------------------------

  void on_evict() {
    ++evictions_asked_;
  }

  void on_death(unsigned who) {
    for (auto& r : requests_)
      if (r.what.who == who && r.waits()) {
        r.widowed = true;
        records_[who].in_doubt(r.ticket, "died");
        somebody_died_waiting_ = true;
        tally_.add("widowed");
      }
  }

  /// From now on deadlines cannot be judged: whether they count the sleep shows
  /// only when the clock has woken.
  void on_sleep(duration d) {
    slept_ += has(flaw::sleeps_twice) ? 2 * d : d;
    doubt_ += how_.of.pool.tick; // when the clock would have woken
    how_.time_waits = false;
  }

  void fail_next_open() {
    ++failing_;
  }

  /// From now on jobs take no time, and opens do not fail.
  void be_fair() {
    fair_ = true;
    failing_ = 0;
  }

  /// What a drain takes away counts as given back before.
  void on_drain() {
    if (unanswered() > 0)
      tally_.add("drained with requests");
    for (unsigned i = 0; i < clients; ++i)
      for (const auto& lease : pool_->leases_of(i))
        record_back(i, lease);
    taken_away_ = true;
    book_.allow_revoking();
  }

  // -- judging ----------------------------------------------------------------

  /// Throws `failure` if something is wrong now that nobody has mail.
  void judge_at_rest() {
    for (const auto& [id, x] : lives_) {
      auto name = "resource " + std::to_string(id);
      if (is_overdue(x))
        throw failure("I5", name + " is idle and was not closed");
      for (const auto& r : requests_)
        if (is_free_for(x, r))
          throw failure("I7", name_of_client(r.what.who) + " waits while "
                                + name + " is free");
    }
    if (jobs_ == 0 && evictions_asked_ > evictions_answered_)
      throw failure("I6", "an eviction is not answered");
    for (const auto& r : requests_)
      if (r.waits())
        judge_waiting(r);
    if (line_.judge_at_rest(requests_, jobs_ == 0) > 1)
      tally_.add("in line together");
  }

  /// Throws `failure` if not all is over.
  void judge_the_end() const {
    if (auto n = book_.open_now(); n > 0)
      throw failure("I11", std::to_string(n) + " resources are open");
    auto s = pool_->stats();
    if (s.opened != book_.opened() || s.open_failed != book_.failed()
        || s.closed_total() != book_.closed() || s.open != 0)
      throw failure("the pool counts wrong", text_of(s));
    auto verdict = testkit::check_leases(history_.operations(),
                                         {how_.of.pool.per_key_max,
                                          how_.of.pool.holders_max});
    if (!verdict.right())
      throw failure("history", verdict.text());
  }

  std::size_t unanswered() const {
    return static_cast<std::size_t>(
             std::count_if(requests_.begin(), requests_.end(),
                           [](const auto& r) { return r.waits(); }))
           + evictions_asked_ - evictions_answered_;
  }

  std::size_t open_now() const {
    return book_.open_now();
  }

  std::size_t jobs_under_way() const noexcept {
    return jobs_;
  }

private:
  // As users see it.
  struct life {
    std::string key = {};
    std::string with = {};
    time_point unused_since = {};
    time_point awake_then = {}; // the same without sleep
    std::size_t users = 0;
    bool used = false;
    bool late = false; // to open
    bool open = false; // neither opening nor closing
  };

  duration job_takes() {
    return fair_ ? 0s : duration{random_.between(0, how_.of.jobs_take.count())};
  }

  time_point awake() const {
    return pool_->sim().wall() - slept_;
  }

  void unused(life& x) const {
    x.unused_since = pool_->sim().now();
    x.awake_then = awake();
  }

  // What the line is judged by.
  pool_options as_said() const {
    auto result = how_.of.pool;
    result.waiters_max += has(flaw::line_is_longer) ? 1u : 0u;
    return result;
  }

  testkit::truth_limits limits() const {
    const auto& o = how_.of.pool;
    auto idle = o.idle_timeout == off ? duration{0} : o.idle_timeout;
    if (has(flaw::idle_takes_longer))
      idle += o.tick;
    return {o.per_key_max - (has(flaw::one_less_per_key) ? 1u : 0u),
            o.total_max - (has(flaw::one_less_in_all) ? 1u : 0u), o.holders_max,
            idle};
  }

  // -- what the opener says ---------------------------------------------------

  void on_opening(const open_request& x) {
    ++jobs_;
    book_.opening(x.id, std::string{x.key});
    lives_[x.id] = {std::string{x.key},
                    has(flaw::mixes_params_up) ? "other"
                                               : std::string{x.params},
                    pool_->sim().now()};
    lives_[x.id].late = has(flaw::always_late);
    if (has(flaw::opens_ghosts)) {
      constexpr std::uint64_t ghost = 1'000'000;
      book_.opening(x.id + ghost, "ghost");
      book_.closing(x.id + ghost, close_reason::requested);
      book_.closed(x.id + ghost);
    }
  }

  void on_opened(const open_request& x, bool well) {
    --jobs_;
    unused(lives_[x.id]);
    lives_[x.id].open = well;
    if (well)
      return;
    book_.open_failed(x.id);
    lives_.erase(x.id);
  }

  void on_closing(const thing& x, close_reason why) {
    ++jobs_;
    tally_.add(to_string(why));
    opener_.complete(opener_.invoke("close", x.key, std::to_string(x.id)));
    auto& of = lives_[x.id];
    if (how_.time_waits && of.late && why != close_reason::stalled
        && why != close_reason::drained)
      violated("stalled", "resource " + std::to_string(x.id)
                            + " was opened too late and closed as "
                            + std::string{to_string(why)});
    if (why == close_reason::idle
        && awake() - of.awake_then + doubt_ < how_.of.pool.idle_timeout)
      violated("I5", "resource " + std::to_string(x.id)
                       + " was closed as idle for a sleep");
    of.open = false;
    if (has(flaw::closes_nothing))
      return;
    book_.closing(x.id, why);
    if (has(flaw::closes_twice))
      book_.closing(x.id, why);
  }

  // -- what clients say -------------------------------------------------------

  void on_asked(unsigned, const command::acquire& what) override {
    auto within = what.within > 0s ? what.within : how_.of.pool.open_timeout;
    if (has(flaw::no_time_at_all))
      within = duration{-1};
    requests_.push_back(
      {what, pool_->sim().now() + within,
       records_[what.who].invoke("acquire", name_of_key(what.key),
                                 name_of_params(what.with))});
    line_.on_asked(requests_, pool_->sim().now());
  }

  void on_granted(unsigned who, const held& what) override {
    if (has(flaw::hears_no_grant) && what.request % 2 == 0)
      return;
    auto& r = answered(what.request);
    judge_order(what.request);
    r.just_granted = true;
    if (r.stood > 0)
      tally_.add("served in line");
    records_[who].complete(r.ticket,
                           std::to_string(what.id) + " " + name_of_lease(what));
    if (taken_away_)
      record_back(who, what);
    tally_.add(what.fresh ? "fresh" : "reused");
    book_.use_begins(what.id, name_of_lease(what));
    auto& of = lives_[what.id];
    of.used = true;
    ++of.users;
    if (of.key != name_of_key(r.what.key)
        || of.with != name_of_params(r.what.with))
      violated("params", name_of_client(who) + " got another's resource");
  }

  void on_refused(unsigned who, unsigned number,
                  const caf::error& why) override {
    if (has(flaw::hears_no_drain) && code_of(why) == errc::draining)
      return;
    auto& r = answered(number);
    records_[who].fail(r.ticket, describe(why));
    auto code = code_of(why);
    if (!code)
      return violated("I6", "a request got " + describe(why));
    tally_.add(to_string(*code));
    if (code == errc::deadline_exceeded)
      on_too_late(r);
    if (code == errc::key_full && !line_.can_be_full(r))
      violated("waiters_max", name_of_request(number - 1)
                                + " was refused though there was room in line");
  }

  // A thread looks at the clock itself, and may give up before its supervisor
  // hears of it.
  void on_too_late(asked& r) {
    if (client_ways[r.what.who] == way::thread)
      r.counts_until = how_.time_waits ? r.deadline : never;
    if (r.stood > 0)
      tally_.add("too late in line");
  }

  void on_back(unsigned who, const held& what) override {
    if (!taken_away_ && !has(flaw::gives_back_unsaid))
      record_back(who, what);
    auto& of = lives_[what.id];
    --of.users;
    unused(of);
    if (!has(flaw::uses_after))
      book_.use_ends(what.id, name_of_lease(what));
  }

  void on_evicting(const caf::expected<evicting>& what) override {
    evictions_answered_ += has(flaw::hears_no_eviction) ? 0u : 1u;
    if (!what && !code_of(what.error()))
      violated("I6", "evict got " + describe(what.error()));
  }

  asked& answered(unsigned number) {
    auto& r = requests_[number - 1];
    auto name = "request " + std::to_string(number);
    if (std::exchange(r.answered, true) || has(flaw::answers_twice))
      violated("I6", name + " was answered twice");
    r.counts_until = time_point::min();
    if (r.widowed)
      violated("I6", name + " of a dead client was answered");
    if (how_.time_waits && pool_->sim().now() > r.deadline)
      violated("I6", name + " was answered after its deadline");
    return r;
  }

  // Messages of one client arrive in the order in which they were sent, and so
  // must their answers where one resource would do for all of them.
  void judge_order(unsigned number) {
    const auto& granted = requests_[number - 1].what;
    if (client_ways[granted.who] != way::message)
      return;
    for (unsigned i = 1; i <= requests_.size(); ++i) {
      const auto& r = requests_[i - 1];
      auto overtaken = has(flaw::arrives_in_reverse) ? i > number : i < number;
      if (overtaken && r.waits() && r.what.who == granted.who
          && r.what.key == granted.key && r.what.with == granted.with)
        violated("I7", "request " + std::to_string(number) + " overtook "
                         + std::to_string(i));
    }
  }

  static std::string name_of_lease(const held& what) {
    return "r" + std::to_string(what.request);
  }

  void record_back(unsigned who, const held& what) {
    records_[who].complete(records_[who].invoke(
      "release", name_of_key(what.key), name_of_lease(what)));
  }

  void violated(std::string what, const std::string& detail) {
    pool_->sim().report(failure{std::move(what), detail});
  }

  // -- what must not be -------------------------------------------------------

  // What was lent to the dead was used, and only the pool knows.
  bool is_overdue(const life& x) const {
    const auto& o = how_.of.pool;
    if (!how_.time_waits || somebody_died_waiting_ || !x.open || x.users > 0
        || o.idle_timeout == off)
      return false;
    auto due = x.unused_since + o.idle_timeout;
    if (has(flaw::idle_takes_shorter))
      due -= o.tick;
    auto ticks = (due - origin + o.tick - duration{1}) / o.tick;
    // Of what is due now not all may have happened.
    return pool_->sim().now() > origin + ticks * o.tick;
  }

  // What was lent before and has no user is free. Where users share, what has
  // fewer than it may have can be doomed.
  bool is_free_for(const life& x, const asked& r) const {
    return how_.of.pool.holders_max == 1 && r.waits() && x.open && x.used
           && x.users == 0 && x.key == name_of_key(r.what.key)
           && x.with == name_of_params(r.what.with);
  }

  // Where no opener runs, a request can wait only for its turn: its key is
  // full, and nothing may be evicted for it.
  void judge_waiting(const asked& r) const {
    const auto& o = how_.of.pool;
    auto name = name_of_client(r.what.who);
    if (how_.time_waits && pool_->sim().now() > r.deadline)
      throw failure("I6", name + " waits beyond its deadline");
    if (jobs_ > 0)
      return;
    auto stays = [&](const auto& x) {
      return x.second.open && x.second.key == name_of_key(r.what.key)
             && (x.second.users > 0 || o.when_full == full_policy::reject);
    };
    auto taken = static_cast<std::size_t>(
      std::count_if(lives_.begin(), lives_.end(), stays));
    if (o.waiters_max == 0
        || taken < o.per_key_max + (has(flaw::waits_for_less) ? 1u : 0u))
      throw failure("I7", name + " waits, and nothing is under way");
  }

  options how_;
  tally& tally_;
  real_pool* pool_ = nullptr;
  testkit::random_stream random_;
  bool somebody_died_waiting_ = false;
  bool taken_away_ = false;
  bool fair_ = false;
  duration slept_{0};
  duration doubt_{0}; // how much of that may count as awake
  unsigned failing_ = 0;
  std::size_t jobs_ = 0; // that run
  std::size_t evictions_asked_ = 0;
  std::size_t evictions_answered_ = 0;
  testkit::stamp stamp_ = 0;
  std::vector<asked> requests_; // by number, from 1
  std::map<std::uint64_t, life> lives_;
  line_watch line_;
  testkit::truth book_;
  testkit::history history_;
  testkit::history::client opener_;
  std::vector<testkit::history::client> records_; // by client
};

} // namespace modelled
