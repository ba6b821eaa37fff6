// Calls in threads of their own; see gather_test.cpp for actors.
#include "pool_fixture.hpp"

#include <array>

using namespace pool_test;
using testkit::gather;
using testkit::return_exceptions;
namespace on_error = testkit::on_error;

namespace {

std::string text(const caf::error& e) {
  return describe(e);
}

bool contains(const std::string& all, const std::string& part) {
  return all.find(part) != all.npos;
}

using three_gates = std::shared_ptr<std::array<gate, 3>>;

// Of three calls; the others wait behind their gates.
auto middle_fails(three_gates slow, std::shared_ptr<std::atomic<int>> ended) {
  return [=](std::size_t i) -> caf::expected<int> {
    if (i == 1)
      return make_error(errc::key_full, "full");
    (*slow)[i].wait();
    return ++*ended;
  };
}

} // namespace

BOOST_AUTO_TEST_CASE(an_empty_list_completes_at_once) {
  std::vector<std::function<int()>> none;
  BOOST_TEST(need(gather(none)).empty());
  BOOST_TEST(gather(none, return_exceptions).empty());
  auto uncalled = [](std::size_t i) { return i; };
  BOOST_TEST(need(gather(0, uncalled, 0ns)).empty());
  BOOST_TEST(gather(0, uncalled, return_exceptions).empty());
}

BOOST_AUTO_TEST_CASE(values_come_in_the_order_of_the_calls) {
  auto values = need(gather(16, [](std::size_t i) { return 10 * i; }));
  BOOST_REQUIRE(values.size() == 16u);
  for (std::size_t i = 0; i < values.size(); ++i)
    BOOST_TEST(values[i] == 10 * i);
}

BOOST_AUTO_TEST_CASE(who_waits_for_ever_is_not_told_at_once_to_go) {
  auto slow = [](std::size_t i) {
    std::this_thread::sleep_for(5ms);
    return i;
  };
  BOOST_TEST(need(gather(2, slow, duration::max())).size() == 2u);
}

BOOST_AUTO_TEST_CASE(each_call_may_be_a_function_of_its_own) {
  std::vector<std::function<int()>> calls{
    [] { return 1; }, []() -> int { throw std::runtime_error("no luck"); },
    [] { return 3; }};
  auto results = gather(calls, return_exceptions);
  BOOST_REQUIRE(results.size() == 3u);
  BOOST_TEST(need(results[0]) == 1);
  BOOST_TEST(contains(text(results[1].error()), "no luck"));
  BOOST_TEST(need(results[2]) == 3);
  BOOST_TEST(contains(text(gather(calls).error()), "no luck"));
}

BOOST_AUTO_TEST_CASE(all_calls_are_under_way_together) {
  auto met = std::make_shared<std::latch>(8);
  auto values = need(gather(8, [met](std::size_t) { met->arrive_and_wait(); }));
  BOOST_TEST(values.size() == 8u);
}

BOOST_AUTO_TEST_CASE(an_error_is_a_result_for_who_wants_all) {
  auto results = gather(
    5,
    [](std::size_t i) -> caf::expected<std::size_t> {
      if (i == 1)
        throw std::runtime_error("no luck");
      if (i == 2)
        return make_error(errc::key_full, "full");
      if (i == 4)
        throw 4;
      return i;
    },
    return_exceptions);
  BOOST_TEST(need(results[0]) == 0u);
  BOOST_TEST((results[1].error() == caf::sec::runtime_error));
  BOOST_TEST(contains(text(results[1].error()), "no luck"));
  BOOST_TEST(code(results[2]) == errc::key_full);
  BOOST_TEST(need(results[3]) == 3u);
  BOOST_TEST(contains(text(results[4].error()), "no std::exception"));
}

BOOST_AUTO_TEST_CASE(the_first_error_is_the_result_and_the_others_run_on) {
  auto slow = std::make_shared<gate>();
  auto ended = std::make_shared<std::atomic<int>>(0);
  auto result = gather(3, [=](std::size_t i) -> caf::expected<int> {
    if (i == 1)
      return make_error(errc::key_full, "full");
    slow->wait();
    return ++*ended;
  });
  BOOST_TEST(code(result) == errc::key_full);
  BOOST_TEST(*ended == 0); // nobody waited for them
  slow->open();
  BOOST_TEST(truth::waits_until([&] { return *ended == 2; }));
}

BOOST_AUTO_TEST_CASE(calls_that_have_not_ended_are_cancelled_by_number) {
  auto slow = std::make_shared<std::array<gate, 3>>();
  auto ended = std::make_shared<std::atomic<int>>(0);
  std::vector<std::size_t> cancelled;
  auto result = gather(3, middle_fails(slow, ended),
                       on_error::cancel([&, slow](std::size_t i) {
                         cancelled.push_back(i);
                         (*slow)[i].open();
                       }));
  BOOST_TEST(code(result) == errc::key_full);
  BOOST_TEST(cancelled == (std::vector<std::size_t>{0, 2}));
  BOOST_TEST(truth::waits_until([&] { return *ended == 2; }));
}

BOOST_AUTO_TEST_CASE(who_cannot_be_cancelled_is_told_and_nobody_is_left) {
  auto slow = std::make_shared<std::array<gate, 3>>();
  auto ended = std::make_shared<std::atomic<int>>(0);
  auto result = gather(3, middle_fails(slow, ended),
                       on_error::cancel([slow](std::size_t i) {
                         (*slow)[i].open();
                         if (i == 0)
                           throw std::runtime_error("no luck");
                       }));
  BOOST_TEST((result.error() == caf::sec::runtime_error));
  BOOST_TEST(contains(text(result.error()), "to cancel call #0 threw "),
             text(result.error()));
  BOOST_TEST(contains(text(result.error()), "no luck; before that: key_full: "),
             text(result.error()));
  BOOST_TEST(truth::waits_until([&] { return *ended == 2; }));
  BOOST_TEST(truth::waits_until([&] { return slow.use_count() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_less_than_nothing_is_refused) {
  BOOST_CHECK_EXCEPTION(
    gather(
      2, [](std::size_t) { BOOST_ERROR("called"); }, -5s),
    testkit::misuse, [](const testkit::misuse& x) {
      return std::string{x.what()}
             == "bad duration: gather is told to wait for -5s; allowed: 0s or "
                "more";
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_cancelled_if_all_is_well) {
  auto result = gather(
    3, [](std::size_t i) { return i; },
    on_error::cancel([](std::size_t) { BOOST_ERROR("cancelled"); }));
  BOOST_TEST(static_cast<bool>(result));
}

BOOST_AUTO_TEST_CASE(values_may_be_move_only) {
  auto make = [](std::size_t i) { return std::make_unique<std::size_t>(i); };
  BOOST_TEST(*need(gather(3, make)).at(2) == 2u);
  BOOST_TEST(*need(std::move(gather(3, make, return_exceptions)[1])) == 1u);
}

BOOST_AUTO_TEST_CASE(a_call_without_a_value_may_fail_all_the_same) {
  auto odd = [](std::size_t i) -> caf::expected<void> {
    if (i % 2 == 1)
      return make_error(errc::key_full, "full");
    return caf::unit;
  };
  BOOST_TEST(code(gather(2, odd)) == errc::key_full);
  BOOST_TEST(need(gather(1, odd)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_call_that_hangs_fails_by_name) {
  auto hangs = std::make_shared<gate>();
  auto call = [hangs](std::size_t i) {
    if (i % 2 == 1)
      hangs->wait();
    return i;
  };
  auto results = gather(4, call, return_exceptions, 100ms);
  BOOST_TEST(need(results[0]) == 0u);
  BOOST_TEST((results[1].error() == caf::sec::request_timeout));
  BOOST_TEST(contains(text(results[1].error()),
                      "no answer within 100ms: call #1"),
             text(results[1].error()));
  BOOST_TEST(need(results[2]) == 2u);
  auto first = gather(4, call, 100ms);
  BOOST_TEST((first.error() == caf::sec::request_timeout));
  BOOST_TEST(contains(text(first.error()),
                      "no answer within 100ms: call #1, call #3"),
             text(first.error()));
  hangs->open();
  // The calls let go of what they had after they were given up.
  BOOST_TEST(truth::waits_until([&] { return hangs.use_count() == 2; }));
}

BOOST_AUTO_TEST_CASE(what_is_given_up_stays_as_it_was) {
  testkit::gathering<int> all{{"one", "two", "three"}};
  BOOST_TEST(all.missing_names() == "one, two, three");
  all.put(1, 7);
  all.put(1, 8); // it has spoken
  BOOST_TEST(!all.has_ended(return_exceptions));
  BOOST_TEST(!all.wait(0ns, on_error::run_on));
  all.give_up(caf::sec::request_timeout, "enough");
  all.put(2, 9); // too late
  BOOST_TEST(all.has_ended(return_exceptions));
  BOOST_TEST(all.missing() == (std::vector<std::size_t>{0, 2}));
  auto results = all.take(return_exceptions);
  BOOST_TEST(need(results[1]) == 7);
  BOOST_TEST(contains(text(results[0].error()), "enough: one"));
  BOOST_TEST(contains(text(results[2].error()), "enough: three"));
  BOOST_TEST(
    contains(text(all.take(on_error::run_on).error()), "enough: one, three"));
}

BOOST_AUTO_TEST_CASE(of_several_errors_the_first_in_time_is_the_result) {
  testkit::gathering<int> all{{"one", "two"}};
  all.put(1, caf::sec::bad_function_call);
  all.put(0, caf::sec::invalid_argument);
  BOOST_TEST(
    (all.take(on_error::run_on).error() == caf::sec::bad_function_call));
  BOOST_TEST((all.peek(0)->error() == caf::sec::invalid_argument));
}
