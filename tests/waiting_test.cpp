// Requests that wait for somebody to give back: threads, actors and messages, in
// one line; while the supervisor stays awake, and where it would rather sleep.
#include "pool_fixture.hpp"

#include <string>
#include <thread>
#include <vector>

using namespace pool_test;

namespace {

struct fixture : world {
  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 1});

  fixture() : world({.real_time = true}) {
  }

  pool<thing> things(std::size_t waiters_max) {
    return make({.name = "things",
                 .per_key_max = 1,
                 .when_full = full_policy::evict_idle,
                 .waiters_max = waiters_max},
                {book});
  }

  // Asks with a deadline that has passed already, which tells how many wait.
  static std::size_t waiting(const pool<thing>& in) {
    auto x = in.acquire("a", {.deadline = 1ns});
    return rejection_of(x.error())->waiting;
  }

  static bool in_line(const pool<thing>& in, std::size_t count) {
    return truth::waits_until([&] { return waiting(in) == count; });
  }

  ~fixture() {
    BOOST_TEST(rt->drain(5s).clean());
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->live() == 0u);
  }
};

// Notes its number when it is lent something, and gives that back at once.
caf::behavior customer(caf::event_based_actor* self, pool<thing> things,
                       int number, std::shared_ptr<std::vector<int>> served,
                       std::shared_ptr<std::mutex> guard) {
  auto note = [=](int n) {
    std::lock_guard lock{*guard};
    served->push_back(n);
  };
  things.acquire(
    self, "a", {}, [=](const lease<thing>&) { note(number); },
    [=](const caf::error&) { note(-number); });
  return {[](caf::ok_atom) {}};
}

} // namespace

BOOST_FIXTURE_TEST_CASE(threads_wait_for_a_holder_one_after_the_other,
                        fixture) {
  auto all = things(100);
  auto mine = need(all.acquire("a"));
  std::atomic<int> served{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n)
        served += all.acquire("a") ? 1 : 0;
    });
  BOOST_TEST(in_line(all, 8));
  mine.give_back();
  threads.clear();
  BOOST_TEST(served == 400);
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(actors_are_served_in_the_order_in_which_they_came,
                        fixture) {
  auto all = things(100);
  auto mine = need(all.acquire("a"));
  auto served = std::make_shared<std::vector<int>>();
  auto guard = std::make_shared<std::mutex>();
  for (int i = 1; i <= 5; ++i) {
    sys->spawn(customer, all, i, served, guard);
    BOOST_TEST_REQUIRE(in_line(all, static_cast<std::size_t>(i)));
  }
  mine.give_back();
  BOOST_TEST(truth::waits_until([&] {
    std::lock_guard lock{*guard};
    return served->size() == 5;
  }));
  std::lock_guard lock{*guard};
  BOOST_TEST(*served == (std::vector{1, 2, 3, 4, 5}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_line_that_is_full_is_what_a_refusal_names, fixture) {
  auto all = things(1);
  auto mine = need(all.acquire("a"));
  std::jthread other{[&] { BOOST_CHECK(bool{all.acquire("a")}); }};
  BOOST_TEST(in_line(all, 1));
  auto refused = all.acquire("a");
  BOOST_TEST(code(refused) == errc::key_full);
  BOOST_TEST(describe(refused.error()).find("waiters_max is 1")
             != std::string::npos);
  mine.give_back();
}

BOOST_FIXTURE_TEST_CASE(a_wait_for_a_holder_ends_at_its_deadline, fixture) {
  auto all = things(10);
  auto mine = need(all.acquire("a"));
  BOOST_TEST(code(all.acquire("a", {.deadline = 20ms}))
             == errc::deadline_exceeded);
  mine.give_back();
  BOOST_TEST(all.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(one_deadline_in_the_line_is_no_business_of_the_others,
                        fixture) {
  auto all = things(10);
  auto mine = need(all.acquire("a"));
  std::jthread other{[&] { BOOST_CHECK(bool{all.acquire("a")}); }};
  BOOST_TEST(in_line(all, 1));
  auto asked_at = std::chrono::steady_clock::now();
  auto refused = all.acquire("a", {.deadline = 20ms});
  BOOST_TEST(code(refused) == errc::deadline_exceeded);
  BOOST_TEST(rejection_of(refused.error())->waiting == 1u);
  BOOST_CHECK(std::chrono::steady_clock::now() - asked_at >= 20ms);
  mine.give_back();
}

BOOST_FIXTURE_TEST_CASE(who_died_in_the_line_holds_nobody_up, fixture) {
  auto all = things(1'000);
  auto mine = need(all.acquire("a"));
  auto served = std::make_shared<std::vector<int>>();
  auto guard = std::make_shared<std::mutex>();
  for (int i = 0; i < 500; ++i) {
    caf::scoped_actor killer{*sys};
    auto dead = sys->spawn(customer, all, i, served, guard);
    killer->monitor(dead);
    killer->send_exit(dead, caf::exit_reason::kill);
    killer->receive([](const caf::down_msg&) {});
  }
  BOOST_TEST(in_line(all, 500)); // the dead, of whom nobody knows
  std::jthread other{[&] { BOOST_CHECK(bool{all.acquire("a")}); }};
  BOOST_TEST(in_line(all, 501));
  mine.give_back();
  other.join();
  BOOST_TEST(served->empty());
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_drain_refuses_who_waits_in_the_line, fixture) {
  auto all = things(10);
  auto mine = need(all.acquire("a"));
  std::vector<std::jthread> threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < 3; ++i)
    threads.emplace_back(
      [&] { refused += code(all.acquire("a")) == errc::draining ? 1 : 0; });
  BOOST_TEST(in_line(all, 3));
  std::jthread drains{[&] { rt->drain(5s); }};
  threads.clear();
  BOOST_TEST(refused == 3);
  mine.give_back();
}

BOOST_FIXTURE_TEST_CASE(what_is_evicted_or_broken_is_not_passed_on, fixture) {
  auto all = things(10);
  auto mine = need(all.acquire("a"));
  std::jthread other{[&] { BOOST_CHECK(bool{all.acquire("a")}); }};
  BOOST_TEST(in_line(all, 1));
  all.evict("a");
  mine.give_back();
  other.join();
  BOOST_TEST(book->closed_count(close_reason::requested) == 1u);
  mine = need(all.acquire("a"));
  std::jthread another{[&] { BOOST_CHECK(bool{all.acquire("a")}); }};
  BOOST_TEST(in_line(all, 1));
  mine.give_up();
  another.join();
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
}

BOOST_FIXTURE_TEST_CASE(other_params_wait_for_the_place_of_what_comes_back,
                        fixture) {
  auto all = things(10);
  auto mine = need(all.acquire("a", {.params = "p"}));
  std::jthread other{[&] {
    auto x = all.acquire("a", {.params = "q"});
    BOOST_CHECK(x && (*x)->params == "q");
  }};
  BOOST_TEST(in_line(all, 1));
  mine.give_back();
  other.join();
  BOOST_TEST(book->closed_count(close_reason::evicted) == 1u);
}
