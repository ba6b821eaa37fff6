#include <boost/test/unit_test.hpp>

#include "core_fixtures.hpp"

#include <steward/core/budget_book.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace core_test;

namespace {

// The budget of a pool, and resources that are plain slots. Owners are letters.
struct fixture {
  using book = budget_book<char>;

  explicit fixture(std::size_t total = 2,
                   full_policy policy = full_policy::evict_idle)
    : all(total), budget(all, policy, total) {
  }

  time_point now = start;
  permits all;
  book budget;
  book::effects out;
  std::map<std::uint64_t, std::unique_ptr<slot>> slots;

  std::string effects() {
    std::string text;
    for (auto& x : out) {
      if (!text.empty())
        text += "; ";
      if (auto* yes = std::get_if<book::grant>(&x))
        text += std::string{"grant "} + yes->to;
      else if (auto* no = std::get_if<book::deny>(&x))
        text += std::string{"deny "} + no->to;
      else if (auto* please = std::get_if<book::ask>(&x))
        text += std::string{"ask "} + please->to + " for "
                + std::to_string(please->id);
    }
    out.clear();
    return text;
  }

  std::string wanted(char who) {
    budget.wanted(who, out);
    return effects();
  }

  std::string returned() {
    budget.returned(out);
    return effects();
  }

  std::string closed(std::uint64_t id) {
    if (budget.closed(id))
      budget.look_again(out);
    return effects();
  }

  std::string kept(std::uint64_t id) {
    if (budget.kept(id))
      budget.look_again(out);
    return effects();
  }

  book::claimed claim() {
    auto result = budget.claim();
    BOOST_REQUIRE(result.has_value());
    return *result;
  }

  std::string put_back(book::claimed x) {
    budget.put_back(x);
    return effects();
  }

  // Takes the first of two resources, of which the other is in use.
  book::claimed claim_the_only_idle_one() {
    open(1, 'a');
    hold(open(2, 'b'));
    return claim();
  }

  // Opens a resource with a permit; it is idle from now on.
  slot& open(std::uint64_t id, char owner) {
    BOOST_REQUIRE(all.try_take());
    auto& s = *(slots[id] = std::make_unique<slot>());
    s.begin_open(id, "", now);
    s.opened(&all, now, 0, false);
    budget.opened(id, s, owner, s.last_used());
    return s;
  }

  static void hold(slot& s) {
    BOOST_REQUIRE(s.try_hold(s.word()));
  }

  void give_back(slot& s) {
    core_test::give_back(s, now, [&] { budget.idle_again(s.id()); });
  }

  void use(slot& s) {
    hold(s);
    give_back(s);
  }

  // Its owner closes it; the news is on the way.
  static void start_close(slot& s) {
    BOOST_REQUIRE(s.try_take(s.word()));
  }
};

struct large : fixture { // so that there is more than one stripe
  large() : fixture(5000) {
  }
};

struct rejecting : fixture {
  rejecting() : fixture(1, full_policy::reject) {
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(budget_book_, fixture)

BOOST_AUTO_TEST_CASE(a_permit_that_is_there_after_all_is_granted) {
  BOOST_TEST(wanted('a') == "grant a");
  BOOST_TEST(all.try_take()); // the queue is over, one was left
  BOOST_TEST(!all.try_take());
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_of_all_keys_is_asked_for) {
  auto& one = open(1, 'a');
  open(2, 'b');
  now += 1s;
  use(one);
  BOOST_TEST(wanted('c') == "ask b for 2");
  BOOST_TEST(budget.waiting() == 1u);
  BOOST_TEST(returned() == "grant c");
  BOOST_TEST(closed(2) == "");
  BOOST_TEST(budget.known() == 1u);
}

BOOST_AUTO_TEST_CASE(
  of_those_idle_equally_long_the_one_opened_first_is_asked_for) {
  open(1, 'a');
  open(2, 'b');
  BOOST_TEST(wanted('c') == "ask a for 1");
}

BOOST_AUTO_TEST_CASE(what_is_held_is_not_asked_for) {
  hold(open(1, 'a'));
  open(2, 'b');
  BOOST_TEST(wanted('c') == "ask b for 2");
  BOOST_TEST(wanted('d') == "deny d");
  BOOST_TEST(budget.waiting() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_waits_when_everything_is_held) {
  hold(open(1, 'a'));
  hold(open(2, 'b'));
  BOOST_TEST(wanted('c') == "deny c");
  BOOST_TEST(budget.waiting() == 0u);
  BOOST_TEST(all.try_put()); // no queue is left behind
}

BOOST_AUTO_TEST_CASE(each_who_waits_has_a_resource_asked_for) {
  open(1, 'a');
  open(2, 'b');
  BOOST_TEST(wanted('c') == "ask a for 1");
  BOOST_TEST(wanted('d') == "ask b for 2");
  BOOST_TEST(wanted('e') == "deny e"); // who came last
  BOOST_TEST(returned() == "grant c"); // who came first
  BOOST_TEST(returned() == "grant d");
}

BOOST_AUTO_TEST_CASE(
  what_is_closing_anyway_brings_a_permit_without_being_asked) {
  start_close(open(1, 'a'));
  open(2, 'b');
  BOOST_TEST(wanted('c') == "");
  BOOST_TEST(budget.waiting() == 1u);
  BOOST_TEST(returned() == "grant c");
  BOOST_TEST(closed(1) == "");
}

BOOST_AUTO_TEST_CASE(one_whose_resource_was_kept_has_the_next_one_asked_for) {
  auto& one = open(1, 'a');
  open(2, 'b');
  BOOST_TEST(wanted('c') == "ask a for 1");
  now += 1s;
  use(one); // before the message arrived
  hold(one);
  BOOST_TEST(kept(1) == "ask b for 2");
  BOOST_TEST(kept(2) == "ask b for 2"); // it still looks idle
}

BOOST_AUTO_TEST_CASE(
  one_whose_resource_was_kept_is_denied_if_there_is_no_other) {
  hold(open(1, 'a'));
  auto& two = open(2, 'b');
  BOOST_TEST(wanted('c') == "ask b for 2");
  hold(two);
  BOOST_TEST(kept(2) == "deny c");
}

BOOST_AUTO_TEST_CASE(when_hopes_fail_the_last_who_came_is_denied) {
  open(1, 'a');
  auto& two = open(2, 'b');
  wanted('c');
  wanted('d');
  hold(two);
  BOOST_TEST(kept(2) == "deny d");
  BOOST_TEST(returned() == "grant c");
}

BOOST_AUTO_TEST_CASE(a_resource_that_is_gone_brings_nothing_more) {
  auto& one = open(1, 'a');
  hold(open(2, 'b'));
  BOOST_TEST(wanted('c') == "ask a for 1");
  start_close(one);
  // The permit comes before the news. Who asks in between is asked for again.
  BOOST_TEST(returned() == "grant c");
  BOOST_TEST(wanted('d') == "");
  BOOST_TEST(closed(1) == "deny d");
}

BOOST_AUTO_TEST_CASE(
  an_answer_that_comes_after_the_queue_has_ended_is_harmless) {
  auto& one = open(1, 'a');
  open(2, 'b');
  wanted('c');
  start_close(one);
  BOOST_TEST(returned() == "grant c");
  BOOST_TEST(all.try_put()); // no queue any more, so `c` puts its permit back
  BOOST_TEST(closed(1) == "");
  BOOST_TEST(kept(1) == "");
  BOOST_TEST(kept(99) == "");
  BOOST_TEST(closed(99) == "");
  BOOST_TEST(all.try_take());
  BOOST_TEST(!all.try_take());
}

BOOST_AUTO_TEST_CASE(a_permit_that_comes_after_the_queue_has_ended_is_for_all) {
  hold(open(1, 'a'));
  BOOST_TEST(wanted('b') == "grant b");
  BOOST_TEST(wanted('c') == "deny c");
  BOOST_TEST(returned() == "");
  BOOST_TEST(all.try_take());
  BOOST_TEST(!all.try_take());
}

BOOST_AUTO_TEST_CASE(
  a_slot_that_got_another_resource_is_not_taken_for_the_old_one) {
  auto& s = open(1, 'a');
  hold(open(2, 'b'));
  start_close(s);
  s.finish_close();
  s.begin_open(3, "", now); // the news of 1 and 3 is on the way
  s.opened(&all, now, 0, false);
  BOOST_TEST(wanted('c') == ""); // 1 is closed, its permit seems to come
  BOOST_TEST(closed(1) == "deny c");
  budget.opened(3, s, 'a', now);
  BOOST_TEST(wanted('c') == "ask a for 3");
}

BOOST_FIXTURE_TEST_CASE(a_pool_told_to_reject_asks_nobody, rejecting) {
  open(1, 'a');
  BOOST_TEST(wanted('b') == "deny b");
  BOOST_TEST(all.try_put());
}

// Against a list that is sorted anew each time. Uses send no messages, so the
// book sees them only when it looks.
BOOST_AUTO_TEST_CASE(the_book_always_finds_the_least_recently_used) {
  std::size_t asked = 0;
  std::size_t denied = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random{seed};
    fixture f{5};
    std::set<std::uint64_t> expected; // asked for, or closing
    std::map<std::uint64_t, bool> held;
    std::uint64_t ids = 0;
    auto best = [&] {
      std::vector<std::pair<time_point, std::uint64_t>> idle;
      for (auto& [id, is_held] : held)
        if (!is_held && !expected.contains(id))
          idle.emplace_back(f.slots[id]->last_used(), id);
      std::sort(idle.begin(), idle.end());
      return idle.empty() ? 0 : idle.front().second;
    };
    auto check = [&] {
      for (std::size_t i = 0; i < f.out.size(); ++i) {
        auto x = f.out[i];
        if (auto* please = std::get_if<fixture::book::ask>(&x)) {
          BOOST_REQUIRE_MESSAGE(please->id == best(), "seed " << seed);
          expected.insert(please->id);
          ++asked;
        } else if (std::holds_alternative<fixture::book::deny>(x)) {
          BOOST_REQUIRE_MESSAGE(best() == 0, "seed " << seed);
          ++denied;
        } else { // whoever got it has no use for it
          f.budget.returned(f.out);
        }
      }
      f.out.clear();
      BOOST_REQUIRE(f.budget.waiting() <= expected.size());
    };
    auto some_idle = [&](bool want_held) -> std::uint64_t {
      std::vector<std::uint64_t> some;
      for (auto& [id, is_held] : held)
        if (is_held == want_held)
          some.push_back(id);
      return some.empty() ? 0 : some[random() % some.size()];
    };
    for (int step = 0; step < 100; ++step) {
      f.now += 1s * static_cast<int>(random() % 2);
      switch (random() % 6) {
        case 0:
          if (f.budget.waiting() == 0 && held.size() < 5) {
            f.open(++ids, 'a');
            held[ids] = false;
          }
          break;
        case 1:
          if (auto id = some_idle(false)) {
            fixture::hold(*f.slots[id]);
            held[id] = true;
          }
          break;
        case 2:
          if (auto id = some_idle(true)) {
            f.give_back(*f.slots[id]);
            held[id] = false;
          }
          break;
        case 3:
          if (held.size() == 5) {
            f.budget.wanted('x', f.out);
            check();
          }
          break;
        default: // whoever was asked answers
          if (expected.empty())
            break;
          auto id = *expected.begin();
          if (held[id]) {
            if (f.budget.kept(id))
              f.budget.look_again(f.out);
          } else {
            fixture::start_close(*f.slots[id]);
            held.erase(id);
            f.budget.returned(f.out);
            check();
            if (f.budget.closed(id))
              f.budget.look_again(f.out);
          }
          expected.erase(id);
          check();
      }
    }
  }
  BOOST_TEST(asked > 1000u);
  BOOST_TEST(denied > 1000u);
}

// -- who makes room himself ---------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_claimed_is_the_least_recently_used_and_forgotten) {
  auto& first = open(1, 'a');
  now += 1s;
  auto& second = open(2, 'b');
  now += 1s;
  use(first);
  auto victim = claim();
  BOOST_TEST(victim.id == 2u);
  BOOST_TEST(victim.owner == 'b');
  BOOST_TEST(victim.place == &second);
  BOOST_TEST(budget.known() == 1u);
  BOOST_TEST(wanted('c') == "ask a for 1"); // and not for the one that is taken
}

BOOST_AUTO_TEST_CASE(nothing_can_be_claimed_past_those_who_wait) {
  open(1, 'a');
  open(2, 'b');
  BOOST_TEST(wanted('c') == "ask a for 1");
  BOOST_TEST(!budget.claim().has_value());
}

BOOST_AUTO_TEST_CASE(what_is_in_use_or_being_closed_cannot_be_claimed) {
  auto& first = open(1, 'a');
  auto& second = open(2, 'b');
  hold(first);
  start_close(second);
  BOOST_TEST(!budget.claim().has_value());
  BOOST_TEST(wanted('c') == ""); // the permit of the second one will come
  BOOST_TEST(closed(2) == "deny c");
}

BOOST_FIXTURE_TEST_CASE(a_large_pool_has_the_same_order, large) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    now += 1s;
    open(id, 'a');
  }
  now += 1s;
  use(*slots[1]);
  for (std::uint64_t id = 2; id <= 100; ++id)
    BOOST_TEST(claim().id == id);
  BOOST_TEST(claim().id == 1u);
}

BOOST_FIXTURE_TEST_CASE(where_nothing_is_evicted_nothing_is_claimed,
                        rejecting) {
  open(1, 'a');
  BOOST_TEST(!budget.claim().has_value());
}

BOOST_AUTO_TEST_CASE(what_is_put_back_counts_as_used_when_it_was) {
  open(1, 'a');
  now += 1s;
  open(2, 'b');
  now += 1s;
  auto victim = claim();
  BOOST_TEST(victim.id == 1u);
  BOOST_TEST(put_back(victim) == "");
  BOOST_TEST(budget.known() == 2u);
  BOOST_TEST(wanted('c') == "ask a for 1");
}

BOOST_AUTO_TEST_CASE(what_is_put_back_is_there_for_who_comes_next) {
  auto victim = claim_the_only_idle_one();
  BOOST_TEST(wanted('c') == "deny c"); // its permit is not for others
  BOOST_TEST(put_back(victim) == "");
  BOOST_TEST(wanted('d') == "ask a for 1");
}

BOOST_AUTO_TEST_CASE(what_is_left_to_its_owner_is_closed_or_kept_by_that) {
  budget.left_to_owner(claim_the_only_idle_one());
  BOOST_TEST(wanted('c') == ""); // the owner's permit will come
  BOOST_TEST(returned() == "grant c");
  BOOST_TEST(closed(1) == "");
  BOOST_TEST(budget.known() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
