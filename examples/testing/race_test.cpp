// Level 2 of docs/testing.md: a scenario under all sorts of schedules.
#define BOOST_TEST_MODULE races
#include "careful_cache.hpp"

#include <steward/testkit.hpp>
#include <steward/testkit/boost_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

// [clients]
using namespace steward::testkit;
using namespace std::chrono_literals;

// A store that keeps what it is told.
caf::behavior memory(caf::event_based_actor*) {
  auto all = std::make_shared<std::map<std::string, int>>();
  return {
    [=](const lookup& m) { return (*all)[m.key]; },
    [=](const update& m) {
      (*all)[m.key] = m.value;
      return updated{};
    },
  };
}

// What clients know, whatever the cache believes.
struct ledger {
  int written = 0; // acknowledged
  int asked = 0;
  int answered = 0;
};

struct next {};

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(next)

// Writes 1, 2, 3, each some time after the one before.
caf::behavior writer(caf::event_based_actor* self, caf::actor to, world* w,
                     ledger* all) {
  auto random = std::make_shared<random_stream>(w->stream("writer"));
  self->delayed_send(self, random->between(0, 3) * 1s, next{});
  return {
    [=](next) {
      auto value = all->written + 1;
      ++all->asked;
      self->request(to, caf::infinite, update{"a", value}).then([=](updated) {
        ++all->answered;
        all->written = value;
        if (value < 3)
          self->delayed_send(self, random->between(0, 3) * 1s, next{});
      });
    },
  };
}

// Reads now and then, and knows how new the answer must be.
caf::behavior reader(caf::event_based_actor* self, caf::actor to, world* w,
                     ledger* all, std::string name) {
  auto random = std::make_shared<random_stream>(w->stream(name));
  auto rounds = std::make_shared<int>(5);
  self->delayed_send(self, random->between(0, 3) * 1s, next{});
  return {
    [=](next) {
      auto oldest = all->written;
      ++all->asked;
      self->request(to, caf::infinite, lookup{"a"}).then([=](int value) {
        ++all->answered;
        if (value < oldest)
          w->violated("no stale reads", name + " got " + std::to_string(value)
                                          + " after " + std::to_string(oldest)
                                          + " was acknowledged");
        if (--*rounds > 0)
          self->delayed_send(self, random->between(0, 3) * 1s, next{});
      });
    },
  };
}
// [clients]

// [scenario]
template <class Cache>
void readers_and_a_writer(world& w, Cache cache_to_test) {
  auto& s = w.sim();
  auto& all = w.make<ledger>();
  auto store = s.spawn(memory);
  auto c = s.spawn(cache_to_test, store);
  s.call(store, "store");
  s.call(c, "cache");
  s.describe<update>(
    [](const update& m) { return "update to " + std::to_string(m.value); });
  s.call(s.spawn(writer, c, &w, &all), "writer");
  for (int i = w.swarm("readers", {1, 2}); i > 0; --i) {
    auto name = "reader " + std::to_string(i);
    s.call(s.spawn(reader, c, &w, &all, name), name);
  }
  w.always("answers follow questions",
           [&all] { return all.answered <= all.asked; });
  w.eventually("all questions are answered",
               [&all] { return all.answered == all.asked; });
  w.sometimes("a read and a write cross",
              [&all] { return all.asked >= all.answered + 2; });
}
// [scenario]

// [explore]
BOOST_AUTO_TEST_CASE(no_read_is_stale) {
  explore_as_test({.seeds = 2000, .exhaustive = 1},
                  [](world& w) { readers_and_a_writer(w, careful_cache); });
}
// [explore]

// What the page shows of a failure is what this prints.
BOOST_AUTO_TEST_CASE(the_race_of_the_first_cache_is_found) {
  auto report = std::string{};
  try {
    explore({.name = "cache", .seeds = 2000},
            [](world& w) { readers_and_a_writer(w, cache); });
  } catch (const failure& x) {
    report = x.what();
    BOOST_TEST(x.name() == "no stale reads");
  }
  BOOST_TEST(report != "");
  std::cout << report << std::flush;
}
