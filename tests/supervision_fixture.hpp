#pragma once

#include <boost/test/unit_test.hpp>

#include "core_fixtures.hpp"

#include <steward/core/hold.hpp>
#include <steward/core/supervision.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace supervision_test {

using namespace core_test;

/// Fails the test unless `holds`; costs nothing where it does.
inline void must(bool holds, const char* what) {
  if (!holds)
    BOOST_FAIL(what);
}

/// What all keys of a pool share.
struct pool {
  explicit pool(pool_options x)
    : options(std::move(x)), terms{&time, options.holders_max, false},
      budget(options.total_max) {
  }

  pool_options options;
  manual_time time;
  lending_terms terms;
  permits budget;
  std::atomic<std::uint64_t> opened_seq{0};
  std::size_t live = 0; // I2
};

/// A message to the budget, with what was true when it was sent.
struct news {
  enum { wanted, returned, opened, idle_again, closed, kept } what;
  std::uint64_t id = 0;
  slot* place = nullptr;
  time_point stamp{};
};

/// Plays the shell of one key's supervisor: keeps its own books of requests,
/// resources and holders, and holds every effect against them. Each event
/// returns its effects as text, such as "close 1 evicted; open 2".
class shell : public shelf_keeper {
public:
  struct resource {
    slot* place = nullptr;
    std::string params;
    bool opening = true;
    bool open = false;
    bool closing = false;
    bool revoked = false;
    std::size_t users = 0;
    std::uint64_t uses = 0;
    time_point opened_at{};
    time_point last_used{};
    time_point came_back{};     // the last time by message
    std::shared_ptr<void> keep; // of a close that is under way
    std::shared_ptr<bool> destroyed = std::make_shared<bool>(false);
  };

  explicit shell(pool& home, bool instant = false)
    : pool_(home), instant_(instant), place("key", home.terms, *this),
      core(place, home.options, home.budget, home.opened_seq,
           cleanup_grid{home.time.at, home.options.tick}, home.time.at) {
  }

  // Holds go back before what they go back to.
  ~shell() override {
    held.clear();
  }

  // -- events -----------------------------------------------------------------

  std::string acquire(std::string params = {}, time_point deadline = never) {
    auto id = ++requests;
    waiting.emplace(id, request{params, deadline});
    core.acquire(id, params, deadline, now(), out_);
    return carry_out();
  }

  std::string forget(request_id id) {
    waiting.erase(id);
    core.forget(id, now(), out_);
    return carry_out();
  }

  std::string opened(std::uint64_t id) {
    finish_open(id);
    return carry_out();
  }

  std::string failed(std::uint64_t id) {
    auto& s = *resources.at(id).place;
    resources.erase(id);
    --live_;
    --pool_.live;
    core.open_failed(s, now(), out_);
    return carry_out();
  }

  std::string closed(std::uint64_t id) {
    finish_close(id);
    return carry_out();
  }

  std::string tick() {
    core.tick(now(), out_);
    auto text = carry_out();
    auto point = now() - (now() - start) % pool_.options.tick;
    if (std::exchange(cleaned_, point) != point) // the first one at this point
      for (auto& [id, r] : resources)
        if (r.open && r.place->word().holders() == 0) {
          must(point < later(r.last_used, pool_.options.idle_timeout), "I5");
          must(point < later(r.opened_at, pool_.options.max_lifetime)
                 || r.last_used >= point,
               "old");
        }
    for (auto& [id, r] : waiting)
      must(now() < r.deadline, "I6: nobody waits past the deadline");
    return text;
  }

  /// A tick that much later.
  std::string tick_after(duration d) {
    pool_.time.at += d;
    return tick();
  }

  std::string evict() {
    evicted = core.evict(now(), out_);
    return carry_out();
  }

  /// The budget asks for a resource; "kept" if it does not get it.
  std::string give_up(std::uint64_t id) {
    auto gives = core.give_up(id, out_);
    auto text = carry_out();
    return gives ? text : "kept" + text;
  }

  std::string permit_granted() {
    --asked_;
    core.permit_granted(now(), out_);
    return carry_out();
  }

  std::string permit_denied() {
    --asked_;
    core.permit_denied(now(), out_);
    return carry_out();
  }

  std::string drain() {
    core.drain(now(), out_);
    return carry_out();
  }

  std::string force() {
    revoked = core.force(
      [this](slot& s) {
        auto flag = resources.at(s.id()).destroyed;
        return std::shared_ptr<void>{s.resource(),
                                     [flag](void*) { *flag = true; }};
      },
      now(), out_);
    return carry_out();
  }

  // -- users ------------------------------------------------------------------

  /// Borrows without a message; 0 if that cannot be done now.
  request_id borrow(std::string_view params = {}) {
    auto* s = place.borrow(params, tag_of(params));
    if (s == nullptr)
      return 0;
    for (auto& [id, r] : waiting)
      must(r.params != params, "I7: nobody overtakes");
    auto id = ++requests;
    lend(id, *s, params, false);
    return id;
  }

  /// Gives back what was granted to a request; what comes of it.
  std::string give_back(request_id id, bool healthy = true) {
    let_go(id, healthy);
    return deliver_all();
  }

  std::string deliver_all() {
    std::string text;
    while (!mail.empty())
      append(text, deliver());
    return text;
  }

  /// As `give_back`, but leaves the message, if it takes one, in the mail.
  void let_go(request_id id, bool healthy = true) {
    auto entry = held.extract(id);
    must(!entry.empty(), "only what is held is given back");
    auto& h = entry.mapped();
    auto& r = resources.at(h.place()->id());
    must(h.revoked() == r.revoked, "a holder is told of a revocation, only");
    must(r.open || r.revoked, "I3: no use after close");
    must(!*r.destroyed, "I3: no use after its end");
    --r.users;
    r.last_used = now();
    if (!healthy)
      h.give_up();
    h.give_back();
  }

  /// Delivers one message of a holder.
  std::string deliver() {
    auto [s, healthy] = mail.front();
    mail.pop_front();
    hold h{s};
    resources.at(s->id()).came_back = now();
    if (!h.revoked())
      core.released(*h.release(), healthy, now(), out_);
    return carry_out();
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    mail.emplace_back(&s, healthy);
  }

  void idle_again(slot& s, function_ref<void()> end) noexcept override {
    end();
    for_budget.push_back({news::idle_again, s.id()});
  }

  bool check(void*) noexcept override {
    return true;
  }

  // -- queries ----------------------------------------------------------------

  /// From `start`.
  duration next_due() const {
    auto result = core.next_due(now());
    return result == never ? off : result - start;
  }

  time_point now() const {
    return pool_.time.at;
  }

  std::size_t asked() const {
    return asked_;
  }

  std::size_t resources_lent() const {
    return static_cast<std::size_t>(
      std::count_if(resources.begin(), resources.end(),
                    [](const auto& x) { return x.second.users > 0; }));
  }

  bool quiet() const {
    return waiting.empty() && held.empty() && live_ == 0 && mail.empty();
  }

private:
  // -- effects ----------------------------------------------------------------

  static void append(std::string& text, const std::string& more) {
    if (!text.empty() && !more.empty())
      text += "; ";
    text += more;
  }

  std::string carry_out() {
    std::string text;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      auto next = std::move(out_[i]); // acting may add to `out_`
      append(text, std::visit([this](const auto& x) { return act(x); }, next));
    }
    out_.clear();
    check_all();
    return text;
  }

  std::string act(const effect::answer& x) {
    auto entry = waiting.extract(x.to);
    must(!entry.empty(), "I6: one answer per request");
    auto& params = entry.mapped().params;
    for (auto& [id, r] : waiting)
      must(id > x.to || r.params != params, "I7: order of arrival");
    lend(x.to, *x.place, params, x.fresh);
    return "answer " + std::to_string(x.to) + " with "
           + std::to_string(x.place->id()) + (x.fresh ? " fresh" : "");
  }

  std::string act(const effect::reject& x) {
    must(waiting.erase(x.to) == 1, "I6: one answer per request");
    figures = x.figures;
    refusals.push_back(x.why);
    return "reject " + std::to_string(x.to) + " "
           + std::string{to_string(x.why)};
  }

  std::string act(const effect::open_resource& x) {
    ++live_;
    ++pool_.live;
    must(live_ <= pool_.options.per_key_max, "I1");
    must(pool_.live <= pool_.options.total_max, "I2");
    auto id = x.place->id();
    must(resources.empty() || resources.rbegin()->first < id,
         "I3: opened once, and ids count up");
    must(x.place->word().in() == phase::opening, "opening");
    auto& r = resources[id];
    r.place = x.place;
    r.params = x.place->params();
    if (instant_)
      finish_open(id);
    return "open " + std::to_string(id);
  }

  std::string act(const effect::close_resource& x) {
    auto id = x.place->id();
    auto& r = resources.at(id);
    must(r.open, "I3: closed once, and only what is open");
    must(r.users == 0 || x.revoked, "I4");
    if (x.why == close_reason::idle)
      must(now() >= later(r.last_used, pool_.options.idle_timeout), "I5");
    if (x.why == close_reason::lifetime)
      must(now() >= later(r.opened_at, pool_.options.max_lifetime), "lifetime");
    r.open = false;
    r.closing = true;
    r.revoked = x.revoked;
    r.keep = x.keep;
    reasons.push_back(x.why);
    if (instant_)
      finish_close(id);
    return "close " + std::to_string(id) + " " + std::string{to_string(x.why)}
           + (x.revoked ? " revoked" : "");
  }

  std::string act(const effect::ask_permit&) {
    ++asked_;
    for_budget.push_back({news::wanted});
    return "ask";
  }

  std::string act(const effect::return_permit&) {
    for_budget.push_back({news::returned});
    return "return";
  }

  std::string act(const effect::report_opened& x) {
    auto& s = *x.place;
    for_budget.push_back({news::opened, s.id(), &s, s.last_used()});
    return "report opened " + std::to_string(x.place->id());
  }

  std::string act(const effect::report_idle& x) {
    for_budget.push_back({news::idle_again, x.id});
    return "report idle " + std::to_string(x.id);
  }

  std::string act(const effect::report_closed& x) {
    for_budget.push_back({news::closed, x.id});
    return "report closed " + std::to_string(x.id);
  }

  std::string act(const effect::passivate&) {
    must(live_ == 0 && waiting.empty() && asked_ == 0,
         "only who has nothing leaves");
    return "passivate";
  }

  void lend(request_id id, slot& s, std::string_view params, bool fresh) {
    auto& r = resources.at(s.id());
    must(r.open && r.place == &s, "I3: only what is open is lent");
    must(r.params == params, "equal params");
    must(!s.late && !s.doom, "nothing late or doomed is lent");
    must(++r.users <= pool_.options.holders_max, "holders_max");
    must(!fresh || r.uses == 0, "only a new one is fresh");
    ++r.uses;
    held.emplace(id, hold{&s, fresh});
  }

  void finish_open(std::uint64_t id) {
    auto& r = resources.at(id);
    must(r.opening, "opened once");
    r.opening = false;
    r.open = true;
    r.opened_at = r.last_used = now();
    core.opened(*r.place, &r, now(), out_);
  }

  void finish_close(std::uint64_t id) {
    auto& r = resources.at(id);
    must(r.closing, "closed once");
    r.closing = false;
    r.keep = nullptr;
    --live_;
    --pool_.live;
    core.closed(*r.place, r.revoked, now(), out_);
  }

  // What holds between events.
  void check_all() {
    must(core.live() == live_, "the core counts as we do");
    must(core.waiting() == waiting.size(), "the core waits for whom we do");
    must(live_ <= pool_.options.per_key_max, "I1");
    std::size_t expected = asked_;
    bool idle = false;
    for (auto& [id, r] : resources) {
      if (r.closing || (r.opening && !r.place->late))
        ++expected;
      if (!r.open)
        continue;
      auto w = r.place->word();
      must(w.in() == phase::open && w.holders() >= r.users, "the word is true");
      idle = idle || (w.holders() == 0 && !r.place->doom);
      if (!r.place->doom && w.holders() < pool_.options.holders_max)
        check_beside(r, w.holders());
    }
    // Others are patient: something has to come back, and nothing that is idle
    // could make room.
    auto may_evict = pool_.options.when_full == full_policy::evict_idle;
    auto patient = (live_ > 0 || asked_ > 0) && !(idle && may_evict)
                     ? pool_.options.waiters_max
                     : std::size_t{0};
    must(waiting.size() <= expected * pool_.options.holders_max + patient,
         "everybody waits for something that is under way, or is lent");
  }

  // Nobody waits beside a slot that is free for him; but what is shared runs dry
  // for who waits longest and needs its place. // I7
  void check_beside(const resource& r, std::uint64_t holders) {
    bool runs_dry = false;
    for (auto& [_, x] : waiting) {
      must(x.params != r.params || runs_dry,
           "I7: nobody waits beside a free slot");
      runs_dry = runs_dry
                 || (holders > 0 && pool_.options.waiters_max > 0
                     && pool_.options.when_full == full_policy::evict_idle);
    }
  }

  struct request {
    std::string params;
    time_point deadline;
  };

  pool& pool_;
  bool instant_; // opens and closes end at once, within the effect
  effects out_;
  std::size_t live_ = 0;
  std::size_t asked_ = 0;
  time_point cleaned_ = start - 1s;

public:
  shelf place;
  supervision core;
  request_id requests = 0;
  std::map<request_id, request> waiting;
  std::map<request_id, hold> held;
  std::map<std::uint64_t, resource> resources;
  std::deque<std::pair<slot*, bool>> mail;
  std::vector<news> for_budget;
  std::vector<errc> refusals;
  std::vector<close_reason> reasons; // of what was closed
  rejection figures;
  std::size_t evicted = 0;
  std::size_t revoked = 0;
};

/// Limits that are easy to reckon with.
inline pool_options small(std::size_t per_key_max = 2,
                          std::size_t holders_max = 1) {
  pool_options result;
  result.name = "test";
  result.per_key_max = per_key_max;
  result.holders_max = holders_max;
  result.idle_timeout = 10s;
  result.open_timeout = 5s;
  result.linger = 30s;
  return result;
}

/// A pool with one key.
struct one_key : pool, shell {
  explicit one_key(pool_options x = small(), bool instant = false)
    : pool(std::move(x)), shell(static_cast<pool&>(*this), instant) {
  }
};

} // namespace supervision_test
