// A steward runtime in a simulation, for docs/testing.md.
#define BOOST_TEST_MODULE runtime
#include <steward/runtime/runtime.hpp>
#include <steward/testkit.hpp>
#include <steward/testkit/boost_test.hpp>

#include <memory>
#include <string>

using namespace std::chrono_literals;

// [flow]
using namespace steward::testkit;

BOOST_AUTO_TEST_CASE(what_nobody_uses_is_closed) {
  sim s;
  int closed = 0;
  struct opener {
    std::string open(const steward::open_request& r) {
      take_time(2s); // as a slow connection does; virtual here
      return std::string{r.key};
    }
    void close(std::string&, steward::close_reason) {
      ++*count;
    }
    int* count;
  };
  steward::runtime rt{s.system(), {}, simulated(s)};
  auto sessions = rt.make_pool<std::string>(
    {.name = "sessions", .idle_timeout = 5min}, opener{&closed});

  auto start = s.now();
  {
    auto lease = sessions.acquire("tenant-7"); // runs the simulation
    BOOST_TEST(**lease == "tenant-7");
    BOOST_TEST((s.now() == start + 2s));
  }
  s.run_for(4min);
  BOOST_TEST(closed == 0);
  s.run_for(2min);
  BOOST_TEST(closed == 1);
}
// [flow]

namespace {

struct borrow {};

struct give_back {};

} // namespace

STEWARD_MESSAGE(borrow)
STEWARD_MESSAGE(give_back)

// [scenario]
// Borrows, uses it for some time and gives it back, three times.
caf::behavior user(caf::event_based_actor* self, world* w,
                   steward::pool<fake_resource> things,
                   std::shared_ptr<truth> book, std::string name) {
  auto random = std::make_shared<random_stream>(w->stream(name));
  auto left = std::make_shared<int>(3);
  auto held = std::make_shared<steward::lease<fake_resource>>();
  self->send(self, borrow{});
  return {
    [=](borrow) {
      if (--*left < 0)
        return;
      things.acquire(
        self, "key", {.deadline = 1h},
        [=](steward::lease<fake_resource> x) {
          book->use_begins(x->id, name);
          *held = std::move(x);
          self->delayed_send(self, random->between(0, 9) * 1s, give_back{});
        },
        [=](const caf::error&) { self->send(self, borrow{}); });
    },
    [=](give_back) {
      book->use_ends((*held)->id, name); // before it really goes
      *held = {};
      self->send(self, borrow{});
    },
  };
}

void users_share_a_pool(world& w) {
  auto most = w.swarm<std::size_t>("per_key_max", {1, 2, 3});
  auto book = std::make_shared<truth>(
    truth_limits{.per_key_max = most}, // what must hold
    [&w](const failure& x) { w.violated(x.name(), x.detail()); },
    [&w] { return w.sim().now(); });
  auto& rt = w.make<steward::runtime>(
    w.sim().system(), steward::runtime_options{}, w.surroundings());
  w.fault("open.slow", 0.2);
  w.fault("open.fails", 0.1);
  opener_script script;
  script.fails = [&w](const auto&) { return w.fires("open.fails"); };
  auto things = rt.make_pool<fake_resource>(
    {.name = "things", .per_key_max = most}, fake_opener{book, script});
  for (auto name : {"ann", "bob", "cid"})
    w.sim().call(w.sim().spawn(user, &w, things, book, name), name);
  w.finally([&rt, &w, book] {
    rt.drain(1min);
    if (book->open_now() > 0)
      throw failure{"nothing leaks", "something is still open"};
    w.sim().expect_quiescent();
  });
}

BOOST_AUTO_TEST_CASE(a_pool_keeps_its_limit) {
  explore_as_test({.seeds = 500}, users_share_a_pool);
}
// [scenario]
