// The explorer itself: it finds what there is to find, and what it leaves out
// would have shown nothing new.
#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/atomic.hpp>
#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/explore.hpp>
#include <steward/tests/stepper/mailbox.hpp>
#include <steward/tests/stepper/mutex.hpp>
#include <steward/tests/stepper/noted.hpp>

#include <array>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace stepper;

namespace {

// Two threads add one to a number, as long as nobody comes between.
struct lost_update {
  explicit lost_update(run& r) {
    r.name(number, "number");
    for (auto* who : {"left", "right"})
      r.thread(who, [this] {
        auto seen = number.load();
        number.store(seen + 1);
      });
    r.at_end([this] { must(number.load() == 2, "no update is lost"); });
  }

  atomic<int> number{0};
};

struct counted {
  counted(run& r, std::size_t threads, std::size_t steps) {
    for (std::size_t i = 0; i < threads; ++i)
      r.thread("t", [this, steps] {
        for (std::size_t k = 0; k < steps; ++k)
          number.fetch_add(1);
      });
  }

  atomic<int> number{0};
};

// Each thread in a variable of its own.
struct apart {
  explicit apart(run& r) {
    for (auto& x : numbers)
      r.thread("t", [&x] {
        x.store(1);
        x.store(2);
      });
  }

  std::array<atomic<int>, 3> numbers;
};

} // namespace

BOOST_AUTO_TEST_SUITE(step_search)

// -- how many there are -------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_interleaving_is_tried_once) {
  // (2 * 3)! / 3!^2 and (3 * 2)! / 2!^3
  BOOST_TEST(explore<counted>("2 x 3", everything, 2u, 3u).runs == 20u);
  BOOST_TEST(explore<counted>("3 x 2", everything, 3u, 2u).runs == 90u);
  BOOST_TEST(explore<counted>("3 x 2", reduced, 3u, 2u).runs == 90u);
}

BOOST_AUTO_TEST_CASE(the_order_of_independent_steps_is_not_tried) {
  BOOST_TEST(explore<apart>("apart", everything).runs == 90u);
  BOOST_TEST(explore<apart>("apart", reduced).runs == 1u);
}

BOOST_AUTO_TEST_CASE(preemptions_are_bounded_and_the_end_of_a_thread_is_none) {
  // One thread after the other, in any order; then one or two cuts.
  BOOST_TEST(explore<counted>("2 x 3", with_preemptions(0), 2u, 3u).runs == 2u);
  BOOST_TEST(explore<counted>("2 x 3", with_preemptions(1), 2u, 3u).runs == 6u);
  BOOST_TEST(explore<counted>("2 x 3", with_preemptions(9), 2u, 3u).runs
             == 20u);
}

BOOST_AUTO_TEST_CASE(an_exploration_that_is_cut_short_proves_nothing) {
  auto found = explore<counted>("3 x 3", {method::all, 0, 100}, 3u, 3u);
  BOOST_TEST(!found.complete);
  BOOST_TEST(!found.proved());
  BOOST_TEST(found.runs == 100u);
}

// -- what it finds ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_lost_update_is_found_shown_and_done_again) {
  for (const auto& within : {everything, reduced, with_preemptions(1)}) {
    auto found = explore<lost_update>("lost update", within);
    BOOST_TEST(found.failure == "no update is lost");
    BOOST_TEST(found.choices == "0110");
    BOOST_TEST(found.trace.find("left         store                  number"
                                "             1 -> 1")
               != std::string::npos);
    auto again = replay(found.choices, [](run& r) {
      r.keep(std::make_shared<lost_update>(r));
    });
    BOOST_TEST(again.failure == found.failure);
    BOOST_TEST(found.trace.starts_with(again.trace));
  }
  BOOST_TEST(explore<lost_update>("lost update", with_preemptions(0)).proved());
}

BOOST_AUTO_TEST_CASE(the_environment_can_ask_for_one_run) {
  setenv("STEWARD_STEPS", "lost update=0110", 1);
  auto asked = explore<lost_update>("lost update", reduced);
  auto other = explore<lost_update>("another", reduced);
  unsetenv("STEWARD_STEPS");
  BOOST_TEST(asked.runs == 1u);
  BOOST_TEST(asked.choices == "0110");
  BOOST_TEST(asked.failure == "no update is lost");
  BOOST_TEST(!asked.proved());
  BOOST_TEST(other.runs > 1u);
}

BOOST_AUTO_TEST_CASE(choices_of_another_program_are_refused) {
  for (auto* choices : {"0003", "00000", "a", "?"}) {
    auto found = replay(choices, [](run& r) {
      r.keep(std::make_shared<lost_update>(r));
    });
    BOOST_TEST(found.failure == "the choices are not of this program");
  }
}

BOOST_AUTO_TEST_CASE(a_deadlock_is_found_and_says_who_waits) {
  struct philosophers {
    explicit philosophers(run& r) {
      r.thread("one", [this] { eat(left, right); });
      r.thread("two", [this] { eat(right, left); });
    }

    void eat(mutex& first, mutex& second) {
      first.lock();
      second.lock();
      second.unlock();
      first.unlock();
    }

    mutex left, right;
  };
  for (const auto& within : {everything, reduced})
    BOOST_TEST(explore<philosophers>("philosophers", within).failure
               == "deadlock: one waits to lock, two waits to lock");
}

BOOST_AUTO_TEST_CASE(a_notification_before_the_wait_is_missed) {
  struct sleeper {
    sleeper(run& r, bool looks_first) {
      r.thread("waits", [this, looks_first] {
        std::unique_lock lock{guard};
        bool woken = false;
        changed.wait_for(lock, std::chrono::seconds{1}, [&] {
          return looks_first ? done : std::exchange(woken, true);
        });
      });
      r.thread("wakes", [this] {
        std::lock_guard lock{guard};
        done = true;
        changed.notify_all();
      });
    }

    mutex guard;
    condition_variable changed;
    bool done = false;
  };
  for (const auto& within : {everything, reduced}) {
    BOOST_TEST(explore<sleeper>("looks first", within, true).proved());
    BOOST_TEST(explore<sleeper>("just waits", within, false).failure
               == "deadlock: waits waits to wait");
  }
}

BOOST_AUTO_TEST_CASE(a_weak_exchange_may_fail_for_no_reason) {
  struct hasty {
    hasty(run& r, bool weak) {
      r.thread("t", [this, weak] {
        int seen = 0;
        must(weak ? number.compare_exchange_weak(seen, 1)
                  : number.compare_exchange_strong(seen, 1),
             "nobody else is here");
      });
    }

    atomic<int> number{0};
  };
  BOOST_TEST(explore<hasty>("strong", reduced, false).proved());
  auto found = explore<hasty>("weak", reduced, true);
  BOOST_TEST(found.failure == "nobody else is here");
  BOOST_TEST(found.choices == "a");
  BOOST_TEST(found.trace.find("fails for no reason") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_check_sees_what_lasts_one_step_only) {
  struct blink {
    explicit blink(run& r) {
      r.thread("t", [this] {
        number.store(1);
        number.store(0);
      });
      r.always([this] { must(number.load() == 0, "always 0"); });
    }

    atomic<int> number{0};
  };
  for (const auto& within : {everything, reduced, with_preemptions(0)})
    BOOST_TEST(explore<blink>("blink", within).failure == "always 0");
}

#ifndef NDEBUG
BOOST_AUTO_TEST_CASE(an_assertion_that_does_not_hold_is_found) {
  struct hopeful {
    explicit hopeful(run& r) {
      r.thread("sets", [this] { number.store(1); });
      r.thread("hopes", [this] {
        [[maybe_unused]] auto seen = number.load();
        assert(seen == 0);
      });
    }

    atomic<int> number{0};
  };
  auto found = explore<hopeful>("assertion", reduced);
  BOOST_TEST(found.failure == "assertion: seen == 0");
  BOOST_TEST(found.choices == "01");
}
#endif

// Without the order that `flag` gives, `data` would be a race, though every
// single run reads the right value.
BOOST_AUTO_TEST_CASE(a_data_race_is_found_where_a_memory_order_is_too_weak) {
  struct message {
    message(run& r, std::memory_order stores, std::memory_order loads) {
      r.thread("sends", [this, stores] {
        data.write(42);
        flag.store(true, stores);
      });
      r.thread("reads", [this, loads] {
        if (flag.load(loads))
          must(data.read() == 42, "the value is right");
      });
    }

    plain<int> data;
    atomic<bool> flag{false};
  };
  using enum std::memory_order;
  auto with = [](std::memory_order stores, std::memory_order loads) {
    return explore<message>("message", reduced, stores, loads).failure;
  };
  BOOST_TEST(with(release, acquire) == "");
  BOOST_TEST(with(seq_cst, seq_cst) == "");
  BOOST_TEST(with(relaxed, acquire) == "data race: reads what another writes");
  BOOST_TEST(with(release, relaxed) == "data race: reads what another writes");
}

BOOST_AUTO_TEST_CASE(use_after_the_end_is_found) {
  struct dangling {
    explicit dangling(run& r) {
      r.thread("ends", [this] {
        let_others();
        number.reset();
      });
      r.thread("uses", [x = &*number] { x->store(1); });
    }

    // Its memory stays, or the address sanitizer would be first to find it.
    std::optional<atomic<int>> number{0};
  };
  for (const auto& within : {everything, reduced})
    BOOST_TEST(explore<dangling>("dangling", within).failure
               == "use of something that is gone");
}

BOOST_AUTO_TEST_CASE(a_loop_without_end_is_found) {
  struct spins {
    explicit spins(run& r) {
      r.thread("t", [this] {
        while (!flag.load()) {
          // for ever
        }
      });
    }

    atomic<bool> flag{false};
  };
  BOOST_TEST(explore<spins>("spins", reduced).failure
             == "no end after 5000 steps");
}

BOOST_AUTO_TEST_CASE(a_program_that_depends_on_more_than_steps_is_refused) {
  static int runs = 0;
  struct moody {
    explicit moody(run& r) {
      r.thread("a", [this] { number.store(1); });
      r.thread("b", [this] {
        number.store(2);
        if (++runs % 2 == 0)
          guard.lock();
        number.store(3);
        number.store(4);
      });
      r.thread("c", [this] {
        guard.lock();
        number.store(5);
        guard.unlock();
      });
    }

    atomic<int> number{0};
    mutex guard;
  };
  BOOST_TEST(explore<moody>("moody", everything)
               .failure.starts_with("the same choices led elsewhere"));
}

// -- what it leaves out -------------------------------------------------------

namespace {

// A few threads that do a few things at random, the same in each run.
class jumble {
public:
  jumble(run& r, unsigned seed, std::set<std::string>* seen) : seen_(seen) {
    std::mt19937 random{seed};
    bool reads = random() % 2 == 0; // one thread waits for mail
    auto threads = reads ? 2 : 2 + random() % 2;
    auto steps = reads || threads == 3 ? 2u : 4u;
    for (std::size_t i = 0; i < threads; ++i) {
      std::vector<unsigned> what;
      for (std::size_t k = 0; k < steps; ++k)
        what.push_back(static_cast<unsigned>(random() % 64));
      r.thread("t" + std::to_string(i), [this, i, what] { live(i, what); });
    }
    if (reads)
      r.thread("reader", [this] {
        while (auto x = mail_.take_or_rest())
          log_[3] += "m" + std::to_string(*x);
      });
    r.always([this] {
      if (seen_ != nullptr)
        seen_->insert(std::to_string(numbers_[0].load()) + "/"
                      + std::to_string(noted_.get()));
    });
    r.ends_as([this] {
      std::string result;
      for (auto& x : numbers_)
        result += std::to_string(x.load()) + " ";
      for (auto& x : log_)
        result += x + ",";
      return result + std::to_string(noted_.get());
    });
  }

private:
  void live(std::size_t self, const std::vector<unsigned>& what) {
    for (auto x : what)
      act(self, x);
  }

  void act(std::size_t self, unsigned what) {
    auto& number = numbers_[what % 2];
    auto& log = log_[self];
    auto mine = static_cast<int>(self) + 1;
    switch (what / 2 % 10) {
      case 0: number.store(mine); break;
      case 1: number.fetch_add(mine); break;
      case 2: {
        int expected = 0;
        log += number.compare_exchange_weak(expected, mine) ? "y" : "n";
        break;
      }
      case 3: {
        int expected = mine;
        log += number.compare_exchange_strong(expected, 7) ? "y" : "n";
        break;
      }
      case 4: {
        std::lock_guard lock{guard_};
        log += std::to_string(++locked_);
        break;
      }
      case 5: {
        std::lock_guard lock{guard_};
        log += std::to_string(number.load());
        break;
      }
      case 6: mail_.put(mine); break;
      case 7:
        let_others();
        noted_.change() = noted_.get() * 3 + mine;
        break;
      default: log += std::to_string(number.load());
    }
  }

  std::array<atomic<int>, 2> numbers_;
  mutex guard_;
  int locked_ = 0;
  mailbox<int> mail_;
  ghost<int> noted_;
  std::array<std::string, 4> log_;
  std::set<std::string>* seen_;
};

} // namespace

// What each thread read, in order, is part of the end: all that a run can show.
BOOST_AUTO_TEST_CASE(the_reduced_search_sees_every_end_and_every_state) {
  std::size_t runs_all = 0;
  std::size_t runs_reduced = 0;
  std::size_t ends = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::set<std::string> seen_all;
    std::set<std::string> seen_reduced;
    auto all = explore<jumble>("", everything, seed, &seen_all);
    auto few = explore<jumble>("", reduced, seed, &seen_reduced);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(all.proved());
      BOOST_TEST(few.proved());
      BOOST_TEST(few.ends == all.ends, boost::test_tools::per_element());
      BOOST_TEST(seen_reduced == seen_all, boost::test_tools::per_element());
    }
    runs_all += all.runs;
    runs_reduced += few.runs;
    ends += all.ends.size();
  }
  std::printf("steps: %zu ends: %zu interleavings, %zu reduced\n", ends,
              runs_all, runs_reduced);
  BOOST_TEST(runs_reduced < runs_all / 2);
}

BOOST_AUTO_TEST_SUITE_END()
