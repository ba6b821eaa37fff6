// Many threads and many actors at once. The opener and the users keep the
// truth; the pool is only asked for resources.
#include "pool_fixture.hpp"

#include <steward/testkit/history_check.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace pool_test;
namespace data = boost::unit_test::data;
using testkit::gather;
using testkit::return_exceptions;

// Named, as data test cases are templates that everybody could see.
namespace concurrency {

// How an opener may be: it answers in all these ways in turn.
enum class manner { quick, yields, fails_at_times, blocks_at_times };

struct crowd {
  const char* what;
  std::size_t callers;
  std::size_t rounds;
  std::size_t keys;
  limits most;
  manner opener;
};

std::ostream& operator<<(std::ostream& out, const crowd& x) {
  return out << x.what;
}

const crowd crowds[] = {
  {"one key, one place", 16, 200, 1, {1, 1'000, 1}, manner::quick},
  {"one key, few places", 16, 200, 1, {3, 1'000, 1}, manner::yields},
  {"one key, shared", 16, 200, 1, {2, 1'000, 3}, manner::yields},
  {"one key, opens fail", 16, 100, 1, {3, 1'000, 1}, manner::fails_at_times},
  {"one key, shared, opens fail",
   16,
   100,
   1,
   {2, 1'000, 3},
   manner::fails_at_times},
  {"one key, opens block", 8, 50, 1, {2, 1'000, 1}, manner::blocks_at_times},
  {"many keys", 8, 300, 50, {2, 1'000, 1}, manner::quick},
  {"many keys, few places", 8, 150, 20, {2, 6, 1}, manner::yields},
  {"many keys, opens fail", 8, 150, 20, {2, 6, 1}, manner::fails_at_times},
  {"many keys, shared, few places",
   8,
   150,
   5,
   {2, 4, 3},
   manner::blocks_at_times},
};

struct arena : world {
  arena(const crowd& who, std::size_t threads)
    : world({.threads = threads}), all(who),
      book(std::make_shared<truth>(who.most)),
      things(make({.name = "things",
                   .per_key_max = who.most.per_key_max,
                   .total_max = who.most.total_max,
                   .holders_max = who.most.holders_max},
                  opener())) {
  }

  thing_opener opener() {
    auto turn = std::make_shared<std::atomic<unsigned>>(0);
    auto slowly = [turn, how = all.opener](bool may_fail) {
      auto n = ++*turn;
      if (how == manner::quick)
        return;
      for (unsigned i = 0; i < n % 8; ++i)
        std::this_thread::yield();
      if (how == manner::fails_at_times && may_fail && n % 3 == 0)
        throw std::runtime_error("not this time");
      if (how == manner::blocks_at_times && n % 5 == 0) { // in the kernel
        std::promise<void> never_kept;
        never_kept.get_future().wait_for(200us);
      }
    };
    auto closer = seen->as("opener");
    return {book, [slowly](const open_request&) { slowly(true); },
            [slowly, closer](thing& x, close_reason) mutable {
              auto id = std::to_string(x.id);
              auto closing = closer.invoke("close", x.key, id);
              slowly(false);
              closer.complete(closing);
            }};
  }

  std::string key(std::size_t me, std::size_t i) const {
    return "k" + std::to_string((5 * me + 3 * i) % all.keys);
  }

  // Params that differ now and then, so that idle ones must go.
  static std::string params(std::size_t i) {
    return i % 7 == 0 ? "other" : "usual";
  }

  // Whether this is how a request of these tests may end.
  static bool is_fair(const caf::error& e) {
    auto c = code(e);
    return c == errc::key_full || c == errc::total_full
           || c == errc::open_failed;
  }

  void use(thing& x, std::size_t i) {
    using_it use{x};
    ++granted;
    if (i % 4 == 0)
      std::this_thread::yield();
  }

  // Acquires, uses and gives back, and writes down what a client can see.
  caf::expected<void> borrow(testkit::history::client& me, std::size_t who,
                             std::size_t round) {
    auto of = key(who, round);
    auto asked = me.invoke("acquire", of);
    auto x = things.acquire(of, {.params = params(round), .deadline = 1h});
    if (!x) {
      me.fail(asked, describe(x.error()));
      return x.error();
    }
    auto name = std::to_string(who) + "/" + std::to_string(round);
    me.complete(asked, std::to_string((*x)->id) + " " + name);
    use(**x, round);
    auto done = me.invoke("release", of, name);
    x->give_back();
    me.complete(done);
    return caf::unit;
  }

  // I1, I3, I4, as the clients saw it.
  void check_history() {
    auto what = seen->operations();
    auto found = testkit::check_leases(what, {book->most_.per_key_max,
                                              book->most_.holders_max});
    BOOST_TEST(found.right(), found.text());
    BOOST_TEST(found.operations == 2 * granted + book->closed_count());
    // And it is no matter of course: something was lent.
    BOOST_TEST(!testkit::check_leases(what, {0, 1}).right());
  }

  // The end: everything is drained, and the books agree.
  void close_the_books() {
    BOOST_TEST(granted + refused == all.callers * all.rounds); // I6
    BOOST_TEST(granted > 0u);
    BOOST_TEST(rt->drain(patience).clean());
    BOOST_TEST(book->mistakes() == ""); // I1 to I4
    BOOST_TEST(book->live() == 0u);
    BOOST_TEST(book->closed_count() == book->opened_count()); // I3
    auto ids = book->closed_ids();
    std::sort(ids.begin(), ids.end());
    BOOST_TEST((std::adjacent_find(ids.begin(), ids.end()) == ids.end()));
    BOOST_TEST(book->key_peak() <= all.most.per_key_max);
    BOOST_TEST(book->peak() <= all.most.total_max);
    BOOST_TEST(things.stats().opened == book->opened_count());
  }

  const crowd all;
  std::shared_ptr<truth> book;
  std::shared_ptr<testkit::history> seen
    = std::make_shared<testkit::history>(); // by the opener and by threads
  pool<thing> things;
  std::atomic<std::size_t> granted{0};
  std::atomic<std::size_t> refused{0};
};

// An actor that asks, uses, gives back, and asks again.
struct guest_state {
  std::size_t round = 0;
  std::size_t answers = 0;
  guest_state() = default;
};

struct go_on {};

void next_round(caf::stateful_actor<guest_state>* self, arena* in,
                std::size_t me, std::shared_ptr<std::promise<void>> done) {
  auto& s = cafx::state(self);
  if (s.answers++ != s.round) // I6
    in->book->wrong("answered twice");
  if (s.round++ == in->all.rounds) {
    done->set_value();
    return self->quit();
  }
  in->things.acquire(
    self, in->key(me, s.round),
    {.params = arena::params(s.round), .deadline = 1h},
    [=](lease<thing> x) {
      in->use(*x, me);
      x.give_back();
      cafx::send(self, caf::actor{self}, go_on{});
    },
    [=](const caf::error& e) {
      ++in->refused;
      if (!arena::is_fair(e))
        in->book->wrong(describe(e));
      cafx::send(self, caf::actor{self}, go_on{});
    });
}

} // namespace concurrency

STEWARD_MESSAGE(concurrency::go_on)

namespace concurrency {

caf::behavior guest(caf::stateful_actor<guest_state>* self, arena* in,
                    std::size_t me, std::shared_ptr<std::promise<void>> done) {
  cafx::send(self, caf::actor{self}, go_on{});
  return {[=](go_on) { next_round(self, in, me, done); }};
}

} // namespace concurrency

using namespace concurrency;

BOOST_DATA_TEST_CASE(threads_share_as_they_are_allowed_to,
                     data::make(crowds) * data::make({1u, 2u, 8u}), who,
                     threads) {
  arena in{who, threads};
  auto answers = gather(
    who.callers,
    [&](std::size_t me) -> caf::expected<std::size_t> {
      auto client = in.seen->as("thread-" + std::to_string(me));
      for (std::size_t i = 0; i < who.rounds; ++i)
        if (auto x = in.borrow(client, me, i); !x)
          if (++in.refused; !arena::is_fair(x.error()))
            return x.error();
      return me;
    },
    return_exceptions);
  for (auto& x : answers)
    need(std::move(x));
  in.close_the_books();
  in.check_history();
}

BOOST_DATA_TEST_CASE(actors_share_as_they_are_allowed_to,
                     data::make(crowds) * data::make({1u, 2u, 8u}), who,
                     threads) {
  arena in{who, threads};
  std::vector<std::future<void>> done;
  for (std::size_t me = 0; me < who.callers; ++me) {
    auto said = std::make_shared<std::promise<void>>();
    done.push_back(said->get_future());
    in.sys->spawn(guest, &in, me, std::move(said));
  }
  for (auto& x : done)
    need(std::move(x));
  in.close_the_books();
}

BOOST_DATA_TEST_CASE(threads_and_actors_and_messages_share_one_key,
                     data::make({1u, 2u, 8u}), threads) {
  crowd who{"mixed", 8, 100, 1, {4, 1'000, 1}, manner::yields};
  arena in{who, threads};
  std::vector<std::future<void>> done;
  for (std::size_t me = 0; me < who.callers / 2; ++me) {
    auto said = std::make_shared<std::promise<void>>();
    done.push_back(said->get_future());
    in.sys->spawn(guest, &in, me, std::move(said));
  }
  auto by_message = [&](std::size_t me) -> caf::expected<std::size_t> {
    caf::scoped_actor self{*in.sys};
    caf::error failure;
    for (std::size_t i = 0; i < who.rounds; ++i)
      self
        ->request(in.things.front(), caf::duration{patience},
                  acquire{in.key(me, i), arena::params(i)})
        .receive(
          [&](const granted& x) {
            in.use(*static_cast<thing*>(x.resource), i);
            self->send(in.things.front(), release{x.lease, i % 9 != 0});
          },
          [&](const caf::error& e) {
            ++in.refused;
            if (!arena::is_fair(e))
              failure = e;
          });
    if (failure)
      return failure;
    return me;
  };
  for (auto& x : gather(who.callers / 2, by_message, return_exceptions))
    need(std::move(x));
  for (auto& x : done)
    need(std::move(x));
  in.close_the_books();
}

// Single flight: as many as one resource can serve wait for one open.
BOOST_AUTO_TEST_CASE(who_can_share_shares_one_open) {
  world w;
  auto book = std::make_shared<truth>(limits{.holders_max = 3});
  auto slow = std::make_shared<gate>();
  auto a = w.make({.name = "a", .per_key_max = 8, .holders_max = 3},
                  {book, [slow](const open_request&) { slow->wait(); }});
  std::latch asked{9};
  auto opener = in_thread([&] {
    asked.wait();
    slow->waits_for(3);
    slow->open();
  });
  auto answers = gather(
    9,
    [&](std::size_t) {
      asked.count_down();
      return a.acquire("k", {.deadline = 1h});
    },
    return_exceptions);
  need(std::move(opener));
  for (auto& x : answers)
    BOOST_TEST(static_cast<bool>(x), (x ? "" : describe(x.error())));
  BOOST_TEST(book->opens_of("k") == 3u);
  BOOST_TEST(book->mistakes() == "");
}

BOOST_AUTO_TEST_CASE(the_failure_of_a_shared_open_answers_all_who_waited) {
  world w;
  auto book = std::make_shared<truth>(limits{.holders_max = 4});
  auto slow = std::make_shared<gate>();
  auto a = w.make({.name = "a", .holders_max = 4},
                  {book, [slow](const open_request&) {
                     slow->wait();
                     throw std::runtime_error("no");
                   }});
  caf::scoped_actor self{*w.sys};
  for (int i = 0; i < 4; ++i)
    self->send(a.front(), acquire{"k"});
  BOOST_REQUIRE(slow->waits_for(1));
  // Behind the four in the supervisor's mailbox, so they wait when it returns.
  bool heard = false;
  self->request(a.front(), caf::duration{patience}, evict{"k"})
    .receive([&](const evicting&) { heard = true; }, [](const caf::error&) {});
  BOOST_REQUIRE(heard);
  slow->open();
  int failures = 0;
  for (int i = 0; i < 4; ++i)
    self->receive(
      [&](const caf::error& e) {
        failures += code(e) == errc::open_failed ? 1 : 0;
      },
      caf::after(patience) >> [] {});
  BOOST_TEST(failures == 4);
  BOOST_TEST(book->opens_of("k") == 1u);
}

// Health is asked by whoever gives back, while others borrow and evict.
BOOST_DATA_TEST_CASE(what_is_broken_leaves_and_is_never_lent_again,
                     data::make({1u, 3u}), sharers) {
  world w;
  auto book
    = std::make_shared<truth>(limits{.per_key_max = 4, .holders_max = sharers});
  auto a = w.rt->make_pool<thing>(
    {.name = "a", .per_key_max = 4, .holders_max = sharers},
    checking_opener{{{book}}});
  std::atomic<bool> over{false};
  // Each after the answer to the one before: who only sends can send more than a
  // slow build handles, and then nobody else is heard in time.
  auto evictor = in_thread([&] {
    caf::scoped_actor self{*w.sys};
    while (!over)
      self->request(a.front(), caf::duration{patience}, evict{"k"})
        .receive([](const evicting&) {},
                 [&](const caf::error& e) { book->wrong(describe(e)); });
  });
  auto answers = gather(
    8,
    [&](std::size_t me) -> caf::expected<std::size_t> {
      for (std::size_t i = 0; i < 200; ++i) {
        auto x = a.acquire("k", {.deadline = 1h});
        if (!x) {
          if (code(x) != errc::key_full)
            return x.error();
          continue;
        }
        {
          using_it use{**x};
          if (sharers == 1 && !(*x)->healthy)
            book->wrong("lent although broken");
          if ((i + me) % 5 == 0)
            (*x)->healthy = false;
        }
        if ((i + me) % 11 == 0)
          x->give_up();
      }
      return me;
    },
    return_exceptions);
  over = true;
  need(std::move(evictor));
  for (auto& x : answers)
    need(std::move(x));
  // Evictions may have come first each time; nobody evicts this one.
  BOOST_TEST(truth::waits_until([&] {
    auto x = a.acquire("k", {.deadline = 1h});
    if (x)
      (*x)->healthy = false;
    return static_cast<bool>(x);
  }));
  BOOST_TEST(w.rt->drain(patience).clean());
  BOOST_TEST(book->mistakes() == "");
  BOOST_TEST(book->closed_count() == book->opened_count());
  BOOST_TEST(book->closed_count(close_reason::unhealthy) > 0u);
}

// Holders that die, grants that nobody takes: all comes back.
BOOST_DATA_TEST_CASE(guests_that_die_leave_nothing_behind,
                     data::make({1u, 2u, 8u}), threads) {
  world w{{.threads = threads}};
  auto book = std::make_shared<truth>(limits{.per_key_max = 3});
  auto a
    = w.make({.name = "a", .per_key_max = 3},
             {book, [](const open_request&) { std::this_thread::yield(); }});
  for (auto& x : gather(
         6,
         [&](std::size_t me) {
           for (std::size_t i = 0; i < 60; ++i) {
             caf::scoped_actor self{*w.sys};
             self->send(a.front(), acquire{"k", arena::params(i)});
             if ((i + me) % 3
                 == 0) // dies with what it has, or before it has it
               self->receive([](const granted&) {}, [](const caf::error&) {},
                             caf::after(patience) >> [] {});
           }
         },
         return_exceptions))
    BOOST_TEST(static_cast<bool>(x));
  std::vector<lease<thing>> all;
  BOOST_TEST(truth::waits_until([&] {
    if (auto x = a.acquire("k", {.deadline = 1h}))
      all.push_back(std::move(*x));
    return all.size() == 3;
  }));
  all.clear();
  BOOST_TEST(w.rt->drain(patience).clean());
  BOOST_TEST(book->mistakes() == "");
  BOOST_TEST(book->closed_count() == book->opened_count());
}
