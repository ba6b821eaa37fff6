// Whose fault it is: what a rule throws, what a destructor reports, which names
// belong to faults; and that one campaign does not disturb another.
#include "exploration_fixture.hpp"

#include <steward/actors/log.hpp>

#include <functional>
#include <latch>
#include <thread>

using namespace sim_test;

namespace {

run_result run_of(const scenario& what) {
  return run_once({.name = "verdicts"}, what, {1});
}

} // namespace

// -- what a rule throws -------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_a_rule_throws_names_the_rule) {
  auto broken = []() -> bool { throw std::out_of_range{"no key 7"}; };
  using add = std::function<void(world&)>;
  for (const add& rule :
       {add{[=](world& w) { w.always("mine", broken); }},
        add{[=](world& w) { w.at_rest("mine", broken); }},
        add{[=](world& w) { w.eventually("mine", broken); }},
        add{[=](world& w) { w.sometimes("mine", broken); }}}) {
    auto r = run_of(rule);
    BOOST_TEST(r.violated == "mine");
    BOOST_TEST(r.detail == "its function throws out_of_range: no key 7");
  }
  auto r = run_of([](world& w) { w.finally([] { throw 7; }); });
  BOOST_TEST(r.violated == "finally");
  BOOST_TEST(r.detail
             == "its function throws something that is no std::exception; has "
                "an assertion of the test framework failed?");
}

BOOST_AUTO_TEST_CASE(what_has_a_name_keeps_it) {
  auto r = run_of([](world& w) {
    w.always("mine", []() -> bool { throw failure{"limit", "9 > 8"}; });
  });
  BOOST_TEST(r.violated == "limit");
  BOOST_TEST(r.detail == "9 > 8");
  BOOST_TEST(report_of_exploring({.name = "verdicts"},
                                 [](world& w) {
                                   w.finally([] {
                                     throw misuse{"bad test", "no table"};
                                   });
                                 })
             == "bad test: no table; in verdicts, seed 1");
}

BOOST_AUTO_TEST_CASE(an_exception_is_told_with_its_type) {
  auto r = run_of([](world&) { throw std::out_of_range{"no key 7"}; });
  BOOST_TEST(r.violated == "an exception");
  BOOST_TEST(r.detail == "out_of_range: no key 7");
}

BOOST_AUTO_TEST_CASE(a_description_that_throws_does_not_hide_the_violation) {
  auto text
    = report_of_exploring({.name = "verdicts", .seeds = 1}, [](world& w) {
        w.sim().describe<ping>(
          [](const ping&) -> std::string { throw std::out_of_range{"no"}; });
        auto a = w.sim().spawn(echo, 1);
        w.sim().call(a, "echo");
        cafx::send_anon(a, ping{1});
        w.eventually("mine", [] { return false; });
      });
  BOOST_TEST(text.starts_with("mine: it does not hold\n"), text);
  BOOST_TEST(contains(text, "echo: ping, whose description throws "
                            "out_of_range: no\n"),
             text);
}

// -- what a destructor reports ------------------------------------------------

namespace {

class tells_when_it_goes {
public:
  tells_when_it_goes(world& where, const char* what)
    : where_(where), what_(what) {
  }

  tells_when_it_goes(const tells_when_it_goes&) = delete;
  tells_when_it_goes& operator=(const tells_when_it_goes&) = delete;

  ~tells_when_it_goes() {
    where_.violated("left open", what_);
  }

private:
  world& where_;
  const char* what_;
};

} // namespace

BOOST_AUTO_TEST_CASE(what_is_reported_when_a_run_ends_fails_it) {
  // By what the scenario made, and by the state of an actor.
  auto made = run_of([](world& w) { w.make<tells_when_it_goes>(w, "made"); });
  BOOST_TEST(made.violated == "left open");
  BOOST_TEST(made.detail == "made");
  auto state = run_of([](world& w) {
    w.sim().spawn(
      [all = std::make_shared<tells_when_it_goes>(w, "state")](
        caf::event_based_actor*) -> caf::behavior { return {[all](ping) {}}; });
  });
  BOOST_TEST(state.violated == "left open");
  BOOST_TEST(state.detail == "state");
  auto text = report_of_exploring({.name = "verdicts"}, [](world& w) {
    w.make<tells_when_it_goes>(w, "made");
  });
  BOOST_TEST(text.starts_with("left open: made\n  in verdicts, seed 1,"), text);
}

BOOST_AUTO_TEST_CASE(what_failed_before_counts) {
  auto r = run_of([](world& w) {
    w.make<tells_when_it_goes>(w, "last");
    w.eventually("mine", [] { return false; });
  });
  BOOST_TEST(r.violated == "mine");
}

BOOST_AUTO_TEST_CASE(who_is_killed_when_a_run_ends_has_done_nothing_wrong) {
  auto r = run_of([](world& w) {
    auto p = w.sim().probe("p");
    auto e = w.sim().spawn(echo, 1);
    p.act([&](caf::event_based_actor* self) {
      cafx::request(self, e, lost{}).then([](const pong&) {}); // is lost
    });
    cafx::send_anon(w.sim().spawn(restless), tick{});
    w.sim().step();
  });
  BOOST_TEST(r.violated == "it does not come to rest");
  r = run_of([](world& w) {
    auto e = w.sim().spawn(echo, 1);
    w.sim().spawn([e](caf::event_based_actor* self) -> caf::behavior {
      cafx::request(self, e, lost{}).then([](const pong&) {});
      return {[](ping) {}};
    });
  });
  BOOST_TEST(r.violated == "");
}

// -- names --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fault_that_happens_reaches_no_situation_of_its_name) {
  explore_options o{.name = "verdicts", .seeds = 5};
  auto text = report_of_exploring(o, [](world& w) {
    w.fault("x", 1);
    w.fires("x");
    w.sometimes("x", [] { return false; });
  });
  BOOST_TEST(text == "never reached: \"x\" in 5 runs of verdicts");
  auto c = explore(o, [](world& w) {
    w.fault("x", w.seed() <= 2 ? 1 : 0);
    w.fires("x");
  });
  BOOST_TEST(c.fired.at("x") == 2u);
  BOOST_TEST(c.situations.count("x") == 0u);
}

// -- two campaigns at a time --------------------------------------------------

BOOST_AUTO_TEST_CASE(campaigns_of_two_threads_leave_the_logs_as_they_were) {
  auto& logger = logger_of(log_parts[0]);
  auto before = logger.level();
  logger.set_level(spdlog::level::info);
  // The first to begin ends while the other is under way.
  std::latch first_is_in{1};
  std::latch second_is_in{1};
  std::latch first_is_over{1};
  auto during = spdlog::level::info;
  auto campaign = [](const std::function<void()>& inside) {
    explore({.name = "verdicts", .seeds = 1, .recheck = 0},
            [&](world&) { inside(); });
  };
  std::thread first{[&] {
    campaign([&] {
      first_is_in.count_down();
      second_is_in.wait();
    });
    first_is_over.count_down();
  }};
  first_is_in.wait();
  campaign([&] {
    second_is_in.count_down();
    first_is_over.wait();
    during = logger.level();
  });
  first.join();
  BOOST_TEST(during == spdlog::level::off);
  BOOST_TEST(logger.level() == spdlog::level::info);
  logger.set_level(before);
}
