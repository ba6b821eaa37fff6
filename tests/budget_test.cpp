// The limit over all keys.
#include "pool_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace pool_test;
using testkit::gather;

namespace {

struct fixture : world {
  explicit fixture(options o = {}) : world(o) {
  }

  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 8, .total_max = 3});

  ~fixture() {
    BOOST_TEST(rt->drain(5s).clean());
    BOOST_TEST(book->mistakes() == ""); // I1, I2
    BOOST_TEST(book->live() == 0u);
    BOOST_TEST(book->closed_count() == book->opened_count());
  }

  pool<thing> things(pool_options o = {}) {
    o.total_max = 3;
    return make(std::move(o), {book});
  }

  // Opens one of each key and gives it back, a second apart.
  void open_idle(const pool<thing>& in,
                 std::initializer_list<const char*> keys) {
    for (const auto* key : keys) {
      need(in.acquire(key)).give_back();
      pass(1s);
    }
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_limit_is_reached_and_not_passed, fixture) {
  auto all = things();
  auto a = need(all.acquire("a"));
  auto b = need(all.acquire("b"));
  auto c = need(all.acquire("c"));
  auto d = all.acquire("d");
  BOOST_TEST(code(d) == errc::total_full);
  auto figures = rejection_of(d.error());
  BOOST_REQUIRE(figures.has_value());
  BOOST_TEST(figures->limit == "total_max");
  BOOST_TEST(figures->limit_value == 3u);
  BOOST_TEST(describe(d.error()).find("total_max is 3") != std::string::npos);
  BOOST_TEST(book->peak() == 3u);
}

BOOST_FIXTURE_TEST_CASE(the_least_recently_used_of_all_keys_goes_first,
                        fixture) {
  auto all = things();
  open_idle(all, {"a", "b", "c"});
  need(all.acquire("a")).give_back(); // by the fast path: no message tells
  need(all.acquire("d")).give_back();
  BOOST_TEST(book->closed_ids() == std::vector<std::uint64_t>{2},
             boost::test_tools::per_element());
  pass(1s);
  need(all.acquire("e")).give_back();
  BOOST_TEST(book->closed_ids() == (std::vector<std::uint64_t>{2, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(book->closed_count(close_reason::evicted) == 2u);
  BOOST_TEST(all.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(what_is_held_is_passed_over, fixture) {
  auto all = things();
  auto a = need(all.acquire("a"));
  pass(1s);
  open_idle(all, {"b", "c"});
  need(all.acquire("d")).give_back();
  BOOST_TEST(!a->closed); // I4
  BOOST_TEST(book->closed_ids() == std::vector<std::uint64_t>{2},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_key_may_take_from_itself, fixture) {
  auto all = things();
  open_idle(all, {"a"});
  auto b = need(all.acquire("b"));
  auto c = need(all.acquire("c"));
  auto a = need(all.acquire("a", {.params = "other"}));
  BOOST_TEST(a.fresh());
  BOOST_TEST(book->closed_count(close_reason::evicted) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pool_that_rejects_takes_from_nobody, fixture) {
  auto all = things({.name = "things", .when_full = full_policy::reject});
  open_idle(all, {"a", "b", "c"});
  BOOST_TEST(code(all.acquire("d")) == errc::total_full);
  BOOST_TEST(book->closed_count() == 0u);
  BOOST_TEST(need(all.acquire("a"))->id == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_refused_request_takes_nothing_with_it, fixture) {
  auto all = things();
  auto a = need(all.acquire("a"));
  auto b = need(all.acquire("b"));
  auto c = need(all.acquire("c"));
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(code(all.acquire("d")) == errc::total_full);
  a.give_back();
  b.give_back();
  auto d = need(all.acquire("d"));
  auto e = need(all.acquire("e"));
  BOOST_TEST(code(all.acquire("f")) == errc::total_full);
}

BOOST_FIXTURE_TEST_CASE(a_failed_open_gives_its_permit_back, fixture) {
  auto fails = std::make_shared<std::atomic<bool>>(true);
  auto all = make({.name = "things", .total_max = 3},
                  {book, [fails](const open_request&) {
                     if (*fails)
                       throw std::runtime_error("no");
                   }});
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(code(all.acquire("k" + std::to_string(i))) == errc::open_failed);
  *fails = false;
  auto a = need(all.acquire("a"));
  auto b = need(all.acquire("b"));
  auto c = need(all.acquire("c"));
}

BOOST_FIXTURE_TEST_CASE(who_waits_for_a_permit_ends_at_its_deadline, fixture) {
  auto slow = std::make_shared<gate>();
  auto all = make({.name = "things", .total_max = 1},
                  {book, {}, [slow](thing&, close_reason) { slow->wait(); }});
  need(all.acquire("a")).give_back();
  // Its place is "b"'s as soon as it is closed, which takes too long.
  auto b = in_thread([&] { return all.acquire("b", {.deadline = 10s}); });
  BOOST_REQUIRE(slow->waits_for(1));
  pass(10s);
  BOOST_TEST(code(need(std::move(b))) == errc::deadline_exceeded);
  slow->open();
  // The permit was not lost.
  std::optional<lease<thing>> c;
  BOOST_TEST(truth::waits_until([&] {
    if (auto x = all.acquire("c"))
      c = std::move(*x);
    return c.has_value();
  }));
  BOOST_TEST(code(all.acquire("d")) == errc::total_full);
}

BOOST_FIXTURE_TEST_CASE(pools_have_limits_of_their_own, fixture) {
  auto one = make({.name = "one", .total_max = 1}, {book});
  auto two = make({.name = "two", .total_max = 1}, {book});
  auto a = need(one.acquire("a"));
  auto b = need(two.acquire("a"));
  BOOST_TEST(code(one.acquire("b")) == errc::total_full);
  BOOST_TEST(code(two.acquire("b")) == errc::total_full);
}

// I2, counted by the opener at every instant: opening, open and closing.
BOOST_DATA_TEST_CASE(many_threads_never_pass_the_limit,
                     boost::unit_test::data::make({1, 2, 8}), threads) {
  fixture f{{.threads = static_cast<std::size_t>(threads)}};
  f.book = std::make_shared<truth>(limits{.per_key_max = 3, .total_max = 5});
  auto few = [](const auto&...) { std::this_thread::yield(); };
  auto all = f.make({.name = "things", .per_key_max = 3, .total_max = 5},
                    {f.book, few, few});
  std::atomic<std::size_t> granted{0};
  auto answers = gather(
    12,
    [&](std::size_t me) -> caf::expected<std::size_t> {
      for (std::size_t i = 0; i < 150; ++i) {
        auto x = all.acquire("k" + std::to_string((7 * me + 3 * i) % 17),
                             {.deadline = 1h});
        if (!x) {
          if (code(x) != errc::total_full && code(x) != errc::key_full)
            return x.error();
          continue;
        }
        ++granted;
        using_it use{**x};
      }
      return me;
    },
    testkit::return_exceptions);
  for (auto& x : answers)
    need(std::move(x));
  BOOST_TEST(granted > 0u);
  BOOST_TEST(f.book->peak() <= 5u);
  // Nothing was lost: the whole limit can be had.
  std::vector<lease<thing>> five;
  BOOST_TEST(truth::waits_until([&] {
    if (auto x = all.acquire("n" + std::to_string(five.size())))
      five.push_back(std::move(*x));
    return five.size() == 5;
  }));
  BOOST_TEST(code(all.acquire("z")) == errc::total_full);
}

// The same with a limit that most requests meet, and places that are held.
BOOST_AUTO_TEST_CASE(a_crowd_before_one_place_is_served_or_refused) {
  fixture f;
  f.book = std::make_shared<truth>(limits{.per_key_max = 1, .total_max = 1});
  auto all = f.make({.name = "things", .per_key_max = 1, .total_max = 1},
                    {f.book});
  auto answers = gather(
    16,
    [&](std::size_t me) -> caf::expected<std::size_t> {
      std::size_t got = 0;
      for (std::size_t i = 0; i < 50; ++i) {
        auto x = all.acquire("k" + std::to_string(me), {.deadline = 1h});
        if (x)
          using_it{**x}, ++got;
        else if (code(x) != errc::total_full && code(x) != errc::key_full)
          return x.error();
      }
      return got;
    },
    testkit::return_exceptions);
  std::size_t got = 0;
  for (auto& x : answers)
    got += need(std::move(x));
  BOOST_TEST(got > 0u);
  BOOST_TEST(need(all.acquire("z", {.deadline = 1h}))->key == "z");
}
