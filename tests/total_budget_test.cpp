// What the budget says, it says at once: alone, with probes of a simulation for
// supervisors.
#include "core_fixtures.hpp"
#include "plain_recipient.hpp"

#include <steward/actors/budget.hpp>
#include <steward/core/shelf.hpp>
#include <steward/messages/budget.hpp>
#include <steward/testkit.hpp>

#include <boost/test/unit_test.hpp>

using namespace core_test;
using testkit::sim;

namespace {

class no_keeper final : public shelf_keeper {
public:
  void hand_over(slot&, bool) noexcept override {
  }

  void idle_again(slot&, function_ref<void()>) noexcept override {
  }

  bool check(void*) noexcept override {
    return true;
  }
};

struct fixture {
  manual_time time;
  lending_terms terms{&time, 1, false};
  no_keeper keeper;
  shelf place{"a", terms, keeper};
  int resource = 0;
  sim s;
  testkit::probe a = s.probe("a");
  testkit::probe b = s.probe("b");
  permits all{1};
  total_budget budget{all, pool_options{}};

  // All there may be is one idle resource, of `owner`.
  void fill(std::shared_ptr<recipient> owner) {
    BOOST_REQUIRE(all.try_take());
    auto& x = place.vacancy();
    x.begin_open(1, "", time.at);
    x.opened(&resource, time.at, 0, false);
    budget.opened(std::move(owner), x);
  }

  static std::shared_ptr<recipient> of(const testkit::probe& x) {
    return std::make_shared<plain_recipient>(x.actor());
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_permit_that_comes_back_is_passed_on, fixture) {
  fill(of(a));
  budget.wanted(of(b));
  BOOST_TEST(a.expect<give_up>().id == 1u);
  b.expect_nothing();
  budget.returned();
  b.expect<permit_granted>();
}

BOOST_FIXTURE_TEST_CASE(who_is_refused_hears_of_it, fixture) {
  fill(of(a));
  BOOST_REQUIRE(place.borrow("", 0) != nullptr);
  budget.wanted(of(b));
  b.expect<permit_denied>();
  a.expect_nothing();
}

BOOST_FIXTURE_TEST_CASE(what_is_kept_after_all_is_no_hope, fixture) {
  fill(of(a));
  budget.wanted(of(b));
  a.expect<give_up>();
  BOOST_REQUIRE(place.borrow("", 0) != nullptr);
  budget.kept(1);
  b.expect<permit_denied>();
}

BOOST_FIXTURE_TEST_CASE(what_is_gone_without_its_permit_is_no_hope, fixture) {
  fill(of(a));
  budget.wanted(of(b));
  a.expect<give_up>();
  budget.closed(1);
  b.expect<permit_denied>();
}

BOOST_FIXTURE_TEST_CASE(the_caretaker_is_asked_for_what_sleeps, fixture) {
  auto caretaker = s.probe("caretaker");
  auto asleep = std::make_shared<sleeping_recipient>(caretaker.actor());
  fill(asleep);
  budget.wanted(of(b));
  auto asked = caretaker.expect<give_up_asleep>();
  BOOST_TEST(asked.id == 1u);
  BOOST_TEST((asked.who == asleep));
}

BOOST_FIXTURE_TEST_CASE(who_claims_gets_what_is_idle_once, fixture) {
  auto owner = of(a);
  fill(owner);
  auto claimed = budget.claim();
  BOOST_REQUIRE(claimed.has_value());
  BOOST_TEST(claimed->id == 1u);
  BOOST_TEST((claimed->owner == owner));
  BOOST_TEST(!budget.claim().has_value());
  budget.put_back(*claimed); // it was used after all
  BOOST_TEST(budget.claim().has_value());
}

BOOST_FIXTURE_TEST_CASE(nobody_claims_past_who_waits, fixture) {
  fill(of(a));
  budget.wanted(of(b));
  a.expect<give_up>();
  BOOST_TEST(!budget.claim().has_value());
}

BOOST_FIXTURE_TEST_CASE(what_was_claimed_is_no_hope_for_others, fixture) {
  fill(of(a));
  BOOST_REQUIRE(budget.claim().has_value());
  budget.wanted(of(b));
  b.expect<permit_denied>(); // its permit is not for others
}

BOOST_FIXTURE_TEST_CASE(what_is_left_to_its_owner_is_hope_for_others, fixture) {
  fill(of(a));
  auto claimed = budget.claim();
  BOOST_REQUIRE(claimed.has_value());
  budget.left_to_owner(*claimed);
  budget.wanted(of(b));
  b.expect_nothing(); // perhaps it is closed
  budget.kept(1);
  a.expect<give_up>();
  budget.returned();
  b.expect<permit_granted>();
}

BOOST_FIXTURE_TEST_CASE(after_the_end_nobody_hears_of_it, fixture) {
  fill(of(a));
  budget.stop();
  budget.wanted(of(b));
  b.expect_nothing();
  BOOST_TEST(!budget.claim().has_value());
}
