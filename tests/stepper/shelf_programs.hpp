#pragma once

#include <steward/core/hold.hpp>
#include <steward/tests/stepper/truth.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Users and supervisor at a whole shelf, whose supervisor is a few lines.

namespace stepper {

using steward::hold;
using steward::phase;
using steward::shelf;
using steward::slot;
using steward::tag_of;

/// A slot that was handed over, and whether its holder found it healthy.
struct returned {
  slot* place;
  bool healthy;
};

/// A shelf, its resources and what is done with them.
class lending : public steward::shelf_keeper {
public:
  lending(run& r, std::size_t holders_max, std::size_t per_key_max)
    : run_(r), terms_{&time_, holders_max, false}, place_("key", terms_, *this),
      per_key_max_(per_key_max) {
    r.name(mail_, "mail");
    r.name(place_, "shelf",
           {{"next"}, {"word"}, {"last_used"}, {"id"}, {"tag"}});
    for (std::size_t i = 0; i < per_key_max; ++i)
      r.always([this, i] { check(i); });
  }

  // -- users ------------------------------------------------------------------

  /// Borrows, uses and gives back, if there is one; whether there was.
  bool use(std::string_view params, bool healthy = true) {
    auto* s = place_.borrow(params, tag_of(params));
    if (s == nullptr)
      return reached("turned away"), false;
    auto& what = of(*s);
    must(!what.attention.get(), "nobody borrows past attention");
    use(hold{s}, params, healthy);
    return true;
  }

  void use(hold h, std::string_view params, bool healthy) {
    auto& what = of(*h.place());
    must(h.place()->params() == params, "equal params");
    what.truth.begin_use();
    let_others();
    what.truth.end_use();
    if (!healthy)
      h.give_up();
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    reached(healthy ? "handed over" : "handed over as unhealthy");
    mail_.put({&s, healthy});
  }

  void idle_again(slot&, steward::function_ref<void()>) noexcept override {
    must(false, "without a budget nobody misses anything");
  }

  bool check(void*) noexcept override {
    return true;
  }

  // -- the supervisor ---------------------------------------------------------

  slot& open(std::string_view params) {
    auto& s = place_.vacancy();
    things_.push_back(std::make_unique<lent>(terms_.holders_max));
    name_slot(run_, s, "slot " + std::to_string(things_.size()));
    must(++live_.change() <= per_key_max_, "I1");
    s.begin_open(things_.size(), params, noon);
    s.opened(things_.back().get(), noon, 0, false);
    return s;
  }

  /// @pre taken
  void close(slot& s) {
    of(s).truth.close();
    s.finish_close();
    --live_.change();
  }

  void call_attention() {
    place_.for_each([](slot& s) {
      if (s.word().in() != phase::open)
        return;
      s.set_attention(true);
      of(s).attention.change() = true;
    });
  }

  void end_attention() {
    place_.for_each([](slot& s) {
      if (s.word().in() != phase::open || s.doom)
        return;
      s.set_attention(false);
      of(s).attention.change() = false;
    });
  }

  /// As the supervisor does with what comes back by message.
  void take_back(const returned& x) {
    auto& s = *x.place;
    if (!x.healthy)
      s.doom = steward::close_reason::unhealthy;
    if (s.doom) {
      s.set_attention(true);
      of(s).attention.change() = true;
    }
    auto left = s.drop_hold();
    if (s.doom && left == 0) {
      must(s.try_take(s.word()), "who comes last leaves it to be closed");
      close(s);
    }
  }

protected:
  struct lent {
    explicit lent(std::size_t holders_max) : truth(holders_max) {
    }

    thing truth;
    ghost<bool> attention{false};
  };

  static lent& of(const slot& s) {
    auto* result = static_cast<lent*>(s.resource());
    must(result != nullptr, "I3: no use after close");
    return *result;
  }

  void all_came_back() {
    std::size_t open = 0;
    place_.for_each([&](slot& s) {
      auto w = s.word();
      must(w.holders() == 0, "all came back");
      must(w.in() == phase::open || w.in() == phase::closed, "all is settled");
      open += w.in() == phase::open;
    });
    must(open == live_.get(), "what is not closed is open");
  }

  run& run_;
  still_time time_;
  steward::lending_terms terms_;
  shelf place_;
  mailbox<returned> mail_;
  std::vector<std::unique_ptr<lent>> things_;
  ghost<std::size_t> live_{0};
  std::size_t per_key_max_;

private:
  // Each slot by itself: what is done to others need not be seen in order.
  void check(std::size_t index) {
    place_.for_each([&](slot& s) {
      if (index-- != 0)
        return;
      auto w = s.word();
      must(w.holders() <= terms_.holders_max,
           "never more holds than may share");
      if (w.in() == phase::open)
        must(!of(s).truth.closed(), "what is open is not closed");
      if (s.resource() != nullptr)
        must(of(s).truth.users() <= w.holders(), "who uses it has a hold");
    });
  }
};

/// Users of two slots.
struct two_open : lending {
  two_open(run& r, std::size_t users) : lending(r, 1, 2) {
    open("a");
    open("a");
    for (std::size_t i = 0; i < users; ++i)
      r.thread("user " + std::to_string(i + 1), [this] {
        if (use("a"))
          ++served_.change();
      });
    r.at_end([this, users] {
      all_came_back();
      must(users > 2 || served_.get() > 0, "somebody gets one");
    });
  }

  ghost<std::size_t> served_{0};
};

/// The supervisor adds slots, so that the shelf grows, while others look.
struct growing : lending {
  growing(run& r, std::size_t users, std::size_t more)
    : lending(r, 1, more + 1) {
    open("a");
    for (std::size_t i = 0; i < users; ++i)
      r.thread("user " + std::to_string(i + 1), [this] {
        if (use("a"))
          reached("borrowed");
      });
    r.thread("supervisor", [this, more] {
      for (std::size_t i = 0; i < more; ++i)
        open("a");
    });
    r.at_end([this, more] {
      all_came_back();
      must(live_.get() == more + 1, "all are open");
    });
  }
};

/// The supervisor evicts what is least recently used, for other params.
struct evicting : lending {
  evicting(run& r, std::size_t users, std::size_t open_first)
    : lending(r, 1, open_first) {
    for (std::size_t i = 0; i < open_first; ++i)
      open("a");
    for (std::size_t i = 0; i < users; ++i)
      r.thread("user " + std::to_string(i + 1), [this] {
        use("a");
        if (use("b"))
          reached("borrowed after the eviction");
      });
    r.thread("supervisor", [this] { evict(); });
    r.at_end([this] { all_came_back(); });
  }

  void evict() {
    auto [place, seen] = place_.least_recently_used();
    if (place == nullptr)
      return reached("nothing to evict");
    auto uses = seen.generation(); // counts uses, and opens
    if (!place->try_take(seen))
      return reached("used meanwhile");
    reached("evicted");
    must(of(*place).truth.uses() + 1 == uses, "I5: idle since it was seen");
    close(*place);
    open("b");
  }
};

/// As if the params that are asked for and those of the slot had one tag.
struct colliding : lending {
  explicit colliding(run& r) : lending(r, 2, 1) {
    auto& s = open("a");
    r.thread("user", [this] { use("a"); });
    r.thread("other", [this] {
      must(place_.borrow("b", tag_of("a")) == nullptr, "equal params");
    });
    r.thread("supervisor", [this, &s] {
      s.set_attention(true);
      s.set_attention(false);
      while (auto x = mail_.take_or_rest())
        take_back(*x);
    });
    r.at_end([this] { all_came_back(); });
  }
};

/// Somebody waits for one of the slots: the supervisor calls attention, looks
/// again, and then must hear of the first that comes back.
struct waiting : lending {
  waiting(run& r, std::size_t users, std::size_t open_first,
          bool looks_again = true)
    : lending(r, 1, open_first), looks_again_(looks_again) {
    for (std::size_t i = 0; i < open_first; ++i)
      open("a");
    for (std::size_t i = 0; i < users; ++i)
      r.thread("user " + std::to_string(i + 1), [this] { use("a"); });
    r.thread("supervisor", [this] {
      serve();
      while (auto x = mail_.take_or_rest())
        take_back(*x);
    });
    r.at_end([this] { all_came_back(); });
  }

  void serve() {
    call_attention();
    auto* s = looks_again_
                ? place_.borrow("a", tag_of("a"), shelf::as::supervisor)
                : nullptr;
    if (s == nullptr) {
      auto back = mail_.take_or_rest();
      must(back.has_value(), "I7: who waits hears of what comes back");
      s = back->place;
    } else {
      reached("found free");
    }
    end_attention();
    use(hold{s}, "a", true);
  }

  bool looks_again_;
};

/// A user finds it broken while another shares it.
struct broken : lending {
  explicit broken(run& r) : lending(r, 2, 1) {
    open("a");
    r.thread("user", [this] { use("a"); });
    r.thread("finder", [this] { use("a", false); });
    r.thread("supervisor", [this] {
      while (auto x = mail_.take_or_rest())
        take_back(*x);
    });
    r.at_end([this] {
      all_came_back();
      if (live_.get() == 0)
        reached("closed");
    });
  }
};

} // namespace stepper
