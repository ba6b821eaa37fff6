#pragma once

#include <steward/tests/stepper/truth.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Users and supervisor at the word of one slot. `Slot` is the real one, or one
// that is wrong.

namespace stepper {

using steward::phase;
using steward::slot;
using steward::slot_word;

// One slot, its resource, and what users do with them.
template <class Slot>
class one_slot {
protected:
  one_slot(run& r, std::size_t holders_max)
    : run_(r), holders_max_(holders_max) {
    open(false);
    name_slot(r, place_, "slot");
    r.name(mail_, "mail");
    r.always([this] { check(); });
    r.ends_as([this] {
      return word_in_words(place_.word().raw()) + ", used "
             + std::to_string(current_->uses()) + " times, until "
             + stamp_in_words(static_cast<std::uint64_t>(
               place_.last_used().time_since_epoch().count()));
    });
  }

  void add_users(std::size_t n, const std::function<void()>& body) {
    for (std::size_t i = 0; i < n; ++i)
      run_.thread("user " + std::to_string(i + 1), body);
  }

  // @pre closed, and of the calling thread
  void open(bool attention) {
    things_.push_back(std::make_unique<thing>(holders_max_));
    current_ = things_.back().get();
    place_.begin_open(things_.size(), "", noon);
    place_.opened(current_, noon, 0, attention);
  }

  // @pre taken
  void close() {
    current_->close();
    place_.finish_close();
  }

  // Whether it could be borrowed.
  bool use(steward::time_point end = noon) {
    auto w = place_.word();
    if (w.in() != phase::open || w.attention() || w.holders() >= holders_max_)
      return reached("turned away"), false;
    if (!place_.try_hold(w))
      return reached("lost a race"), false;
    must(!attention_.get(), "nobody borrows past attention");
    auto* what = static_cast<thing*>(place_.resource());
    must(what != nullptr, "I3: no use after close");
    what->begin_use();
    let_others();
    what->end_use();
    give_back(end);
    return true;
  }

  void give_back(steward::time_point end = noon) {
    switch (place_.give_back(end)) {
      case slot::given::hand_over:
        reached("handed over");
        mail_.put(0);
        break;
      case slot::given::revoked_last:
        reached("came back as the last");
        place_.forget();
        break;
      case slot::given::revoked: reached("came back after the end"); break;
      case slot::given::missed: must(false, "nobody misses it"); break;
      case slot::given::back: reached("came back");
    }
  }

  void call_attention() {
    place_.set_attention(true);
    attention_.change() = true;
  }

  void check() {
    auto w = place_.word();
    must(w.holders() <= holders_max_, "never more holds than may share");
    if (w.in() == phase::open)
      must(!current_->closed(), "what is open is not closed");
    if (!current_->revoked())
      must(current_->users() <= w.holders(), "who uses it has a hold");
  }

  run& run_;
  std::size_t holders_max_;
  Slot place_;
  std::vector<std::unique_ptr<thing>> things_;
  thing* current_ = nullptr;
  ghost<bool> attention_{false};
  mailbox<int> mail_;
};

// Users among themselves.
template <class Slot>
struct users_only : one_slot<Slot> {
  users_only(run& r, std::size_t users, std::size_t times,
             std::size_t holders_max, steward::duration apart)
    : one_slot<Slot>(r, holders_max) {
    for (std::size_t i = 0; i < users; ++i)
      r.thread("user " + std::to_string(i + 1),
               [this, times, end = noon + int(i + 1) * apart] {
                 for (std::size_t k = 0; k < times; ++k)
                   if (this->use(end))
                     last_.change() = std::max(last_.get(), end);
               });
    r.at_end([this] {
      auto w = this->place_.word();
      must(w.in() == phase::open && w.holders() == 0, "all came back");
      must(w.generation() == this->current_->uses() + 1,
           "the generation counts borrows and opens");
      must(last_.get() > never, "somebody always gets it");
      must(this->place_.last_used() == last_.get(), "the latest end counts");
    });
  }

  static constexpr auto never = noon - 1h;
  ghost<steward::time_point> last_{never};
};

// Against a supervisor that closes it when idle, and opens it again.
template <class Slot>
struct users_and_closer : one_slot<Slot> {
  users_and_closer(run& r, std::size_t users, std::size_t times,
                   std::size_t holders_max, std::size_t rounds)
    : one_slot<Slot>(r, holders_max) {
    this->add_users(users, [this, times] {
      for (std::size_t k = 0; k < times; ++k)
        this->use(noon + 1s);
    });
    r.thread("supervisor", [this, rounds] {
      for (std::size_t i = 0; i < rounds; ++i)
        close_and_open();
    });
    r.at_end([this] {
      auto w = this->place_.word();
      must(w.in() == phase::open && w.holders() == 0, "all came back");
    });
  }

  void close_and_open() {
    auto seen = this->place_.word();
    auto uses = this->current_->uses(); // when it was seen
    auto stamp = this->place_.last_used();
    if (!this->place_.try_take(seen))
      return reached("not taken");
    reached("taken");
    this->close();
    must(this->current_->uses() == uses, "I5: not used since it was seen");
    must((uses == 0) == (stamp == noon),
         "I5: who finds no holder finds the stamp");
    this->open(false);
  }
};

// Whether a supervisor that has called attention opens the slot once more.
enum class reopens { never, with_attention, without };

// Against a supervisor that wants it for somebody who waits.
template <class Slot>
struct users_and_waiter : one_slot<Slot> {
  users_and_waiter(run& r, std::size_t users, std::size_t times, reopens how)
    : one_slot<Slot>(r, 1) {
    this->add_users(users, [this, times] {
      for (std::size_t k = 0; k < times; ++k)
        this->use();
    });
    r.thread("supervisor", [this, how] { serve(how); });
    r.at_end([this] {
      must(this->place_.word()
             == slot_word{phase::open, false, 0,
                          this->place_.word().generation()},
           "all came back");
    });
  }

  void serve(reopens how) {
    auto& s = this->place_;
    this->call_attention();
    auto w = s.word();
    if (w.holders() == 0) {
      reached("found free");
      must(s.try_hold(w), "with attention it stands still");
    } else {
      must(this->mail_.take_or_rest().has_value(),
           "I7: who waits hears of what comes back");
    }
    this->current_->begin_use(); // whoever waited
    let_others();
    this->current_->end_use();
    must(s.drop_hold() == 0, "nobody else has it");
    if (how != reopens::never) {
      must(s.try_take(s.word()), "with attention it stands still");
      this->close();
      this->open(how == reopens::with_attention);
    }
    s.set_attention(false);
    this->attention_.change() = false;
  }
};

// Two share it, one more comes, and the supervisor drops what is handed over.
template <class Slot>
struct sharers_and_closer : one_slot<Slot> {
  sharers_and_closer(run& r, std::size_t users) : one_slot<Slot>(r, users) {
    this->add_users(users, [this] { this->use(); });
    r.thread("supervisor", [this] {
      this->call_attention();
      auto& s = this->place_;
      auto left = s.word().holders();
      while (this->mail_.take_or_rest())
        left = s.drop_hold();
      must(left == 0 && s.try_take(s.word()),
           "who comes last leaves it to be closed");
      this->close();
    });
    r.at_end([this] { must(this->current_->closed(), "I3: closed once"); });
  }
};

// Attention ends while what it brought back is still on its way, so the holds
// that are dropped then are dropped among users.
template <class Slot>
struct users_and_late_drops : one_slot<Slot> {
  users_and_late_drops(run& r, std::size_t users, std::size_t times)
    : one_slot<Slot>(r, 2) {
    this->add_users(users, [this, times] {
      for (std::size_t k = 0; k < times; ++k)
        this->use();
    });
    r.thread("supervisor", [this] {
      this->place_.set_attention(true);
      this->place_.set_attention(false);
      while (this->mail_.take_or_rest())
        this->place_.drop_hold();
    });
    r.at_end(
      [this] { must(this->place_.word().holders() == 0, "all came back"); });
  }
};

// The end of patience, over the heads of those who hold it. The memory of the
// slot stays until the last of them has come back, and no longer.
template <class Slot>
class revoked_under_users {
public:
  revoked_under_users(run& r, std::size_t users, bool attention) {
    auto home = std::make_shared<home_of<Slot>>(users, attention);
    auto* s = &home->place;
    name_slot(r, *s, "slot");
    gone_ = home;
    for (std::size_t i = 0; i < users; ++i) {
      must(s->try_hold(s->word()), "free");
      home->what.begin_use();
      r.thread("user " + std::to_string(i + 1),
               [this, s, what = &home->what] { give_back(*s, *what); });
    }
    r.name(mail_, "mail");
    r.thread("supervisor", [this, s, home = std::move(home)]() mutable {
      let_others();
      home->what.revoke();
      auto holders = s->revoke(home);
      home->what.close();
      if (holders == 0) {
        reached("nobody had it");
        s->forget();
        s->finish_close();
      }
      home.reset();
      while (auto held = mail_.take_or_rest()) // what was on its way
        back(**held);
    });
    r.at_end([this] {
      must(gone_.expired(), "I11: the last holder lets go of the memory");
    });
  }

private:
  template <class S>
  struct home_of {
    home_of(std::size_t users, bool attention) : what(users) {
      place.begin_open(1, "", noon);
      place.opened(&what, noon, 0, attention);
    }

    thing what;
    S place;
  };

  void give_back(Slot& s, thing& what) {
    let_others();
    what.end_use();
    back(s);
  }

  void back(Slot& s) {
    switch (s.give_back(noon)) {
      case slot::given::hand_over:
        reached("handed over");
        mail_.put(&s);
        break;
      case slot::given::revoked_last:
        reached("came back as the last");
        s.forget();
        break;
      case slot::given::revoked: reached("came back after the end"); break;
      case slot::given::missed: must(false, "nobody misses it"); break;
      case slot::given::back: reached("came back before");
    }
  }

  std::weak_ptr<void> gone_;
  mailbox<Slot*> mail_;
};

} // namespace stepper
