// The end of a runtime: bounded, and nothing is left. // I11
#include "pool_fixture.hpp"

#include <steward/actors/log.hpp>

using namespace pool_test;

namespace {

struct fixture : world {
  explicit fixture(options o = {}) : world(o) {
    logger_of("runtime").set_level(spdlog::level::off); // it reports force
  }

  std::shared_ptr<truth> book = std::make_shared<truth>();
  std::shared_ptr<gate> slow = std::make_shared<gate>();

  ~fixture() {
    slow->open();
    rt.reset();
    sys.reset();
    // What was stuck in an opener is closed by its thread, sooner or later.
    BOOST_TEST(truth::waits_until([&] { return book->live() == 0; }));
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->closed_count() == book->opened_count()); // I3
  }

  pool<thing> slow_things(pool_options o = {}) {
    o.name = "slow";
    return make(std::move(o),
                {book, [s = slow](const open_request&) { s->wait(); }});
  }

  bool is_draining(const pool<thing>& x) const {
    return truth::waits_until(
      [&] { return code(x.acquire("no such key")) == errc::draining; });
  }
};

// How long `f` took.
template <class F>
std::chrono::nanoseconds time_of(F f) {
  auto before = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - before;
}

// Ends what a test opens by force.
thing_opener forceful(std::shared_ptr<truth> book) {
  thing_opener result{std::move(book)};
  result.may_revoke = true;
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_runtime_without_pools_drains, fixture) {
  BOOST_TEST(rt->drain(0s).clean());
}

BOOST_FIXTURE_TEST_CASE(idle_resources_are_closed, fixture) {
  auto a = make({}, {book});
  for (int i = 0; i < 100; ++i)
    need(a.acquire("k" + std::to_string(i))).give_back();
  BOOST_TEST(rt->drain(5s).clean());
  BOOST_TEST(book->closed_count(close_reason::drained) == 100u);
  BOOST_TEST(a.stats().keys == 0u);
  BOOST_TEST(a.stats().open == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_second_drain_does_nothing, fixture) {
  auto a = make({}, {book});
  need(a.acquire("k")).give_back();
  BOOST_TEST(rt->drain(5s).clean());
  auto again = rt->drain(5s);
  BOOST_TEST(again.clean());
  BOOST_TEST(book->closed_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(after_a_drain_everything_is_refused, fixture) {
  auto a = make({}, {book});
  need(a.acquire("k")).give_back();
  rt->drain(5s);
  BOOST_TEST(code(a.acquire("k")) == errc::draining);
  BOOST_TEST(code(a.acquire("other")) == errc::draining);
  BOOST_TEST(!a.try_acquire("k").has_value());
  a.evict("k");
  rt->advance(start + 1h); // nobody to move
  auto refusal = std::make_shared<std::promise<std::optional<errc>>>();
  sys->spawn(
    [](caf::event_based_actor* self, const pool<thing>& from,
       std::shared_ptr<std::promise<std::optional<errc>>> to) {
      from.acquire(
        self, "k", {}, [](lease<thing>) {},
        [to](const caf::error& e) { to->set_value(code(e)); });
    },
    a, refusal);
  BOOST_TEST(need(refusal->get_future()) == errc::draining);
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_comes_back_in_time_is_not_revoked,
                        fixture) {
  auto a = make({}, {book});
  auto x = need(a.acquire("k"));
  auto report = in_thread([&] { return rt->drain(patience); });
  BOOST_REQUIRE(is_draining(a));
  BOOST_TEST(!x->closed); // I4
  { using_it use{*x}; }
  x.give_back();
  auto said = need(std::move(report));
  BOOST_TEST(said.clean());
  BOOST_TEST(said.revoked == 0u);
  BOOST_TEST(book->closed_count(close_reason::drained) == book->opened_count());
}

BOOST_FIXTURE_TEST_CASE(what_is_given_up_in_a_drain_says_so, fixture) {
  auto a = make({}, {book});
  auto x = need(a.acquire("k"));
  auto report = in_thread([&] { return rt->drain(patience); });
  BOOST_REQUIRE(is_draining(a));
  x.give_up();
  BOOST_TEST(need(std::move(report)).clean());
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
}

BOOST_FIXTURE_TEST_CASE(all_who_wait_are_answered, fixture) {
  auto a = slow_things({.name = "slow", .per_key_max = 2});
  std::vector<std::future<caf::expected<lease<thing>>>> waiting;
  for (int i = 0; i < 6; ++i)
    waiting.push_back(in_thread([&, key = "k" + std::to_string(i % 3)] {
      return a.acquire(key, {.deadline = 1h});
    }));
  BOOST_REQUIRE(slow->waits_for(4)); // of the workers
  auto report = in_thread([&] { return rt->drain(patience); });
  for (auto& x : waiting)
    BOOST_TEST(code(need(std::move(x))) == errc::draining); // I6
  slow->open();
  BOOST_TEST(need(std::move(report)).clean());
}

BOOST_FIXTURE_TEST_CASE(what_is_opening_is_closed_when_it_comes, fixture) {
  auto a = slow_things();
  auto x = in_thread([&] { return a.acquire("k", {.deadline = 1h}); });
  BOOST_REQUIRE(slow->waits_for(1));
  auto report = in_thread([&] { return rt->drain(patience); });
  BOOST_TEST(code(need(std::move(x))) == errc::draining);
  slow->open();
  BOOST_TEST(need(std::move(report)).clean());
  BOOST_TEST(book->closed_count(close_reason::drained) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_does_not_come_back_is_revoked, fixture) {
  auto a = make({}, forceful(book));
  auto x = need(a.acquire("k"));
  need(a.acquire("k")).give_back();
  auto report = rt->drain(10ms);
  BOOST_TEST(report.revoked == 1u);
  BOOST_TEST(report.abandoned == 0u);
  BOOST_TEST(report.stuck == 0u);
  BOOST_TEST(!report.clean());
  BOOST_TEST(book->closed_count(close_reason::drained) == 2u);
  // Closed, but still there for who holds it.
  BOOST_TEST(x.revoked());
  BOOST_TEST(x->closed);
  BOOST_TEST(x->key == "k");
  x.give_back();
  BOOST_TEST(book->closed_count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_shared_resource_is_revoked_from_all_at_once,
                        fixture) {
  book = std::make_shared<truth>(limits{.holders_max = 3});
  auto a = make({.name = "a", .holders_max = 3}, forceful(book));
  std::vector<lease<thing>> all;
  for (int i = 0; i < 3; ++i)
    all.push_back(need(a.acquire("k")));
  BOOST_TEST(book->opened_count() == 1u);
  BOOST_TEST(rt->drain(10ms).revoked == 3u);
  BOOST_TEST(book->closed_count() == 1u);
  all[1].give_up(); // nobody closes it again
  all[0].give_back();
  BOOST_TEST(all[2].revoked());
  BOOST_TEST(all[2]->key == "k");
}

BOOST_FIXTURE_TEST_CASE(a_lease_in_a_message_is_revoked_too, fixture) {
  auto a = make({}, forceful(book));
  caf::scoped_actor self{*sys};
  self->send(a.front(), acquire{"k"});
  bool came = false;
  self->receive([&](const granted&) { came = true; },
                caf::after(patience) >> [] {});
  BOOST_REQUIRE(came);
  BOOST_TEST(rt->drain(10ms).revoked == 1u);
  BOOST_TEST(book->closed_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(leases_and_pools_may_outlive_all_else, fixture) {
  auto a = make({}, forceful(book));
  std::optional<lease<thing>> x = need(a.acquire("k"));
  lease<thing> y = need(a.acquire("k"));
  rt->drain(0s);
  rt.reset();
  sys.reset();
  BOOST_TEST(y.revoked());
  BOOST_TEST(y->key == "k"); // its memory is there
  BOOST_TEST(code(a.acquire("k")) == errc::draining);
  BOOST_TEST(a.stats().revoked == 2u);
  x.reset();
  y.give_up();
  BOOST_TEST(book->closed_count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(the_destructor_drains, fixture) {
  auto a = make({}, {book});
  need(a.acquire("k")).give_back();
  rt.reset();
  BOOST_TEST(book->closed_count(close_reason::drained) == 1u);
  BOOST_TEST(code(a.acquire("k")) == errc::draining);
}

BOOST_AUTO_TEST_CASE(a_stuck_opener_does_not_hold_up_the_end) {
  fixture f{{.workers = 2, .close_timeout = 100ms}};
  auto a = f.slow_things();
  auto x = in_thread([&] { return a.acquire("k", {.deadline = 1h}); });
  BOOST_REQUIRE(f.slow->waits_for(1));
  drain_report report;
  auto took = time_of([&] { report = f.rt->drain(100ms); });
  BOOST_TEST(code(need(std::move(x))) == errc::draining);
  BOOST_TEST((took < 5s));
  BOOST_TEST(report.stuck == 1u);
  BOOST_TEST(report.abandoned == 1u);
  f.rt.reset();
  f.sys.reset(); // and the system does not wait either
}

BOOST_AUTO_TEST_CASE(what_waits_behind_a_stuck_opener_is_closed_anyway) {
  fixture f{{.workers = 1, .close_timeout = 100ms}};
  auto idle = f.make({.name = "idle"}, {f.book});
  need(idle.acquire("a")).give_back();
  need(idle.acquire("b")).give_back();
  auto stuck = f.slow_things();
  auto x = in_thread([&] { return stuck.acquire("k", {.deadline = 1h}); });
  BOOST_REQUIRE(f.slow->waits_for(1));
  auto y = in_thread([&] { return stuck.acquire("l", {.deadline = 1h}); });
  auto report = f.rt->drain(100ms);
  BOOST_TEST(code(need(std::move(x))) == errc::draining);
  BOOST_TEST(code(need(std::move(y))) == errc::draining);
  BOOST_TEST(report.stuck == 1u);
  BOOST_TEST(f.book->closed_count(close_reason::drained) == 2u); // I3
  BOOST_TEST(f.slow->arrived() == 1u); // an open that did not start never does
}

BOOST_AUTO_TEST_CASE(a_stuck_close_does_not_hold_up_the_end) {
  fixture f{{.close_timeout = 100ms}};
  auto a = f.make(
    {}, {f.book, {}, [s = f.slow](thing&, close_reason) { s->wait(); }});
  need(a.acquire("k")).give_back();
  auto report = f.rt->drain(100ms);
  BOOST_TEST(report.stuck == 1u);
  BOOST_TEST(!report.clean());
}

// Requests that are still in the front's mailbox when the pool is gone.
BOOST_AUTO_TEST_CASE(messages_that_come_too_late_find_nobody_and_do_no_harm) {
  fixture f{{.threads = 1}};
  std::optional<pool<thing>> a = f.make({}, {f.book});
  auto front = a->front();
  // The only thread of the scheduler is busy while the runtime ends.
  auto blocker = f.sys->spawn([](caf::event_based_actor*,
                                 std::shared_ptr<gate> g) { g->wait(); },
                              f.slow);
  BOOST_REQUIRE(f.slow->waits_for(1));
  for (int i = 0; i < 10; ++i) {
    caf::anon_send(front, acquire{"k"});
    caf::anon_send(front, release{{"k", 1}});
    caf::anon_send(front, evict{"k"});
  }
  a.reset();
  f.rt->drain(5s);
  f.rt.reset();
  f.slow->open();
  blocker = nullptr;
  front = nullptr;
}

BOOST_AUTO_TEST_CASE(a_drain_in_the_middle_of_a_crowd_answers_everybody) {
  for (int round = 0; round < 20; ++round) {
    fixture f{{.threads = 2}};
    f.book = std::make_shared<truth>(limits{.per_key_max = 2, .total_max = 5});
    auto a = f.make({.name = "a", .per_key_max = 2, .total_max = 5},
                    {f.book,
                     [](const open_request&) { std::this_thread::yield(); }});
    std::atomic<std::size_t> granted{0};
    auto report = in_thread([&] {
      truth::waits_until([&] { return granted > 20; });
      return f.rt->drain(patience);
    });
    auto answers = testkit::gather(
      6,
      [&](std::size_t me) -> caf::expected<std::size_t> {
        for (std::size_t i = 0;; ++i) {
          auto x = a.acquire("k" + std::to_string((me + i) % 4),
                             {.deadline = 1h});
          if (x) {
            ++granted;
            using_it use{**x};
          } else if (code(x) == errc::draining) {
            return i;
          } else if (code(x) != errc::key_full && code(x) != errc::total_full) {
            return x.error();
          }
        }
      },
      testkit::return_exceptions);
    for (auto& x : answers)
      need(std::move(x));
    BOOST_TEST(need(std::move(report)).clean());
    BOOST_TEST(f.book->live() == 0u); // at once: the drain is over
  }
}
