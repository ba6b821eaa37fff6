// Supervisors that sleep: when they do, when they do not, and what goes on
// meanwhile. How many actors run tells who is awake.
#include "pool_fixture.hpp"

#include <string>
#include <vector>

using namespace pool_test;

namespace {

struct fixture : world {
  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 2});
  std::size_t others = 0; // actors that run beside supervisors

  pool<thing> things(pool_options o) {
    auto result = rt->make_pool<thing>(std::move(o), thing_opener{book});
    others = sys->registry().running();
    return result;
  }

  // Whether in the end so many supervisors are awake. An actor ends some time
  // after it did its last work.
  bool awake(std::size_t count) {
    return truth::waits_until(
      [&] { return sys->registry().running() == others + count; });
  }

  ~fixture() {
    BOOST_TEST(rt->drain(5s).clean());
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->live() == 0u);
    BOOST_TEST(book->closed_count() == book->opened_count());
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(it_sleeps_when_nothing_is_under_way, fixture) {
  auto all = things({.name = "things", .awake_max = 0});
  need(all.acquire("a")).give_back();
  BOOST_TEST(awake(0));
  BOOST_TEST(all.stats().keys == 1u);
  BOOST_TEST(all.stats().open == 1u);
  BOOST_TEST(all.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(it_sleeps_while_something_is_held, fixture) {
  auto all = things({.name = "things", .per_key_max = 1, .awake_max = 0});
  auto mine = need(all.acquire("a"));
  BOOST_TEST(awake(0));
  BOOST_TEST(code(all.acquire("a")) == errc::key_full);
  mine.give_back();
  need(all.acquire("a")).give_back();
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(as_many_as_may_stay_awake, fixture) {
  auto all = things({.name = "things", .awake_max = 2});
  for (const auto* key : {"a", "b", "c", "d", "e"})
    need(all.acquire(key)).give_back();
  BOOST_TEST(awake(2));
  BOOST_TEST(all.stats().keys == 5u);
}

BOOST_FIXTURE_TEST_CASE(it_is_awake_for_a_holder_it_has_to_watch, fixture) {
  auto all = things({.name = "things", .awake_max = 0});
  caf::scoped_actor self{*sys};
  ++others;
  std::optional<granted> mine;
  self->request(all.front(), caf::duration{patience}, acquire{"a"})
    .receive([&](const granted& x) { mine = x; },
             [](const caf::error& e) { BOOST_TEST(describe(e) == ""); });
  BOOST_REQUIRE(mine.has_value());
  BOOST_TEST(awake(1));
  self->send(all.front(), release{mine->lease});
  BOOST_TEST(awake(0));
}

BOOST_FIXTURE_TEST_CASE(it_sleeps_after_a_holder_has_died, fixture) {
  auto all = things({.name = "things", .awake_max = 0});
  {
    caf::scoped_actor self{*sys};
    self->request(all.front(), caf::duration{patience}, acquire{"a"})
      .receive([](const granted&) {},
               [](const caf::error& e) { BOOST_TEST(describe(e) == ""); });
  }
  BOOST_TEST(awake(0));
  BOOST_TEST(all.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(it_sleeps_after_who_asked_has_died, fixture) {
  gate slow;
  auto all = rt->make_pool<thing>(
    {.name = "things", .awake_max = 0},
    thing_opener{book, [&](const open_request&) { slow.wait(); }});
  others = sys->registry().running();
  {
    caf::scoped_actor self{*sys};
    self->send(all.front(), acquire{"a"});
    BOOST_TEST(slow.waits_for(1));
  }
  slow.open();
  BOOST_TEST(awake(0));
  BOOST_TEST(all.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(what_is_idle_is_closed_and_wakes_nobody, fixture) {
  auto all = things(
    {.name = "things", .idle_timeout = 10s, .linger = 20s, .awake_max = 0});
  for (int i = 0; i < 100; ++i)
    need(all.acquire("key " + std::to_string(i))).give_back();
  BOOST_TEST(awake(0));
  pass(5s);
  need(all.acquire("key 7")).give_back();
  pass(6s);
  BOOST_TEST(book->waits_for_closed(99));
  BOOST_TEST(all.try_acquire("key 7").has_value());
  BOOST_TEST(awake(0));
  pass(40s);
  BOOST_TEST(book->waits_for_closed(100));
  BOOST_TEST(book->closed_count(close_reason::idle) == 100u);
  // Workers close: the last may tell the clock of it only now.
  BOOST_TEST(truth::waits_until([&] {
    pass(40s);
    return all.stats().keys == 0;
  }));
}

BOOST_FIXTURE_TEST_CASE(what_is_broken_wakes_it_and_is_closed, fixture) {
  auto all = things({.name = "things", .awake_max = 0});
  auto mine = need(all.acquire("a"));
  BOOST_TEST(awake(0));
  mine.give_up();
  BOOST_TEST(book->waits_for_closed(1));
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
  BOOST_TEST(awake(0));
}

BOOST_FIXTURE_TEST_CASE(what_sleeps_gives_way_where_all_is_full, fixture) {
  auto all = things({.name = "things", .total_max = 3, .awake_max = 0});
  for (const auto* key : {"a", "b", "c"}) {
    need(all.acquire(key)).give_back();
    pass(1s);
  }
  BOOST_TEST(awake(0));
  need(all.acquire("d")).give_back();
  BOOST_TEST(book->closed_ids() == std::vector<std::uint64_t>{1},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(who_asks_takes_the_oldest_place_of_all_keys, fixture) {
  auto all = rt->make_pool<thing>({.name = "things", .total_max = 3},
                                  inline_opener{{book}});
  others = sys->registry().running();
  std::vector<lease<thing>> held;
  for (const auto* key : {"a", "b", "c", "d", "e", "f"}) {
    auto x = need(all.acquire(key));
    pass(1s);
    if (x->key == "b") // is in use all the time, and so never the oldest
      held.push_back(std::move(x));
  }
  BOOST_TEST(awake(0));
  BOOST_TEST(book->closed_ids() == (std::vector<std::uint64_t>{1, 3, 4}),
             boost::test_tools::per_element());
  BOOST_TEST(all.stats().keys == 3u);
  BOOST_TEST(all.stats().open == 3u);
}

BOOST_FIXTURE_TEST_CASE(who_asks_opens_where_nobody_blocks, fixture) {
  auto all = rt->make_pool<thing>(
    {.name = "things", .per_key_max = 1, .idle_timeout = 10s, .linger = 10s},
    inline_opener{{book}});
  others = sys->registry().running();
  need(all.acquire("a")).give_back();
  need(all.acquire("a", {.params = "other"})).give_back(); // in its place
  BOOST_TEST(awake(0));
  BOOST_TEST(book->closed_count(close_reason::evicted) == 1u);
  pass(11s);
  BOOST_TEST(book->closed_count(close_reason::idle) == 1u);
  pass(11s);
  BOOST_TEST(all.stats().keys == 0u);
  BOOST_TEST(awake(0));
}
