// One run of a scenario: draws, faults by name, phases, the order of its end.
#include "sim_fixture.hpp"

#include <steward/messages/tick.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/storage/sqlite_store.hpp>
#include <steward/testkit/fake_opener.hpp>
#include <steward/testkit/world.hpp>

#include <map>
#include <optional>

using namespace sim_test;

namespace {

world::options seeded(std::uint64_t seed, double early_timers = 0) {
  return {.seed = seed,
          .of_sim = {.order = {.seed = seed, .early_timers = early_timers}}};
}

bool fired(const world& w, const std::string& fault) {
  return w.fired().count(fault) > 0;
}

} // namespace

// -- draws --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(each_seed_draws_one_of_the_choices) {
  std::map<int, int> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    world w{seeded(seed)};
    auto drawn = w.swarm("limit", {1, 2, 3});
    BOOST_TEST(w.swarm("limit", {1, 2, 3}) == drawn);
    ++seen[drawn];
  }
  BOOST_TEST(seen.size() == 3u);
  for (auto [choice, times] : seen)
    BOOST_TEST(times > 60, "choice " << choice << ": " << times);
}

BOOST_AUTO_TEST_CASE(draws_of_different_names_do_not_depend_on_each_other) {
  std::map<std::pair<int, int>, int> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    world w{seeded(seed)};
    ++seen[{w.swarm("a", {0, 1}), w.swarm("b", {0, 1})}];
  }
  BOOST_TEST(seen.size() == 4u);
  for (auto [pair, times] : seen)
    BOOST_TEST(times > 60);
}

// -- faults -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fault_fires_as_often_as_told_and_that_it_did_is_known) {
  world w{seeded(1)};
  BOOST_TEST(!w.fires("of my own"));
  BOOST_TEST(!w.has_fault("of my own"));
  w.fault("of my own", 0.25);
  BOOST_TEST(w.has_fault("of my own"));
  int times = 0;
  for (int i = 0; i < 1000; ++i)
    times += w.fires("of my own") ? 1 : 0;
  BOOST_TEST(times > 200);
  BOOST_TEST(times < 300);
  BOOST_TEST(fired(w, "of my own"));
  w.fault("never", 0);
  BOOST_TEST(!w.has_fault("never"));
  BOOST_TEST(!w.fires("never"));
  BOOST_TEST(!fired(w, "never"));
}

BOOST_AUTO_TEST_CASE(one_fault_does_not_shift_another) {
  auto fires = [](bool with_other) {
    world w{seeded(7)};
    w.fault("a", 0.5);
    w.fault("b", 0.5);
    std::string result;
    for (int i = 0; i < 50; ++i) {
      if (with_other)
        w.fires("b");
      result += w.fires("a") ? '1' : '0';
    }
    return result;
  };
  BOOST_TEST(fires(true) == fires(false));
}

BOOST_AUTO_TEST_CASE(no_fault_fires_when_all_is_fair) {
  world w{seeded(1)};
  w.fault("of my own", 1);
  std::string seen;
  auto a = w.sim().spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](ping) {
      seen += w.chaos() ? 'c' : 'f';
      seen += w.fires("of my own") ? '!' : '.';
    }};
  });
  for (int i = 0; i < 4; ++i)
    cafx::send_anon(a, ping{});
  w.run(3, 100); // it starts, and two of them
  BOOST_TEST(seen == "c!c!f.f.");
}

BOOST_AUTO_TEST_CASE(who_is_mortal_dies_one_at_a_time) {
  world w{seeded(1)};
  w.fault("holder.dies", 1);
  std::vector<caf::actor> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(w.sim().spawn(echo, 1));
    w.mortal(all.back());
  }
  auto immortal = w.sim().spawn(echo, 1);
  w.sim().settle();
  for (auto& x : all)
    BOOST_TEST((caf::actor_cast<caf::abstract_actor*>(x)->getf(
      caf::abstract_actor::is_terminated_flag)));
  w.sim().call(immortal, "immortal");
  BOOST_TEST(w.sim().not_quiescent() == "actor immortal is still there");
}

BOOST_AUTO_TEST_CASE(timers_are_late_by_up_to_twenty_seconds) {
  world w{seeded(3)};
  w.fault("tick.late", 0.5);
  std::vector<duration> seen;
  w.sim().spawn(metronome, &w.sim(), &seen);
  w.sim().run_for(10min);
  int late = 0;
  duration before{0};
  for (auto at : seen) {
    auto by = at - before - 1s;
    BOOST_TEST((by >= 0s));
    BOOST_TEST((by <= 20s));
    late += by > 0s ? 1 : 0;
    before = at;
  }
  BOOST_TEST(late * 4 > static_cast<int>(seen.size()));
  BOOST_TEST(late < static_cast<int>(seen.size()));
}

BOOST_AUTO_TEST_CASE(ticks_come_twice_and_other_messages_do_not) {
  world w{seeded(3)};
  w.fault("tick.twice", 0.5);
  std::uint64_t ticks = 0;
  std::uint64_t pings = 0;
  auto a = w.sim().spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](const cleanup_tick&) { ++ticks; }, [&](ping) { ++pings; }};
  });
  for (int i = 0; i < 100; ++i) {
    cafx::send_anon(a, cleanup_tick{});
    cafx::send_anon(a, ping{});
  }
  w.sim().settle();
  BOOST_TEST(pings == 100u);
  BOOST_TEST(ticks > 130u);
}

BOOST_AUTO_TEST_CASE(time_waits_unless_something_makes_it_early_or_late) {
  BOOST_TEST(world{seeded(1)}.time_waits());
  BOOST_TEST(!world{seeded(1, 0.1)}.time_waits());
  world w{seeded(1)};
  w.fault("tick.late", 0.1);
  BOOST_TEST(!w.time_waits());
}

// -- faults of a store --------------------------------------------------------

namespace {

record_write row(const std::string& name) {
  record draft;
  draft.name = name;
  return create_record{draft};
}

std::optional<store_errc> write_fails_with(record_store& store,
                                           const record_write& what) {
  try {
    store.write(std::span{&what, 1}, 1s);
  } catch (const store_failure& x) {
    return x.code();
  }
  return std::nullopt;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_store_fails_before_or_after_it_has_written) {
  for (const auto* fault : {"db.commit.before", "db.commit.after", "none"}) {
    world w{seeded(1)};
    w.fault(fault, 1);
    auto store = w.faulty(std::make_unique<sqlite_store>(":memory:", 1s));
    auto failed = write_fails_with(*store, row("a"));
    auto rows = store->list("", 1s).size();
    auto is = [&](const char* name) { return std::string{fault} == name; };
    BOOST_TEST((failed == std::optional{store_errc::busy})
               == is("db.commit.before"));
    BOOST_TEST((failed == std::optional{store_errc::io})
               == is("db.commit.after"));
    BOOST_TEST(rows == (is("db.commit.before") ? 0u : 1u));
    BOOST_TEST(fired(w, fault) == !is("none"));
    std::vector<std::string> names{"a"};
    BOOST_TEST(store->find(names, 1s).at(0).has_value() == (rows == 1));
    BOOST_TEST(store->where() == sqlite_store(":memory:", 1s).where());
  }
}

// -- a runtime in it ----------------------------------------------------------

namespace {

// Borrows once, and says how long that took.
duration time_of_borrowing(world& w, opener_script script) {
  auto book = std::make_shared<truth>(
    truth_limits{}, [&w](failure x) { w.sim().report(std::move(x)); },
    [&w] { return w.sim().now(); });
  runtime rt{w.sim().system(), {.workers = 1}, w.surroundings()};
  auto things
    = rt.make_pool<fake_resource>({.name = "things", .open_timeout = 1min},
                                  fake_opener{book, std::move(script)});
  auto start = w.sim().now();
  auto lease = things.acquire("a");
  BOOST_TEST(static_cast<bool>(lease));
  auto result = w.sim().now() - start;
  lease = caf::error{};
  rt.drain(1min);
  BOOST_TEST(book->open_now() == 0u);
  w.sim().expect_quiescent();
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_runtime_runs_in_virtual_time) {
  world w{seeded(1)};
  BOOST_TEST((time_of_borrowing(w, {}) == 0s));
  BOOST_TEST((
    time_of_borrowing(w, {.open_takes = [](const open_request&) { return 7s; }})
    == 7s));
}

BOOST_AUTO_TEST_CASE(openers_are_slow_if_told) {
  world w{seeded(1)};
  w.fault("open.slow", 1);
  auto took = time_of_borrowing(w, {});
  BOOST_TEST((took > 0s));
  BOOST_TEST((took <= 5s));
  BOOST_TEST(fired(w, "open.slow"));
}

BOOST_AUTO_TEST_CASE(a_runtime_that_would_block_is_refused) {
  world w{seeded(1)};
  BOOST_CHECK_EXCEPTION(
    runtime{w.sim().system()}, invalid_options, [](const invalid_options& x) {
      return std::string{x.what()}.find("simulated") != std::string::npos;
    });
  w.sim().expect_quiescent();
}

BOOST_AUTO_TEST_CASE(a_runtime_keeps_its_records_in_memory) {
  world w{seeded(1)};
  runtime rt{w.sim().system(),
             {.records = "sqlite:/nowhere/at/all", .owner = "test"},
             w.surroundings()};
  record_request wanted{"a", "", "", ""};
  auto answer = rt.records().get_or_create(wanted);
  BOOST_TEST((answer.verdict == record_verdict::created));
  BOOST_TEST(rt.records().get_or_create(wanted).row.id == answer.row.id);
}

// -- phases and the end -------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_goes_on_for_ever_goes_on_for_so_many_steps) {
  world w{seeded(1)};
  std::vector<duration> seen;
  w.sim().spawn(metronome, &w.sim(), &seen);
  w.run(10, 30);
  BOOST_TEST(w.sim().steps() == 40u);
}

BOOST_AUTO_TEST_CASE(what_was_made_last_goes_first_and_before_the_simulation) {
  struct part {
    std::string* log;
    char name;
    sim* where;

    part(std::string* to, char me, sim* in) : log(to), name(me), where(in) {
    }
    ~part() {
      *log += name;
      where->spawn(echo, 1); // there still is one
    }
  };
  std::string log;
  {
    world w{seeded(1)};
    w.make<part>(&log, 'a', &w.sim());
    w.make<part>(&log, 'b', &w.sim());
    BOOST_TEST(log == "");
  }
  BOOST_TEST(log == "ba");
}

BOOST_AUTO_TEST_CASE(what_ends_with_it_may_use_it) {
  struct last_act {
    std::function<void()> what;
    ~last_act() {
      what();
    }
  };
  std::string log;
  {
    world w{seeded(1)};
    w.fault("in the end", 1);
    auto act = std::make_shared<last_act>();
    act->what = [&] {
      w.reached("the end");
      log += w.fires("in the end") ? '!' : '.';
      log += std::to_string(w.stream("x").below(1));
      w.violated("too late", "to matter");
    };
    w.sim().spawn([act](caf::event_based_actor* self) -> caf::behavior {
      return {[act, me = caf::actor{self}](ping) {}};
    });
    act.reset();
    w.sim().settle();
  }
  BOOST_TEST(log == "!0");
}
