// What time does to resources and supervisors. Time is moved by hand.
#include "pool_fixture.hpp"

using namespace pool_test;

namespace {

struct fixture : world {
  explicit fixture(options o = {}) : world(o) {
  }

  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 2});

  ~fixture() {
    BOOST_TEST(rt->drain(5s).clean());
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->live() == 0u);
    BOOST_TEST(book->closed_count() == book->opened_count());
  }

  // Closes with an inline opener: at a tick, and not some time after it.
  pool<thing> things(pool_options o) {
    o.per_key_max = 2;
    return make_inline(std::move(o), book);
  }

  // Opens with workers, and so with a supervisor.
  pool<thing> lingering() {
    return make({.name = "a", .idle_timeout = 10s, .linger = 30s}, {book});
  }

  // Whether so many have been closed; the supervisor may know a bit later.
  static bool closed(const pool<thing>& in, std::uint64_t count) {
    return truth::waits_until(
      [&] { return in.stats().closed_total() == count; });
  }

  bool leaves(const pool<thing>& in) {
    return truth::waits_until([&] {
      pass(1s);
      return in.stats().keys == 0;
    });
  }

  // How many keys stay for a while though they are empty.
  static std::size_t lingers(const pool<thing>& in) {
    return in.options().awake_max > 0 ? 1 : 0;
  }
};

// Opens with the supervisor's own hands, and counts who does for each key.
struct watching_opener : inline_opener {
  std::shared_ptr<std::array<std::atomic<int>, 8>> inside
    = std::make_shared<std::array<std::atomic<int>, 8>>();

  std::unique_ptr<thing> open(const open_request& what) {
    auto& here = (*inside)[static_cast<std::size_t>(what.key.back() - '0')];
    if (++here > 1) // I8: two supervisors of one key
      book->wrong("two open for " + std::string{what.key});
    auto result = inline_opener::open(what);
    std::this_thread::yield();
    --here;
    return result;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(what_is_idle_closes_at_the_timeout_and_not_before,
                        fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s});
  need(a.acquire("k")).give_back();
  pass(10s - 1ns); // I5
  BOOST_TEST(book->closed_count() == 0u);
  pass(1ns);
  BOOST_TEST(book->closed_count(close_reason::idle) == 1u);
}

BOOST_FIXTURE_TEST_CASE(between_two_ticks_nothing_closes, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .tick = 4s});
  need(a.acquire("k")).give_back();
  pass(12s - 1ns); // 10 s are over, the tick is at 12 s
  BOOST_TEST(book->closed_count() == 0u);
  pass(1ns);
  BOOST_TEST(book->closed_count(close_reason::idle) == 1u);
}

BOOST_FIXTURE_TEST_CASE(idle_counts_from_the_end_of_the_last_use, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s});
  auto x = need(a.acquire("k"));
  pass(1h);
  BOOST_TEST(book->closed_count() == 0u); // I4
  BOOST_TEST(!x->closed);
  x.give_back();
  pass(9s);
  need(a.acquire("k")).give_back();
  pass(10s - 1ns);
  BOOST_TEST(book->closed_count() == 0u);
  pass(1ns);
  BOOST_TEST(book->closed_count(close_reason::idle) == 1u);
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_use_in_the_middle_of_a_tick_counts_to_the_instant,
                        fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .tick = 1s});
  auto x = need(a.acquire("k"));
  pass(500ms);
  x.give_back();
  pass(10s); // at 10 s it is 9.5 s idle, the next tick is at 11 s
  BOOST_TEST(book->closed_count() == 0u);
  pass(500ms);
  BOOST_TEST(book->closed_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_slow_close_holds_up_nothing_else_of_its_key,
                        fixture) {
  std::promise<void> gate;
  auto opens = gate.get_future().share();
  auto slow = [opens](const thing& x, close_reason) {
    if (x.id == 1)
      opens.wait_for(patience);
  };
  auto a = make({.name = "a", .per_key_max = 2, .idle_timeout = 10s},
                {book, {}, slow});
  auto first = need(a.acquire("k"));
  auto second = need(a.acquire("k"));
  first.give_back();
  pass(5s);
  second.give_back();
  pass(5s); // the first one is due
  pass(5s);
  BOOST_TEST(book->waits_for_closed(1));
  BOOST_TEST(book->closed_ids() == std::vector<std::uint64_t>{2},
             boost::test_tools::per_element());
  gate.set_value();
  BOOST_TEST(book->waits_for_closed(2));
}

BOOST_FIXTURE_TEST_CASE(what_is_old_closes_when_nobody_holds_it, fixture) {
  auto a = things({.name = "a", .idle_timeout = off, .max_lifetime = 60s});
  auto x = need(a.acquire("k"));
  need(a.acquire("k")).give_back();
  pass(60s - 1ns);
  BOOST_TEST(book->closed_count() == 0u);
  pass(1ns);
  BOOST_TEST(book->closed_count(close_reason::lifetime) == 1u);
  BOOST_TEST(!x->closed); // I4
  x.give_back();
  pass(1s);
  BOOST_TEST(book->closed_count(close_reason::lifetime) == 2u);
}

BOOST_FIXTURE_TEST_CASE(what_is_off_never_comes, fixture) {
  auto a = things({.name = "a", .idle_timeout = off});
  need(a.acquire("k")).give_back();
  pass(24h * 3650);
  BOOST_TEST(book->closed_count() == 0u);
  BOOST_TEST(a.stats().keys == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_empty_key_lingers_and_is_gone, fixture) {
  auto a = lingering();
  need(a.acquire("k")).give_back();
  pass(10s);
  BOOST_TEST(closed(a, 1));
  pass(30s - 1ns);
  BOOST_TEST(a.stats().keys == lingers(a));
  BOOST_TEST(leaves(a));         // I12
  auto x = need(a.acquire("k")); // and is made again
  BOOST_TEST(x->id == 2u);
  BOOST_TEST(a.stats().keys == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_use_starts_the_linger_anew, fixture) {
  auto a = lingering();
  need(a.acquire("k")).give_back();
  pass(10s);
  BOOST_TEST(closed(a, 1));
  pass(20s);
  need(a.acquire("k")).give_back();
  pass(10s);
  BOOST_TEST(closed(a, 2));
  pass(30s - 1ns);
  BOOST_TEST(a.stats().keys == lingers(a));
  BOOST_TEST(leaves(a));
}

BOOST_FIXTURE_TEST_CASE(who_has_no_supervisor_does_not_linger, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .linger = 30s});
  need(a.acquire("k")).give_back();
  BOOST_TEST(a.stats().keys == 1u);
  pass(10s);
  BOOST_TEST(book->live() == 0u);
  BOOST_TEST(a.stats().keys == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_key_whose_opens_fail_does_not_stay, fixture) {
  auto a = make({.name = "a", .linger = 30s}, {book, [](const open_request&) {
                                                 throw std::runtime_error("no");
                                               }});
  BOOST_TEST(code(a.acquire("k")) == errc::open_failed);
  BOOST_TEST(truth::waits_until([&] { return a.stats().keys == lingers(a); }));
  pass(30s);
  BOOST_TEST(a.stats().keys == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_held_resource_keeps_its_key, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .linger = 10s});
  auto x = need(a.acquire("k"));
  pass(24h);
  BOOST_TEST(a.stats().keys == 1u);
  x.give_back();
  pass(20s);
  BOOST_TEST(a.stats().keys == 0u);
}

BOOST_FIXTURE_TEST_CASE(many_keys_return_to_zero, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .linger = 10s});
  for (int i = 0; i < 2'000; ++i)
    need(a.acquire("k" + std::to_string(i))).give_back();
  BOOST_TEST(a.stats().keys == 2'000u);
  BOOST_TEST(book->live() == 2'000u);
  pass(20s);
  BOOST_TEST(a.stats().keys == 0u); // I12
  BOOST_TEST(book->live() == 0u);
  // Who has left is dead, too, but for the last words of the last ones.
  BOOST_TEST(
    truth::waits_until([&] { return sys->registry().running() < 10; }));
}

BOOST_FIXTURE_TEST_CASE(the_memory_of_a_key_goes_with_it, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s, .linger = 10s});
  need(a.acquire("k")).give_back();
  // The opener lives in what all keys hold on to: one user for each key.
  auto users = book.use_count();
  pass(20s);
  BOOST_TEST(a.stats().keys == 0u);
  need(a.acquire("k")).give_back();
  BOOST_TEST(book.use_count() == users);
}

BOOST_FIXTURE_TEST_CASE(several_pools_have_times_of_their_own, fixture) {
  auto a
    = things({.name = "a", .idle_timeout = 10s, .tick = 10s, .linger = 10s});
  auto b = things({.name = "b", .idle_timeout = 3s, .tick = 1s});
  need(a.acquire("k")).give_back();
  need(b.acquire("k")).give_back();
  pass(3s);
  BOOST_TEST(a.stats().open == 1u);
  BOOST_TEST(b.stats().open == 0u);
  pass(7s);
  BOOST_TEST(a.stats().open == 0u);
}

BOOST_FIXTURE_TEST_CASE(time_that_is_past_is_no_time, fixture) {
  auto a = things({.name = "a", .idle_timeout = 10s});
  need(a.acquire("k")).give_back();
  pass(5s);
  rt->advance(start);
  BOOST_TEST((rt->time().now() == start + 5s));
  pass(5s);
  BOOST_TEST(book->closed_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_real_clock_closes_what_is_idle) {
  fixture real{{.real_time = true}};
  auto a = real.things(
    {.name = "a", .idle_timeout = 20ms, .tick = 5ms, .linger = 5ms});
  auto before = std::chrono::steady_clock::now();
  need(a.acquire("k")).give_back();
  BOOST_REQUIRE(real.book->waits_for_closed(1));
  BOOST_TEST((std::chrono::steady_clock::now() - before >= 20ms)); // I5
  BOOST_TEST(truth::waits_until([&] { return a.stats().keys == 0; }));
}

// I8: supervisors leave all the time, requests come all the time.
BOOST_AUTO_TEST_CASE(no_request_is_lost_to_a_supervisor_that_leaves) {
  for (std::size_t threads : {1u, 2u, 8u}) {
    BOOST_TEST_CONTEXT(threads << " threads") {
      fixture f{{.threads = threads}};
      auto a = f.rt->make_pool<thing>({.name = "a",
                                       .per_key_max = 2,
                                       .idle_timeout = 1s,
                                       .tick = 1s,
                                       .linger = 1s},
                                      watching_opener{{{f.book}}});
      std::atomic<bool> over{false};
      auto time = in_thread([&] {
        for (; !over; f.pass(1s))
          std::this_thread::yield();
      });
      auto answers = testkit::gather(
        8,
        [&](std::size_t me) -> caf::expected<std::size_t> {
          for (std::size_t i = 0; i < 400; ++i) {
            auto x = a.acquire("k" + std::to_string((me / 2 + i) % 4),
                               {.deadline = 24h});
            if (!x)
              return x.error();
            using_it use{**x};
            if (i % 16 == me) // long enough for the others to be empty
              std::this_thread::yield();
          }
          return me;
        },
        testkit::return_exceptions);
      over = true;
      need(std::move(time));
      for (auto& x : answers)
        BOOST_TEST((x || code(x) == errc::key_full),
                   (x ? std::string{} : describe(x.error())));
      BOOST_TEST(f.book->opened_count() > 4u); // some did leave
      f.pass(2s);
      BOOST_TEST(a.stats().keys == 0u);
    }
  }
}
