#include "directed.hpp"

#include "memory_rule.hpp"
#include "stage.hpp"

#include <steward/core/duration_text.hpp>
#include <steward/messages/errors.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace explored {

namespace {

struct done_with_it {};

} // namespace

} // namespace explored

STEWARD_MESSAGE(explored::done_with_it)

namespace explored {

void served_in_order(world& w) {
  auto slow = std::make_shared<random_stream>(w.stream("slow"));
  auto& s
    = w.make<stage>(w, pool_options{.name = "things", .per_key_max = 3},
                    opener_script{.open_takes = [slow](const open_request&) {
                      return duration{slow->between(0, 1'000'000'000)};
                    }});
  auto order = std::make_shared<std::vector<question<granted>>>();
  for (const auto* name : {"first", "second", "third"}) {
    auto who = w.sim().probe(name);
    order->push_back(s.ask(who, "a"));
    w.sim().settle();
  }
  // Leases are numbered in the order in which they are granted.
  w.eventually("I7", [order] {
    for (std::size_t i = 1; i < order->size(); ++i)
      if ((*order)[i].get().lease.ticket < (*order)[i - 1].get().lease.ticket)
        return "who came as number " + std::to_string(i + 1)
               + " was served before number " + std::to_string(i);
    return std::string{};
  });
}

void passed_on_in_order(world& w) {
  // Of one kind they pass it on among themselves; else each closes what he finds.
  auto kinds = w.swarm<std::size_t>("kinds", {1, 2});
  auto hurried = w.swarm("hurried", {0.0, 0.3});
  auto& s = w.make<stage>(
    w, pool_options{.name = "things", .per_key_max = 1, .waiters_max = 10});
  auto random = std::make_shared<random_stream>(w.stream("uses"));
  auto served = std::make_shared<std::string>();
  auto gone = std::make_shared<std::string>();
  auto customer = [=, &things = *s.things](caf::event_based_actor* self,
                                           char name) -> caf::behavior {
    auto mine = std::make_shared<lease<fake_resource>>();
    std::string kind(1, static_cast<char>('x' + random->below(kinds)));
    auto within = random->chance(hurried)
                    ? duration{random->between(1, 2'000'000'000)}
                    : duration{2min};
    things.acquire(
      self, "a", {kind, within},
      [=](lease<fake_resource> x) {
        served->push_back(name);
        *mine = std::move(x);
        cafx::send_later(self, duration{random->between(0, 1'000'000'000)},
                         done_with_it{});
      },
      [=](const caf::error& e) {
        *gone += code_of(e) == errc::deadline_exceeded ? std::string{name}
                                                       : describe(e);
      });
    return {[mine](done_with_it) { mine->give_back(); }};
  };
  auto first = s.things->acquire("a", {.params = "x"});
  const std::string all = "abcdef";
  for (auto name : all) {
    w.sim().spawn(customer, name);
    w.sim().settle();
  }
  if (w.swarm("evicted", {false, true})) {
    auto a = w.sim().probe("a");
    a.request<evicting>(s.things->front(), evict{"a"}).get();
    first->give_back();
    w.sim().settle();
    if (s.book->closed(close_reason::requested) != 1)
      throw failure("evicting", "it went to who waited and was not closed");
  }
  first->give_back();
  w.eventually("I7", [served, gone, all] {
    auto seen = *served + *gone;
    std::sort(seen.begin(), seen.end());
    return std::is_sorted(served->begin(), served->end()) && seen == all
             ? ""
             : "who waited was served so: " + *served + ", and gone are "
                 + *gone;
  });
}

void sleep_is_not_idle(world& w) {
  constexpr auto idle_timeout = 10s;
  auto& s = w.make<stage>(w, pool_options{.name = "things",
                                          .idle_timeout = idle_timeout});
  auto a = w.sim().probe("a");
  auto x = s.ask(a, "a").get();
  s.give_back(a, x);
  w.sim().settle();
  auto random = w.stream("sleep");
  w.sim().run_for(duration{random.between(0, 5'000'000'000)});
  w.sim().oversleep(duration{random.between(20, 60)} * 1'000'000'000);
  w.sim().run_for(1s);
  if (s.book->open_now() == 0)
    throw failure("I5", "a sleep of the machine counted as idle time");
  w.sim().run_for(idle_timeout + 2s);
  if (s.book->open_now() != 0)
    throw failure("I5", "it was idle for long, awake, and is still open");
}

void evicted_on_return(world& w) {
  auto wait_for_it = w.swarm("wait for it", {0, 1, 2});
  auto asked_before = w.swarm("asked before", {false, true});
  auto& s = w.make<stage>(
    w, pool_options{.name = "things", .per_key_max = 1, .waiters_max = 10});
  auto a = w.sim().probe("a");
  auto b = w.sim().probe("b");
  // A lease goes back to who waits, a message to the supervisor.
  std::optional<lease<fake_resource>> borrowed;
  std::optional<granted> ticket;
  if (w.swarm("by message", {false, true}))
    ticket = s.ask(a, "a").get();
  else
    borrowed = std::move(*s.things->acquire("a"));
  std::vector<question<granted>> waiting;
  auto come = [&] {
    for (int i = 0; i < wait_for_it; ++i)
      waiting.push_back(s.ask(b, "a"));
    w.sim().settle();
  };
  if (asked_before)
    come();
  auto asked = b.request<evicting>(s.things->front(), evict{"a"}).get();
  if (asked.resources != 1)
    throw failure("evicting", "told of " + std::to_string(asked.resources)
                                + " resources instead of 1");
  if (!asked_before)
    come();
  borrowed.reset();
  if (ticket)
    s.give_back(a, *ticket);
  w.sim().settle();
  if (s.book->closed(close_reason::requested) != 1)
    throw failure("evicting", "it came back and was not closed");
  for (auto& y : waiting)
    s.give_back(b, y.get());
}

void answered_by_deadline(world& w) {
  auto& s = w.make<stage>(
    w, pool_options{.name = "things"},
    opener_script{.open_takes = [](const open_request&) { return 5s; }});
  auto a = w.sim().probe("a");
  auto random = w.stream("deadline");
  auto within = duration{random.between(1, 2'000'000'000)};
  auto asked = w.sim().now();
  auto x = a.request<granted>(s.things->front(), acquire{"a", {}, within});
  auto ended = x.result();
  if (!w.time_waits()) // then the clock itself may be late
    return;
  if (ended || code_of(ended.error()) != errc::deadline_exceeded)
    throw failure("I6", "it was not told that its deadline is over");
  if (w.sim().now() != asked + within)
    throw failure("I6", "the answer is late by "
                          + to_text(w.sim().now() - asked - within));
}

void asked_for_what_is_used(world& w) {
  // Asleep or awake, it must not be taken.
  auto awake = w.swarm<std::size_t>("awake_max", {0, 1024});
  auto& s = w.make<stage>(
    w, pool_options{.name = "things", .total_max = 1, .awake_max = awake});
  auto a = w.sim().probe("a");
  auto b = w.sim().probe("b");
  s.give_back(a, s.ask(a, "a").get());
  w.sim().settle();
  auto of_b = s.ask(b, "b");
  for (auto n = w.stream("steps").below(5); n > 0 && w.sim().step(); --n) {
    // Somewhere on this way it is asked for.
  }
  auto begun = w.sim().now();
  if (auto used = s.things->try_acquire("a")) {
    auto id = (*used)->id;
    s.book->use_begins(id, "a");
    w.sim().settle();
    s.book->use_ends(id, "a");
    w.reached("asked for what is used");
  }
  of_b.result();
  if (w.sim().now() - begun > 1min)
    throw failure("I7", "b waited until its deadline");
}

void broken_by_the_dying(world& w) {
  auto& s = w.make<stage>(w, pool_options{.name = "things"});
  auto a = w.sim().probe("a");
  auto b = w.sim().probe("b");
  auto x = s.ask(a, "a").get();
  a.send(s.things->front(), release{x.lease, false});
  a.die();
  for (auto n = w.stream("steps").below(4); n > 0 && w.sim().step(); --n) {
    // Its death and its last word are on their way.
  }
  w.sim().settle();
  auto y = s.ask(b, "a").get();
  if (!y.fresh)
    throw failure("I3", "what a dead holder gave up was lent again");
}

void tick_comes_again(world& w) {
  auto& s = w.make<stage>(
    w, pool_options{.name = "things", .idle_timeout = 1s, .linger = 1s},
    opener_script{.open_takes = [](const open_request&) { return 5s; }});
  w.fault("tick.twice", 0.5);
  // Each deadline that is sooner than all before has the clock come sooner: its
  // next tick can be there before the last one was read.
  auto random = w.stream("deadlines");
  std::vector<question<granted>> asked;
  auto a = w.sim().probe("a");
  for (int within = 9; within > 0; --within) {
    asked.push_back(a.request<granted>(
      s.things->front(), acquire{"a", {}, duration{within * 100ms}}));
    for (auto n = random.below(6); n > 0 && w.sim().step(); --n) {
      // Some ticks are on their way.
    }
  }
  for (auto& x : asked)
    if (auto end = x.result())
      s.give_back(a, *end);
  expect_memory_back(w, s.book);
}

void oldest_goes_first(world& w) {
  pool_options limits{.name = "things"};
  // It is a key that is full, of others' params, or the pool, of other keys.
  auto one_key = w.swarm("one key", {false, true});
  (one_key ? limits.per_key_max : limits.total_max) = 2;
  auto& s = w.make<stage>(w, limits);
  auto a = w.sim().probe("a");
  auto use = [&](const std::string& what) {
    auto asked = one_key ? acquire{"k", what, 2min} : acquire{what, {}, 2min};
    auto x = a.request<granted>(s.things->front(), std::move(asked)).get();
    s.give_back(a, x);
    w.sim().run_for(1ms);
    return x;
  };
  std::vector<std::string> all{"a", "b"};
  for (const auto& x : all)
    use(x);
  // Whichever is used once more stays.
  const auto& used = all[w.stream("which").below(2)];
  use(used);
  use("c");
  if (use(used).fresh)
    throw failure("oldest first", "\"" + used + "\" was used last and is gone");
}

void missed_and_back(world& w) {
  auto awake = w.swarm<std::size_t>("awake_max", {0, 1024});
  auto way = w.swarm("way back", {'l', 'm', 'd'}); // lease, message, death
  auto& s = w.make<stage>(
    w, pool_options{.name = "things", .total_max = 1, .awake_max = awake});
  auto a = w.sim().probe("a");
  auto b = w.sim().probe("b");
  auto x = s.ask(a, "a").get();
  std::optional<lease<fake_resource>> borrowed;
  if (way == 'l') {
    s.give_back(a, x);
    w.sim().settle();
    borrowed = s.things->try_acquire("a");
  }
  auto refused = s.ask(b, "b").result();
  if (refused || code_of(refused.error()) != errc::total_full)
    throw failure("I2", "it was not told that all is in use");
  borrowed.reset();
  if (way == 'm')
    s.give_back(a, x);
  else
    a.die();
  w.sim().settle();
  if (!s.ask(b, "b").result())
    throw failure("I7", "what came back makes no room");
}

void drained_in_its_sleep(world& w) {
  auto awake = w.swarm<std::size_t>("awake_max", {0, 1});
  auto& s = w.make<stage>(w,
                          pool_options{.name = "things", .awake_max = awake});
  auto random = w.stream("uses");
  for (const auto* key : {"a", "b", "c"}) {
    auto mine = std::make_shared<lease<fake_resource>>(
      std::move(*s.things->acquire(key)));
    auto hold = duration{random.between(0, 5'000'000'000)};
    w.sim().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      cafx::send_later(self, hold, done_with_it{});
      return {[mine](done_with_it) { mine->give_back(); }};
    });
  }
  w.sim().settle();
  auto begun = w.sim().now();
  s.rt.drain(10min);
  if (auto took = w.sim().now() - begun; w.time_waits() && took > 6s)
    throw failure("I11", "a shutdown took " + to_text(took)
                           + " though all was given back within 5s");
}

void old_goes_in_time(world& w) {
  auto awake = w.swarm<std::size_t>("awake_max", {0, 16});
  auto lifetime = w.swarm<duration>("lifetime", {2s, 3500ms});
  auto others_come = w.swarm("others come", {false, true});
  const pool_options o{.name = "things",
                       .per_key_max = 2,
                       .idle_timeout = 1h,
                       .max_lifetime = lifetime,
                       .awake_max = awake};
  auto& s = w.make<stage>(w, o);
  auto a = w.sim().probe("a");
  auto opened = w.sim().now();
  auto mine = s.things->acquire("a");
  w.sim().run_for(duration{w.stream("use").between(0, 5'000'000'000)});
  auto returned = w.sim().now();
  auto due = opened; // the first tick at which it is old and nobody holds it
  while (due <= returned || due < opened + lifetime)
    due += o.tick;
  mine->give_back();
  if (others_come && w.sim().now() + 2ns < due) {
    w.sim().run_for(1ns);
    s.give_back(
      a,
      a.request<granted>(s.things->front(), acquire{"a", "other", 2min}).get());
  }
  if (!w.time_waits())
    return;
  w.sim().run_for(due - w.sim().now() - 1ns);
  if (s.book->closed() != 0)
    throw failure("I5", "it was closed before the tick at which it is due");
  w.sim().run_for(1ns);
  if (s.book->closed(close_reason::lifetime) == 0)
    throw failure("I5", "it was not closed at the tick at which it is due");
}

} // namespace explored
