// A pool as its users see it: the blocking calls, the calls of actors, leases.
#include "pool_fixture.hpp"

#include <type_traits>

using namespace pool_test;

namespace {

struct fixture : world {
  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 2});

  ~fixture() {
    rt->drain(1s);
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->live() == 0u); // I11
    BOOST_TEST(book->closed_count() == book->opened_count());
  }
};

// Lends in an actor, which keeps what it got until it is told to end.
struct seen_by_actor {
  std::promise<std::uint64_t> id;
  std::promise<caf::error> error;
};

caf::behavior lender(caf::event_based_actor* self, pool<thing> things,
                     acquire_options how, std::shared_ptr<seen_by_actor> seen) {
  auto kept = std::make_shared<lease<thing>>();
  things.acquire(
    self, "a", how,
    [=](lease<thing> x) {
      seen->id.set_value(x->id);
      *kept = std::move(x);
    },
    [=](const caf::error& e) { seen->error.set_value(e); });
  return {[=](caf::ok_atom) { kept->give_back(); }};
}

} // namespace

static_assert(!std::is_copy_constructible_v<lease<thing>>);
static_assert(std::is_nothrow_move_constructible_v<lease<thing>>);

BOOST_FIXTURE_TEST_CASE(a_resource_is_opened_for_the_first_who_asks, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto x = need(things.acquire("a", {.params = "p"}));
  BOOST_TEST(x.fresh());
  BOOST_TEST(x->key == "a");
  BOOST_TEST((*x).params == "p");
  BOOST_TEST(!x.revoked());
}

BOOST_FIXTURE_TEST_CASE(what_came_back_is_lent_again, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto first = need(things.acquire("a"));
  auto id = first->id;
  first.give_back();
  BOOST_TEST(!first);
  auto second = need(things.acquire("a"));
  BOOST_TEST(second->id == id);
  BOOST_TEST(!second.fresh());
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lease_gives_back_at_the_end_of_its_scope, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  {
    auto x = need(things.acquire("a"));
    BOOST_TEST(!things.try_acquire("a").has_value());
  }
  BOOST_TEST(things.try_acquire("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(a_moved_lease_gives_back_once, fixture) {
  auto things = make({.name = "things", .per_key_max = 1}, {book});
  auto a = need(things.acquire("a"));
  lease<thing> b{std::move(a)};
  a.give_back(); // has nothing
  BOOST_TEST(!things.try_acquire("a").has_value());
  lease<thing> c;
  c = std::move(b);
  auto& same = c;
  c = std::move(same); // to itself
  BOOST_REQUIRE(static_cast<bool>(c));
  c.give_back();
  c.give_back();
  auto d = things.try_acquire("a");
  BOOST_REQUIRE(d.has_value());
  BOOST_TEST(!things.try_acquire("a").has_value()); // it came back only once
}

BOOST_FIXTURE_TEST_CASE(a_new_value_of_a_lease_gives_the_old_one_back,
                        fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto x = need(things.acquire("a"));
  auto first = x->id;
  x = need(things.acquire("a"));
  BOOST_TEST(x->id != first);
  auto again = things.try_acquire("a");
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST((*again)->id == first);
}

BOOST_FIXTURE_TEST_CASE(an_empty_lease_has_nothing_and_is_harmless, fixture) {
  lease<thing> none;
  BOOST_TEST(!none);
  BOOST_TEST(none.get() == nullptr);
  BOOST_TEST(!none.revoked());
  none.give_back();
  none.give_up();
}

BOOST_FIXTURE_TEST_CASE(params_are_not_mixed_up, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  need(things.acquire("a", {.params = "x"})).give_back();
  auto y = need(things.acquire("a", {.params = "y"}));
  BOOST_TEST(y->params == "y");
  BOOST_TEST(y.fresh());
  BOOST_TEST(!things.try_acquire("a", "y").has_value());
  BOOST_TEST(things.try_acquire("a", "x").has_value());
}

BOOST_FIXTURE_TEST_CASE(keys_have_nothing_in_common, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  need(things.acquire("a")).give_back();
  BOOST_TEST(need(things.acquire("b")).fresh());
  BOOST_TEST(things.stats().keys == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_key_has_1_to_256_bytes, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  BOOST_TEST(code(things.acquire("")) == errc::invalid_key);
  BOOST_TEST(code(things.acquire(std::string(257, 'k'))) == errc::invalid_key);
  BOOST_TEST(need(things.acquire(std::string(256, 'k'))).fresh());
  BOOST_TEST(need(things.acquire(std::string(1, '\0'))).fresh());
  things.evict(""); // nothing to close, nobody to tell
}

BOOST_FIXTURE_TEST_CASE(a_full_key_is_refused_with_its_figures, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto x = need(things.acquire("a"));
  auto y = need(things.acquire("a"));
  auto z = things.acquire("a");
  BOOST_TEST(code(z) == errc::key_full);
  auto figures = rejection_of(z.error());
  BOOST_REQUIRE(figures.has_value());
  BOOST_TEST(figures->limit == "per_key_max");
  BOOST_TEST(figures->limit_value == 2u);
  BOOST_TEST(figures->open == 2u);
  BOOST_TEST(figures->leased == 2u);
  BOOST_TEST(figures->waiting == 0u);
  BOOST_TEST(describe(z.error()).find("key \"a\"") != std::string::npos);
  BOOST_TEST(things.stats().rejected == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_full_key_evicts_what_was_used_least_recently,
                        fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto x = need(things.acquire("a", {.params = "x"}));
  auto y = need(things.acquire("a", {.params = "y"}));
  auto y_id = y->id;
  y.give_back();
  pass(1s);
  x.give_back();
  auto z = need(things.acquire("a", {.params = "z"}));
  BOOST_TEST(z.fresh());
  BOOST_TEST(book->closed_ids() == std::vector{y_id},
             boost::test_tools::per_element());
  BOOST_TEST(book->closed_count(close_reason::evicted) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pool_that_rejects_evicts_nothing, fixture) {
  auto things = make(
    {.name = "things", .per_key_max = 1, .when_full = full_policy::reject},
    {book});
  need(things.acquire("a", {.params = "x"})).give_back();
  auto y = things.acquire("a", {.params = "y"});
  BOOST_TEST(code(y) == errc::key_full);
  auto figures = rejection_of(y.error());
  BOOST_REQUIRE(figures.has_value());
  BOOST_REQUIRE(figures->retry_after_ms.has_value());
  BOOST_TEST(*figures->retry_after_ms == 300'000);
}

BOOST_FIXTURE_TEST_CASE(what_the_opener_says_reaches_who_asked, fixture) {
  auto things = make({.name = "things", .per_key_max = 2},
                     {book, [](const open_request&) {
                        throw std::runtime_error("the disk is on fire");
                      }});
  auto x = things.acquire("a");
  BOOST_TEST(code(x) == errc::open_failed);
  BOOST_TEST(describe(x.error()).find("the disk is on fire")
             != std::string::npos);
  BOOST_TEST(book->live() == 0u);
  BOOST_TEST(things.stats().open_failed == 1u);
  BOOST_TEST(things.stats().open == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_failed_open_takes_no_place, fixture) {
  auto tries = std::make_shared<std::atomic<int>>(0);
  auto things = make({.name = "things", .per_key_max = 2},
                     {book, [tries](const open_request&) {
                        if (++*tries <= 5)
                          throw std::runtime_error("not yet");
                      }});
  for (int i = 0; i < 5; ++i)
    BOOST_TEST(code(things.acquire("a")) == errc::open_failed);
  auto x = need(things.acquire("a"));
  auto y = need(things.acquire("a"));
  BOOST_TEST(x->id != y->id);
}

BOOST_FIXTURE_TEST_CASE(what_is_given_up_is_closed_and_not_lent_again,
                        fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto x = need(things.acquire("a"));
  auto id = x->id;
  x.give_up();
  BOOST_TEST(!x);
  BOOST_TEST(need(things.acquire("a"))->id != id);
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_fails_its_check_is_closed_and_not_lent_again,
                        fixture) {
  auto things = rt->make_pool<thing>(
    named({.name = "things", .per_key_max = 2}), checking_opener{{{book}}});
  auto x = need(things.acquire("a"));
  auto id = x->id;
  x.give_back();
  x = need(things.acquire("a"));
  BOOST_TEST(x->id == id); // it was well then
  x->healthy = false;
  x.give_back();
  BOOST_TEST(need(things.acquire("a"))->id != id);
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
}

BOOST_FIXTURE_TEST_CASE(evict_closes_idle_things_now_and_held_ones_later,
                        fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto held = need(things.acquire("a"));
  need(things.acquire("a")).give_back();
  things.evict("a");
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(!held.revoked()); // I4
  BOOST_TEST(!held->closed);
  auto fresh = need(things.acquire("a")); // the held one is not lent again
  BOOST_TEST(fresh.fresh());
  held.give_back();
  BOOST_REQUIRE(book->waits_for_closed(2));
  BOOST_TEST(book->closed_count(close_reason::requested) == 2u);
  BOOST_TEST(!fresh->closed);
}

BOOST_FIXTURE_TEST_CASE(an_open_that_takes_too_long_is_refused_and_closed,
                        fixture) {
  auto slow = std::make_shared<gate>();
  auto things = make({.name = "things", .per_key_max = 2, .open_timeout = 5s},
                     {book, [slow](const open_request&) { slow->wait(); }});
  auto x = in_thread([&] { return things.acquire("a", {.deadline = 1h}); });
  BOOST_REQUIRE(slow->waits_for(1));
  pass(5s);
  BOOST_TEST(code(need(std::move(x))) == errc::open_timed_out);
  slow->open();
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(book->closed_count(close_reason::stalled) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_request_ends_at_its_deadline_and_not_before,
                        fixture) {
  auto slow = std::make_shared<gate>();
  auto things = make({.name = "things", .per_key_max = 2},
                     {book, [slow](const open_request&) { slow->wait(); }});
  auto x = in_thread([&] { return things.acquire("a", {.deadline = 10s}); });
  BOOST_REQUIRE(slow->waits_for(1));
  pass(10s - 1ns);
  BOOST_TEST((x.wait_for(0s) == std::future_status::timeout));
  pass(1ns);
  BOOST_TEST(code(need(std::move(x))) == errc::deadline_exceeded);
  slow->open();
  // What was opened for nobody is there for the next.
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_real_deadline_ends_a_request_without_a_tick,
                        fixture) {
  world real{{.real_time = true}};
  auto slow = std::make_shared<gate>();
  auto things
    = real.make({}, {book, [slow](const open_request&) { slow->wait(); }});
  BOOST_TEST(code(things.acquire("a", {.deadline = 20ms}))
             == errc::deadline_exceeded);
  slow->open();
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
}

BOOST_FIXTURE_TEST_CASE(an_actor_is_lent_what_is_opened, fixture) {
  auto things = make({.name = "things", .per_key_max = 2}, {book});
  auto seen = std::make_shared<seen_by_actor>();
  auto self = sys->spawn(lender, things, acquire_options{}, seen);
  BOOST_TEST(need(seen->id.get_future()) == 1u);
  BOOST_TEST(!things.try_acquire("a").has_value());
  caf::anon_send(self, caf::ok_atom::value);
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
  caf::anon_send_exit(self, caf::exit_reason::kill);
}

BOOST_FIXTURE_TEST_CASE(an_actor_is_told_why_it_gets_nothing, fixture) {
  auto things = make({.name = "things", .per_key_max = 1}, {book});
  auto x = need(things.acquire("a"));
  auto seen = std::make_shared<seen_by_actor>();
  auto self = sys->spawn(lender, things, acquire_options{}, seen);
  BOOST_TEST(code(need(seen->error.get_future())) == errc::key_full);
  caf::anon_send_exit(self, caf::exit_reason::kill);
}

BOOST_FIXTURE_TEST_CASE(what_an_actor_has_goes_back_when_it_dies, fixture) {
  auto things = make({.name = "things", .per_key_max = 1}, {book});
  auto seen = std::make_shared<seen_by_actor>();
  auto self = sys->spawn(lender, things, acquire_options{}, seen);
  need(seen->id.get_future());
  caf::anon_send_exit(self, caf::exit_reason::kill);
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
}

BOOST_FIXTURE_TEST_CASE(what_is_granted_to_a_dead_actor_goes_back, fixture) {
  auto slow = std::make_shared<gate>();
  auto things = make({.name = "things", .per_key_max = 1},
                     {book, [slow](const open_request&) { slow->wait(); }});
  auto seen = std::make_shared<seen_by_actor>();
  auto self = sys->spawn(lender, things, acquire_options{}, seen);
  BOOST_REQUIRE(slow->waits_for(1));
  {
    caf::scoped_actor waiter{*sys};
    waiter->monitor(self);
    caf::anon_send_exit(self, caf::exit_reason::kill);
    waiter->receive([](const caf::down_msg&) {});
  }
  slow->open();
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
  BOOST_TEST(book->opened_count() == 1u);
}
