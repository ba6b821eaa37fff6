// The real decisions over real slots: users borrow and give back without a
// message, and ask the supervisor where they cannot.
#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/acting_supervisor.hpp>
#include <steward/tests/stepper/check.hpp>

#include <map>
#include <string>
#include <string_view>
#include <variant>

using namespace stepper;
using steward::full_policy;
using steward::hold;
using steward::phase;
using steward::pool_options;
using steward::shelf;
using steward::tag_of;

namespace {

struct asked { // by a user
  std::size_t user;
};
struct came_back {
  slot* place;
  bool healthy;
};
struct open_ended {
  slot* place;
};
struct close_ended {
  slot* place;
  bool revoked;
};
struct evict_all {};
struct drain_all {};
struct force_all {};

using message = std::variant<asked, came_back, open_ended, close_ended,
                             evict_all, drain_all, force_all>;

// What one user does.
struct wish {
  std::string params = "a";
  std::size_t times = 1;
  bool healthy = true;
};

// One key: its users, its supervisor in a thread of its own, and somebody who
// sends it `orders`. It ends with a drain.
class one_key : public steward::shelf_keeper, acting_supervisor {
public:
  one_key(run& r, const pool_options& options, std::vector<wish> wishes,
          std::vector<message> orders)
    : acting_supervisor(r, pool_), pool_(options),
      place_("key", pool_.terms, *this), wishes_(std::move(wishes)) {
    begin(place_);
    name_all(r);
    for (std::size_t i = 0; i < wishes_.size(); ++i) {
      answers_.push_back(std::make_unique<mailbox<slot*>>());
      r.name(*answers_[i], "answers");
      r.thread("user " + std::to_string(i + 1), [this, i] { live(i); });
    }
    r.thread("supervisor", [this] { supervise(); });
    r.at_end([this] {
      must(revoked_left() == 0,
           "I11: the last holder lets go of what was revoked");
    });
    if (!orders.empty())
      r.thread("outside", [this, orders = std::move(orders)] {
        for (const auto& x : orders)
          mail_.put(x);
      });
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    reached(healthy ? "handed over" : "handed over as unhealthy");
    mail_.put(came_back{&s, healthy});
  }

  void idle_again(slot&, steward::function_ref<void()>) noexcept override {
    must(false, "without a budget nobody misses anything");
  }

  bool check(void*) noexcept override {
    return true;
  }

private:
  // -- what acting_supervisor leaves open -------------------------------------

  void tell(steward::request_id to, slot* what) override {
    must(pending_.erase(to) == 1, "I6: one answer each");
    answers_[to]->put(what);
  }

  void start_open(slot& s) override {
    mail_.put(open_ended{&s});
  }

  void start_close(slot& s, bool revoked) override {
    mail_.put(close_ended{&s, revoked});
  }

  void passivate() override {
    left_ = true;
  }

  void name_all(run& r) {
    r.name(place_, "shelf",
           {{"next"}, {"word", word_in_words}, {"last_used"}, {"id"}, {"tag"}});
    r.name(mail_, "mail");
    r.name(pool_.budget, "permits");
  }

  // -- users ------------------------------------------------------------------

  void live(std::size_t me) {
    const auto& w = wishes_[me];
    for (std::size_t i = 0; i < w.times; ++i) {
      hold h{place_.borrow(w.params, tag_of(w.params))};
      if (h)
        reached("borrowed");
      else
        h = ask(me);
      if (h)
        use(h, w);
    }
  }

  hold ask(std::size_t me) {
    mail_.put(asked{me});
    return hold{answers_[me]->take()};
  }

  void use(hold& h, const wish& w) {
    must(h.place()->params() == w.params, "equal params");
    auto& what = of(*h.place());
    what.begin_use();
    let_others();
    what.end_use();
    if (what.revoked())
      reached("revoked in use");
    if (!w.healthy)
      h.give_up();
  }

  // -- the supervisor ---------------------------------------------------------

  void supervise() {
    while (auto m = mail_.take_or_rest())
      handle(*m);
    on_drain();
    while (auto m = mail_.take_or_rest())
      handle(*m);
    must(left_ && pool_.live.get() == 0, "a drain comes to its end");
  }

  void handle(const message& m) {
    std::visit([this](const auto& x) { on(x); }, m);
    at_once([this] { check_waiters(); });
  }

  void on(const asked& m) {
    pending_[m.user] = &wishes_[m.user].params;
    on_acquire(m.user, wishes_[m.user].params);
  }

  void on(const came_back& m) {
    on_released(*m.place, m.healthy);
  }

  void on(const open_ended& m) {
    on_opened(*m.place);
  }

  void on(const close_ended& m) {
    on_closed(*m.place, m.revoked);
  }

  void on(const evict_all&) {
    on_evict();
  }

  void on(const drain_all&) {
    on_drain();
  }

  void on(const force_all&) {
    on_force();
  }

  void check_waiters() {
    if (!pending_.empty())
      reached("somebody waits");
    place_.for_each([this](slot& s) { // with attention it stands still
      auto w = s.word();
      if (w.in() != phase::open || s.doom
          || w.holders() >= pool_.options.holders_max)
        return;
      for (const auto& [id, params] : pending_)
        must(*params != s.params(), "I7: nobody waits beside a free slot");
    });
  }

  acting_pool pool_;
  shelf place_;
  std::vector<wish> wishes_;
  mailbox<message> mail_;
  std::vector<std::unique_ptr<mailbox<slot*>>> answers_;
  std::map<steward::request_id, const std::string*> pending_;
  bool left_ = false;
};

pool_options at_most(std::size_t per_key_max, std::size_t holders_max = 1,
                     full_policy when_full = full_policy::evict_idle) {
  pool_options result;
  result.per_key_max = per_key_max;
  result.holders_max = holders_max;
  result.when_full = when_full;
  return result;
}

using orders = std::vector<message>;

findings explore_key(std::string_view name, const bounds& within,
                     const pool_options& options,
                     const std::vector<wish>& wishes,
                     const orders& from_outside = {}) {
  return explore<one_key>(name, within, options, wishes, from_outside);
}
} // namespace

BOOST_AUTO_TEST_SUITE(step_supervision)

BOOST_AUTO_TEST_CASE(users_of_equal_params_are_all_answered) {
  check_proved(explore_key("2 users, 1 at most", reduced, at_most(1), {{}, {}}),
               {"borrowed", "key_full", "somebody waits"});
  check_proved(explore_key("2 users, 2 at most", reduced, at_most(2), {{}, {}}),
               {"borrowed", "handed over", "somebody waits"});
  check_proved(explore_key("2 users share", reduced, at_most(1, 2), {{}, {}}),
               {"borrowed", "as many as may share", "somebody waits"});
  check_proved(explore_key("2 users, twice", with_preemptions(1), at_most(2),
                           {{"a", 2}, {"a", 2}}),
               {"borrowed", "handed over", "somebody waits"});
}

BOOST_AUTO_TEST_CASE(users_of_other_params_evict_what_is_idle) {
  check_proved(explore_key("2 users, a and b", reduced, at_most(1),
                           {{"a"}, {"b"}}),
               {"evicted", "key_full", "somebody waits"});
  check_proved(explore_key("2 users, a and b twice", with_preemptions(1),
                           at_most(1), {{"a", 2}, {"b", 2}}),
               {"borrowed", "evicted", "key_full", "somebody waits"});
  check_proved(explore_key("full, no eviction", reduced,
                           at_most(1, 1, full_policy::reject), {{"a"}, {"b"}}),
               {"key_full"});
}

BOOST_AUTO_TEST_CASE(what_is_broken_or_evicted_is_closed_when_it_comes_back) {
  check_proved(explore_key("2 share, 1 finds it broken", reduced, at_most(1, 2),
                           {{"a"}, {"a", 1, false}}),
               {"handed over", "handed over as unhealthy", "unhealthy"});
  check_proved(explore_key("2 users, evict", reduced, at_most(1), {{}, {}},
                           {evict_all{}}),
               {"requested", "handed over", "somebody waits"});
}

BOOST_AUTO_TEST_CASE(a_drain_out_of_patience_revokes_what_is_held) {
  check_proved(explore_key("drain by force, 2 users share", with_preemptions(1),
                           at_most(1, 2), {{}, {}}, {drain_all{}, force_all{}}),
               {"drained", "draining", "handed over", "revoked in use"});
}

BOOST_AUTO_TEST_SUITE_END()
