// What the budget says, it says at once: alone in a simulation, with probes for
// supervisors.
#include "core_fixtures.hpp"

#include <steward/actors/budget.hpp>
#include <steward/testkit.hpp>

#include <boost/test/unit_test.hpp>

using namespace core_test;
using testkit::sim;

namespace {

class no_keeper final : public shelf_keeper {
public:
  void hand_over(slot&, bool) noexcept override {
  }

  bool check(void*) noexcept override {
    return true;
  }
};

class no_opener final : public any_opener {
public:
  outcome open(const open_request&) noexcept override {
    return {};
  }

  bool check(void*) noexcept override {
    return true;
  }

  void close(void*, close_reason) noexcept override {
  }

  void destroy(void*) noexcept override {
  }

  bool blocks() const noexcept override {
    return true;
  }

  bool checks() const noexcept override {
    return false;
  }
};

// A supervisor that sleeps.
class sleeper final : public recipient {
public:
  explicit sleeper(caf::actor caretaker) : caretaker_(std::move(caretaker)) {
  }

  void wake(caf::message) override {
    BOOST_ERROR("nobody had to wake it");
  }

  bool tell(caf::message) override {
    return false;
  }

  caf::actor caretaker() const override {
    return caretaker_;
  }

private:
  caf::actor caretaker_;
};

struct fixture {
  std::shared_ptr<manual_time> time = std::make_shared<manual_time>();
  std::shared_ptr<pool_context> context = std::make_shared<pool_context>(
    pool_options{.name = "things", .total_max = 1}, time,
    std::make_shared<no_opener>());
  no_keeper keeper;
  shelf place{"a", context->terms, keeper};
  int resource = 0;
  sim s;
  testkit::probe a = s.probe("a");
  testkit::probe b = s.probe("b");
  caf::actor budget = s.spawn(budget_actor, context);

  // All there may be is one idle resource, of `owner`.
  void fill(std::shared_ptr<recipient> owner) {
    BOOST_REQUIRE(context->budget_permits.try_take());
    auto& x = place.vacancy();
    x.begin_open(1, "", time->at);
    x.opened(&resource, time->at, 0, false);
    a.send(budget, budget_opened{std::move(owner), &x, 1, x.last_used()});
  }

  static std::shared_ptr<recipient> of(const testkit::probe& x) {
    return std::make_shared<plain_recipient>(x.actor());
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_permit_that_comes_back_is_passed_on, fixture) {
  fill(of(a));
  b.send(budget, permit_wanted{of(b)});
  BOOST_TEST(a.expect<give_up>().id == 1u);
  b.expect_nothing();
  a.send(budget, permit_returned{});
  b.expect<permit_granted>();
}

BOOST_FIXTURE_TEST_CASE(who_is_refused_hears_of_it, fixture) {
  fill(of(a));
  BOOST_REQUIRE(place.borrow("", 0) != nullptr);
  b.send(budget, permit_wanted{of(b)});
  b.expect<permit_denied>();
  a.expect_nothing();
}

BOOST_FIXTURE_TEST_CASE(what_is_kept_after_all_is_no_hope, fixture) {
  fill(of(a));
  b.send(budget, permit_wanted{of(b)});
  a.expect<give_up>();
  BOOST_REQUIRE(place.borrow("", 0) != nullptr);
  a.send(budget, kept{1});
  b.expect<permit_denied>();
}

BOOST_FIXTURE_TEST_CASE(what_is_gone_without_its_permit_is_no_hope, fixture) {
  fill(of(a));
  b.send(budget, permit_wanted{of(b)});
  a.expect<give_up>();
  a.send(budget, budget_closed{1});
  b.expect<permit_denied>();
}

BOOST_FIXTURE_TEST_CASE(the_caretaker_is_asked_for_what_sleeps, fixture) {
  auto caretaker = s.probe("caretaker");
  auto asleep = std::make_shared<sleeper>(caretaker.actor());
  fill(asleep);
  b.send(budget, permit_wanted{of(b)});
  auto asked = caretaker.expect<give_up_asleep>();
  BOOST_TEST(asked.id == 1u);
  BOOST_TEST((asked.who == asleep));
}
