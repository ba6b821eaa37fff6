#include "pool_fixture.hpp"

#include <numeric>

using namespace pool_test;
using testkit::ask;
using testkit::gather;

namespace {

struct question {
  int n = 0;
};

struct answer {
  int n = 0;
};

struct hush {
  int n = 0;
};

caf::behavior doubling(caf::event_based_actor* self, int refuses) {
  cafx::drop_unknown(self);
  // Answered when all have come: who asked one by one would wait for ever.
  auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return {
    [=](const question& q) -> caf::result<answer> {
      if (q.n == refuses)
        return caf::make_error(caf::sec::bad_function_call);
      return answer{2 * q.n};
    },
    [=](const hush&) -> caf::result<answer> {
      kept->push_back(self->make_response_promise());
      return kept->back();
    },
  };
}

std::vector<ask<question>> questions(const caf::actor& to, int n) {
  std::vector<ask<question>> result;
  for (int i = 0; i < n; ++i)
    result.push_back({to, {i}});
  return result;
}

struct fixture {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  caf::actor doubler = sys.spawn(doubling, 3);

  ~fixture() {
    caf::anon_send_exit(doubler, caf::exit_reason::kill);
  }
};

} // namespace

STEWARD_MESSAGE(question)
STEWARD_MESSAGE(answer)
STEWARD_MESSAGE(hush)

BOOST_AUTO_TEST_CASE(an_empty_list_completes_at_once) {
  std::vector<std::function<int()>> none;
  BOOST_TEST(gather(none).empty());
  BOOST_TEST(gather(0, [](std::size_t i) { return i; }).empty());
}

BOOST_AUTO_TEST_CASE(results_come_in_the_order_of_the_calls) {
  auto results = gather(16, [](std::size_t i) { return 10 * i; });
  BOOST_REQUIRE(results.size() == 16u);
  for (std::size_t i = 0; i < results.size(); ++i)
    BOOST_TEST(need(results[i]) == 10 * i);
}

BOOST_AUTO_TEST_CASE(all_calls_are_under_way_together) {
  auto met = std::make_shared<std::latch>(8);
  auto results = gather(8, [met](std::size_t) { met->arrive_and_wait(); });
  for (const auto& x : results)
    BOOST_TEST(static_cast<bool>(x));
}

BOOST_AUTO_TEST_CASE(a_failure_is_a_value_and_stops_nobody_else) {
  auto results = gather(4, [](std::size_t i) -> caf::expected<std::size_t> {
    if (i == 1)
      throw std::runtime_error("no luck");
    if (i == 2)
      return make_error(errc::key_full, "full");
    return i;
  });
  BOOST_TEST(need(results[0]) == 0u);
  BOOST_TEST((results[1].error() == caf::sec::runtime_error));
  BOOST_TEST(caf::to_string(results[1].error()).find("no luck")
             != std::string::npos);
  BOOST_TEST(code(results[2]) == errc::key_full);
  BOOST_TEST(need(results[3]) == 3u);
}

BOOST_AUTO_TEST_CASE(values_may_be_move_only) {
  auto results
    = gather(3, [](std::size_t i) { return std::make_unique<std::size_t>(i); });
  BOOST_TEST(*need(std::move(results[2])) == 2u);
}

BOOST_AUTO_TEST_CASE(a_call_that_hangs_is_an_error_of_its_own) {
  auto hangs = std::make_shared<gate>();
  auto left = std::make_shared<gate>();
  auto results = gather(
    3,
    [hangs, left](std::size_t i) {
      if (i == 1)
        hangs->wait();
      return i;
    },
    100ms);
  BOOST_TEST(need(results[0]) == 0u);
  BOOST_TEST((results[1].error() == caf::sec::request_timeout));
  BOOST_TEST(need(results[2]) == 2u);
  hangs->open();
  // The call lets go of what it had after it was given up.
  BOOST_TEST(truth::waits_until([&] { return hangs.use_count() == 1; }));
}

BOOST_FIXTURE_TEST_CASE(an_actor_asks_all_at_once_and_has_all_in_order,
                        fixture) {
  auto results = gather<answer>(sys, questions(doubler, 100));
  BOOST_REQUIRE(results.size() == 100u);
  for (int i = 0; i < 100; ++i) {
    auto& x = results[static_cast<std::size_t>(i)];
    if (i == 3)
      BOOST_TEST((x.error() == caf::sec::bad_function_call));
    else
      BOOST_TEST(need(x).n == 2 * i);
  }
}

BOOST_FIXTURE_TEST_CASE(an_actor_that_asks_nobody_is_done_at_once, fixture) {
  BOOST_TEST(gather<answer>(sys, questions(doubler, 0)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_dead_receiver_is_an_error_of_its_own, fixture) {
  auto dead = sys.spawn(doubling, 3);
  caf::anon_send_exit(dead, caf::exit_reason::kill);
  std::vector<ask<question>> asks{{doubler, {1}}, {dead, {1}}, {doubler, {2}}};
  auto results = gather<answer>(sys, asks);
  BOOST_TEST(need(results[0]).n == 2);
  BOOST_TEST(!results[1]);
  BOOST_TEST(need(results[2]).n == 4);
}

BOOST_FIXTURE_TEST_CASE(a_receiver_that_never_answers_is_waited_for_so_long,
                        fixture) {
  std::vector<ask<hush>> asks(3, {doubler, {}});
  auto results = gather<answer>(sys, asks, 100ms);
  BOOST_REQUIRE(results.size() == 3u);
  for (const auto& x : results)
    BOOST_TEST((x.error() == caf::sec::request_timeout));
}
