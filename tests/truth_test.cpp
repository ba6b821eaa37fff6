// What the fake opener knows, and that it says so when an invariant is broken.
#include <steward/testkit/fake_opener.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

namespace {

struct fixture {
  time_point now{};
  std::vector<std::string> violated;
  std::shared_ptr<truth> book = make({});

  std::shared_ptr<truth> make(truth_limits most) {
    return std::make_shared<truth>(
      most, [this](const failure& x) { violated.push_back(x.what()); },
      [this] { return now; });
  }

  void with(truth_limits most) {
    book = make(most);
  }

  // Opened, used for a second, and free since then.
  void open_and_use(std::uint64_t id) {
    book->opening(id, "a");
    book->use_begins(id, "bob");
    now += 1s;
    book->use_ends(id, "bob");
  }

  void close(std::uint64_t id, close_reason why) {
    book->closing(id, why);
    book->closed(id);
  }

  std::string only_violation() const {
    BOOST_TEST(violated.size() == 1u);
    return violated.empty() ? std::string{} : violated.front();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(truth_of_resources, fixture)

BOOST_AUTO_TEST_CASE(nothing_is_wrong_with_a_plain_life) {
  with({.per_key_max = 1, .total_max = 2, .idle_timeout = 5s});
  open_and_use(1);
  book->opening(2, "b");
  now += 5s;
  close(1, close_reason::idle);
  close(2, close_reason::requested);
  book->opening(3, "a");
  book->open_failed(3);
  BOOST_TEST(violated.empty());
  BOOST_TEST(book->open_now() == 0u);
  BOOST_TEST(book->in_use() == 0u);
  BOOST_TEST(book->opened() == 2u);
  BOOST_TEST(book->failed() == 1u);
  BOOST_TEST(book->closed() == 2u);
  BOOST_TEST(book->closed(close_reason::idle) == 1u);
}

BOOST_AUTO_TEST_CASE(too_many_of_a_key_break_i1) {
  with({.per_key_max = 1});
  book->opening(1, "a");
  book->opening(2, "b");
  BOOST_TEST(violated.empty());
  BOOST_TEST(book->open_now("a") == 1u);
  book->opening(3, "a");
  BOOST_TEST(only_violation()
             == "I1: key \"a\" has 2 resources; per_key_max is 1");
}

BOOST_AUTO_TEST_CASE(too_many_in_all_break_i2) {
  with({.total_max = 1});
  book->opening(1, "a");
  book->opening(2, "b");
  BOOST_TEST(only_violation() == "I2: 2 resources; total_max is 1");
}

BOOST_AUTO_TEST_CASE(opening_one_twice_breaks_i3) {
  book->opening(1, "a");
  book->opening(1, "a");
  BOOST_TEST(only_violation() == "I3: resource 1 was opened twice");
}

BOOST_AUTO_TEST_CASE(closing_what_is_not_open_breaks_i3) {
  book->closing(7, close_reason::idle);
  BOOST_TEST(only_violation()
             == "I3: resource 7 was closed (idle) and was not open");
  book->opening(1, "a");
  book->closing(1, close_reason::evicted);
  book->closing(1, close_reason::evicted);
  BOOST_TEST(violated.back()
             == "I3: resource 1 was closed (evicted) and was not open");
  BOOST_TEST(violated.size() == 2u);
}

BOOST_AUTO_TEST_CASE(using_what_is_not_open_breaks_i3) {
  book->use_begins(7, "bob");
  BOOST_TEST(only_violation() == "I3: bob got resource 7, which is not open");
}

BOOST_AUTO_TEST_CASE(too_many_users_break_i3) {
  with({.holders_max = 2});
  book->opening(1, "a");
  book->use_begins(1, "ann");
  book->use_begins(1, "bob");
  BOOST_TEST(violated.empty());
  BOOST_TEST(book->in_use() == 2u);
  book->use_begins(1, "cid");
  BOOST_TEST(only_violation() == "I3: cid got resource 1, which ann is using");
}

BOOST_AUTO_TEST_CASE(closing_what_is_used_breaks_i4_unless_it_may_be_revoked) {
  for (auto id : {1u, 2u}) {
    book->opening(id, "a");
    book->use_begins(id, "bob");
  }
  book->closing(1, close_reason::evicted);
  BOOST_TEST(only_violation()
             == "I4: resource 1 was closed (evicted) while bob used it");
  book->allow_revoking();
  book->closing(2, close_reason::drained);
  BOOST_TEST(violated.size() == 1u);
  book->use_ends(2, "bob"); // who did not hear of it
  BOOST_TEST(book->in_use() == 0u);
}

BOOST_AUTO_TEST_CASE(closing_too_early_for_idleness_breaks_i5) {
  with({.idle_timeout = 5s});
  open_and_use(1);
  now += 5s - 1ns;
  book->closing(1, close_reason::idle);
  BOOST_TEST(
    only_violation().rfind("I5: resource 1 was closed as idle after ", 0)
    == 0u);
  open_and_use(2);
  book->closing(2, close_reason::evicted); // for another reason at any time
  BOOST_TEST(violated.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_idle_for_so_long_at_a_tick_is_overdue) {
  with({.idle_timeout = 5s});
  BOOST_TEST(book->overdue(now + 1h) == "");
  open_and_use(1);
  BOOST_TEST(book->overdue(now + 5s - 1ns) == "");
  BOOST_TEST(book->overdue(now + 5s)
             == "resource 1 was idle for 5s at the last tick; idle_timeout is "
                "5s");
  book->use_begins(1, "bob");
  BOOST_TEST(book->overdue(now + 1h) == "");
  book->use_ends(1, "bob");
  book->closing(1, close_reason::evicted);
  BOOST_TEST(book->overdue(now + 1h) == "");
}

BOOST_AUTO_TEST_CASE(closing_too_early_for_age_breaks_i5) {
  with({.idle_timeout = 1h, .max_lifetime = 5s});
  open_and_use(1); // for a second
  now += 4s - 1ns;
  book->closing(1, close_reason::lifetime);
  BOOST_TEST(
    only_violation().rfind("I5: resource 1 was closed as old after ", 0) == 0u);
  open_and_use(2);
  now += 5s;
  book->closing(2, close_reason::lifetime);
  BOOST_TEST(violated.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_old_at_a_tick_that_found_it_unused_is_overdue) {
  with({.idle_timeout = 1h, .max_lifetime = 5s});
  auto begun = now;
  open_and_use(1);
  BOOST_TEST(book->overdue(begun + 5s - 1ns) == "");
  BOOST_TEST(book->overdue(begun + 6s)
             == "resource 1 was 6s old at the last tick; max_lifetime is 5s");
  book->use_begins(1, "bob");
  BOOST_TEST(book->overdue(begun + 6s) == "");
  now = begun + 7s;
  book->use_ends(1, "bob"); // who had it at that tick
  BOOST_TEST(book->overdue(begun + 6s) == "");
  BOOST_TEST(book->overdue(begun + 8s) != "");
}

BOOST_AUTO_TEST_CASE(what_is_closing_is_not_gone) {
  with({.per_key_max = 1});
  book->opening(1, "a");
  book->closing(1, close_reason::evicted);
  BOOST_TEST(book->open_now() == 1u);
  BOOST_TEST(book->open_now("a") == 1u);
  book->closed(1);
  BOOST_TEST(book->open_now() == 0u);
  book->opening(2, "a");
  BOOST_TEST(violated.empty());
}

BOOST_AUTO_TEST_CASE(using_what_is_broken_breaks_i3) {
  book->opening(1, "a");
  book->use_begins(1, "ann");
  book->gives_up(1);
  book->use_ends(1, "ann");
  BOOST_TEST(violated.empty());
  book->use_begins(1, "bob");
  BOOST_TEST(only_violation() == "I3: bob got resource 1, which is broken");
}

BOOST_AUTO_TEST_CASE(a_fake_opener_does_as_its_script_says_and_tells) {
  opener_script script{
    .fails = [](const open_request& x) { return x.key == "bad"; },
    .healthy = [](const fake_resource& x) { return x.id != 1; }};
  fake_opener opener{book, script};
  auto x = opener.open({"a", "fast", 1});
  BOOST_TEST(x.id == 1u);
  BOOST_TEST(x.key == "a");
  BOOST_TEST(x.params == "fast");
  BOOST_TEST(book->open_now("a") == 1u);
  BOOST_CHECK_THROW(opener.open({"bad", "", 2}), std::runtime_error);
  BOOST_TEST(book->failed() == 1u);
  BOOST_TEST(book->open_now() == 1u);
  BOOST_TEST(!opener.check(x));
  auto y = opener.open({"a", "", 3});
  BOOST_TEST(opener.check(y));
  BOOST_TEST(fake_opener{book}.check(x));
  opener.close(x, close_reason::unhealthy);
  BOOST_TEST(book->closed(close_reason::unhealthy) == 1u);
  BOOST_TEST(!fake_inline_opener::blocks);
  BOOST_TEST(violated.empty());
}

BOOST_AUTO_TEST_CASE(what_is_closed_counts_until_it_is_out_of_memory) { // I12
  fake_opener opener{book};
  BOOST_TEST(book->in_memory() == 0u);
  {
    auto x = opener.open({"a", "", 1});
    auto y = opener.open({"b", "", 2});
    auto moved = std::move(y);
    BOOST_TEST(book->in_memory() == 2u);
    opener.close(x, close_reason::idle);
    BOOST_TEST(book->open_now() == 1u);
    BOOST_TEST(book->in_memory() == 2u);
    opener.close(moved, close_reason::idle);
  }
  BOOST_TEST(book->in_memory() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
