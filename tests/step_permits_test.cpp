// The permits of all keys, between supervisors that take and put them without a
// message and a budget that queues those who find none, in every interleaving;
// and wrong permits, which must be found out.
#include <boost/test/unit_test.hpp>

#include <steward/core/budget_book.hpp>
#include <steward/tests/stepper/acting_supervisor.hpp>
#include <steward/tests/stepper/check.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

using namespace stepper;
using steward::full_policy;
using steward::permits;

// -- wrong permits ------------------------------------------------------------

namespace wrong {

// Nothing is wrong with this one. Of the same form as the real ones: twice the
// number, and the flag for a queue.
class none {
public:
  explicit none(std::size_t total) : word_(total << 1) {
  }

  bool try_take() {
    auto seen = word_.load();
    while (seen >= 2 && (seen & 1) == 0)
      if (word_.compare_exchange_weak(seen, seen - 2))
        return true;
    return false;
  }

  bool try_put() {
    auto seen = word_.load();
    while ((seen & 1) == 0)
      if (word_.compare_exchange_weak(seen, seen + 2))
        return true;
    return false;
  }

  std::size_t start_queue() {
    return word_.exchange(1) >> 1;
  }

  void end_queue(std::size_t left) {
    word_.store(left << 1);
  }

protected:
  atomic<std::size_t> word_;
};

struct takes_by_load_and_store : none {
  using none::none;

  bool try_take() {
    auto seen = word_.load();
    if (seen < 2 || (seen & 1) != 0)
      return false;
    word_.store(seen - 2);
    return true;
  }
};

struct takes_below_zero : none {
  using none::none;

  bool try_take() {
    auto seen = word_.load();
    if (seen < 2 || (seen & 1) != 0)
      return false;
    word_.fetch_sub(2); // somebody else may have had the last one
    return true;
  }
};

struct puts_past_the_queue : none {
  using none::none;

  bool try_put() {
    word_.fetch_add(2);
    return true;
  }
};

struct queues_by_load_and_store : none {
  using none::none;

  std::size_t start_queue() {
    auto before = word_.load();
    word_.store(1);
    return before >> 1;
  }
};

} // namespace wrong

// -- programs -----------------------------------------------------------------

namespace {

// Each of some threads takes and puts, while another queues and ends it.
template <class Permits>
class takers {
public:
  takers(run& r, std::size_t total, std::size_t threads, std::size_t times,
         std::size_t queues)
    : total_(total), permits_(total) {
    r.name(permits_, "permits");
    for (std::size_t i = 0; i < threads; ++i)
      r.thread("supervisor " + std::to_string(i + 1), [this, times] {
        for (std::size_t k = 0; k < times; ++k)
          take_and_put();
      });
    if (queues > 0)
      r.thread("budget", [this, queues] {
        for (std::size_t i = 0; i < queues; ++i)
          queue();
      });
    r.always([this] { must(out_.get() <= total_, "I2"); });
    r.at_end([this] {
      must(permits_.start_queue() + sent_.get() == total_,
           "no permit is lost and none is made");
    });
  }

private:
  void take_and_put() {
    if (!permits_.try_take())
      return reached("none left");
    if (++out_.change() == total_)
      reached("all are out");
    let_others();
    --out_.change();
    if (!permits_.try_put()) {
      reached("put by message");
      ++sent_.change();
    }
  }

  void queue() {
    auto found = permits_.start_queue();
    let_others();
    permits_.end_queue(found + std::exchange(sent_.change(), 0));
  }

  std::size_t total_;
  Permits permits_;
  ghost<std::size_t> out_;
  ghost<std::size_t> sent_; // in messages to the budget
};

// Two keys, each with a request, and room for one resource in all. The one that
// finds no permit asks the budget, which asks the other to give up its own.
class two_keys {
public:
  two_keys(run& r, std::size_t total, full_policy when_full,
           bool with_user = false)
    : pool_(options(total, when_full)), book_(pool_.budget, when_full) {
    r.name(pool_.budget, "permits");
    r.name(budget_mail_, "budget's mail");
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      auto name = "supervisor " + std::to_string(i + 1);
      keys_[i] = std::make_unique<key>(r, *this, name);
      r.name(keys_[i]->mail, name + "'s mail");
      r.thread(name, [&x = *keys_[i]] { x.live(); });
    }
    r.thread("budget", [this] { live(); });
    if (with_user)
      r.thread("user", [&x = *keys_[0]] { x.use(); });
    r.always([this, total] { must(pool_.live.get() <= total, "I2"); });
    r.at_end([this, total] {
      must(book_.waiting() == 0, "nobody is left in the queue");
      must(pool_.budget.start_queue() + pool_.live.get() == total,
           "no permit is lost and none is made");
    });
  }

private:
  struct key;

  // -- messages ---------------------------------------------------------------

  struct granted {};
  struct denied {};
  struct give_up {
    std::uint64_t id;
  };
  struct finished {
    slot* place;
  };
  using to_key = std::variant<granted, denied, give_up, finished>;

  struct wanted {
    key* by;
  };
  struct put {};
  struct opened {
    key* by;
    slot* place;
  };
  struct closed {
    std::uint64_t id;
  };
  struct kept {
    std::uint64_t id;
  };
  struct idle_again {
    std::uint64_t id;
  };
  using to_budget = std::variant<wanted, put, opened, closed, kept, idle_again>;

  // -- a key ------------------------------------------------------------------

  struct key final : steward::shelf_keeper, acting_supervisor {
    key(run& r, two_keys& all, const std::string& name)
      : acting_supervisor(r, all.pool_), world(all),
        place(name, all.pool_.terms, *this) {
      begin(place);
    }

    void live() {
      on_acquire(1, "");
      while (auto m = mail.take_or_rest())
        std::visit([this](const auto& x) { on(x); }, *m);
      must(answered, "I6: each request is answered");
    }

    // Without a message, if that is possible.
    void use() {
      steward::hold h{place.borrow("", 0)};
      if (!h)
        return;
      auto& what = of(*h.place());
      what.begin_use();
      let_others();
      what.end_use();
    }

    void on(granted) {
      core().permit_granted(noon, out());
      carry_out();
    }

    void on(denied) {
      core().permit_denied(noon, out());
      carry_out();
    }

    void on(give_up x) {
      if (!core().give_up(x.id, out())) {
        reached("kept");
        world.budget_mail_.put(kept{x.id});
      }
      carry_out();
    }

    void on(finished x) {
      auto opening = x.place->word().in() == steward::phase::opening;
      opening ? on_opened(*x.place) : on_closed(*x.place, false);
    }

    // Who asked gives it back at once.
    void tell(steward::request_id, slot* what) override {
      must(!std::exchange(answered, true), "I6: one answer each");
      if (what != nullptr)
        reached("granted");
      steward::hold{what}.give_back();
    }

    void start_open(slot& s) override {
      mail.put(finished{&s});
    }

    void start_close(slot& s, bool) override {
      mail.put(finished{&s});
    }

    void ask_permit() override {
      reached("asked the budget");
      world.budget_mail_.put(wanted{this});
    }

    void return_permit() override {
      reached("put by message");
      world.budget_mail_.put(two_keys::put{});
    }

    void report_opened(slot& s) override {
      world.budget_mail_.put(two_keys::opened{this, &s});
    }

    void report_idle(std::uint64_t id) override {
      reached("idle again");
      world.budget_mail_.put(two_keys::idle_again{id});
    }

    void report_closed(std::uint64_t id) override {
      world.budget_mail_.put(two_keys::closed{id});
    }

    void passivate() override {
    }

    void hand_over(slot& s, bool healthy) noexcept override {
      on_released(s, healthy);
    }

    void idle_again(slot& s,
                    steward::function_ref<void()> end) noexcept override {
      auto id = s.id();
      end();
      report_idle(id);
    }

    bool check(void*) noexcept override {
      return true;
    }

    two_keys& world;
    steward::shelf place;
    mailbox<to_key> mail;
    bool answered = false;
  };

  // -- the budget -------------------------------------------------------------

  using book = steward::budget_book<key*>;

  void live() {
    while (auto m = budget_mail_.take_or_rest()) {
      std::visit([this](const auto& x) { on(x); }, *m);
      for (const auto& x : std::exchange(effects_, {}))
        std::visit([this](const auto& y) { act(y); }, x);
    }
  }

  void on(wanted x) {
    book_.wanted(x.by, effects_);
  }

  void on(put) {
    book_.returned(effects_);
  }

  void on(opened x) {
    book_.opened(x.place->id(), *x.place, x.by, x.place->last_used());
  }

  void on(closed x) {
    if (book_.closed(x.id))
      book_.look_again(effects_);
  }

  void on(kept x) {
    if (book_.kept(x.id))
      book_.look_again(effects_);
  }

  void on(idle_again x) {
    book_.idle_again(x.id);
  }

  void act(const book::grant& x) {
    x.to->mail.put(granted{});
  }

  void act(const book::deny& x) {
    x.to->mail.put(denied{});
  }

  void act(const book::ask& x) {
    reached("asked to give up");
    x.to->mail.put(give_up{x.id});
  }

  static steward::pool_options options(std::size_t total,
                                       full_policy when_full) {
    steward::pool_options result;
    result.total_max = total;
    result.when_full = when_full;
    return result;
  }

  acting_pool pool_;
  book book_;
  book::effects effects_;
  mailbox<to_budget> budget_mail_;
  std::array<std::unique_ptr<key>, 2> keys_;
};

template <class Permits>
void check_found(std::string_view what, std::string_view failure,
                 std::size_t queues) {
  check_broken(explore<takers<Permits>>(what, reduced, 1u, 2u, 1u, queues),
               failure);
  for (const auto& right :
       {explore<takers<wrong::none>>({}, reduced, 1u, 2u, 1u, queues),
        explore<takers<permits>>({}, reduced, 1u, 2u, 1u, queues)})
    BOOST_TEST(right.proved(), what);
}

} // namespace

BOOST_AUTO_TEST_SUITE(step_permits)

BOOST_AUTO_TEST_CASE(there_are_never_more_out_than_there_are) {
  check_proved(explore<takers<permits>>("1 permit, 2 threads twice", reduced, 1,
                                        2, 2, 0),
               {"all are out", "none left"});
  check_proved(explore<takers<permits>>("2 permits, 2 threads", reduced, 2, 2,
                                        1, 0),
               {"all are out"});
  check_proved(explore<takers<permits>>("1 permit, 3 threads", reduced, 1, 3, 1,
                                        0),
               {"all are out", "none left"});
  check_proved(explore<takers<permits>>("2 permits, 3 threads",
                                        with_preemptions(2), 2, 3, 1, 0),
               {"all are out", "none left"});
}

BOOST_AUTO_TEST_CASE(a_queue_sends_everybody_to_the_budget) {
  check_proved(explore<takers<permits>>("1 permit, queued twice", reduced, 1, 2,
                                        1, 2),
               {"all are out", "none left", "put by message"});
  check_proved(explore<takers<permits>>("2 permits, queued once", reduced, 2, 2,
                                        1, 1),
               {"all are out", "put by message"});
}

BOOST_AUTO_TEST_CASE(the_last_permit_goes_from_one_key_to_the_other) {
  using enum full_policy;
  check_proved(explore<two_keys>("2 keys, room for 1", reduced, 1u, evict_idle),
               {"asked the budget", "asked to give up", "evicted",
                "put by message", "granted"});
  check_proved(explore<two_keys>("2 keys, room for 1, a user", reduced, 1u,
                                 evict_idle, true),
               {"asked to give up", "kept", "evicted", "total_full",
                "granted"});
  check_proved(explore<two_keys>("2 keys, none evicts", reduced, 1u, reject),
               {"asked the budget", "total_full", "granted"});
  check_proved(explore<two_keys>("2 keys, room for 2", reduced, 2u, reject),
               {"granted"});
}

BOOST_AUTO_TEST_CASE(wrong_permits_are_found) {
  using namespace wrong;
  check_found<takes_by_load_and_store>("taken by load and store",
                                       "no permit is lost and none is made", 0);
  check_found<takes_below_zero>("taken below zero", "I2", 0);
  check_found<puts_past_the_queue>("put past the queue",
                                   "no permit is lost and none is made", 1);
  check_found<queues_by_load_and_store>(
    "queued by load and store", "no permit is lost and none is made", 1);
}

BOOST_AUTO_TEST_SUITE_END()
