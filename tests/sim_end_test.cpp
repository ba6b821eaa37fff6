// Who may not live in a simulation, who is left in the end, and that ending it
// is possible in the middle of anything.
#include "sim_fixture.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace sim_test;

// -- who is left --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(nothing_is_left_of_nothing) {
  sim s;
  s.expect_quiescent();
  auto p = s.probe("p"); // probes belong to the test
  s.expect_quiescent();
  p.die();
  s.expect_quiescent();
}

BOOST_AUTO_TEST_CASE(an_actor_that_is_left_is_named) {
  sim s;
  auto a = s.spawn(echo, 1);
  s.call(a, "parrot");
  BOOST_TEST(failure_of([&] { s.expect_quiescent(); })
             == "not quiescent: actor parrot is still there");
  s.kill(a);
  s.expect_quiescent();
}

BOOST_AUTO_TEST_CASE(an_actor_that_never_had_mail_is_left_too) {
  sim s;
  auto a = s.system().spawn<caf::lazy_init>(echo, 1);
  BOOST_TEST(s.not_quiescent()
             == "an actor is still there that never had mail");
  s.kill(a);
  s.expect_quiescent();
}

BOOST_AUTO_TEST_CASE(a_timer_that_is_left_is_told_with_its_time) {
  sim s;
  auto a = s.spawn(echo, 1);
  s.settle();
  caf::delayed_anon_send(a, 1500ms, ping{});
  BOOST_TEST(s.not_quiescent() == "a timer is set for 1500 ms from now");
  s.kill(a);
  s.settle();
  BOOST_TEST(s.has_timer()); // for the dead, which does nothing
  s.expect_quiescent();
}

BOOST_AUTO_TEST_CASE(a_question_that_is_left_is_told_with_its_text) {
  sim s;
  auto p = s.probe("p");
  auto a = s.spawn(echo, 1);
  s.call(a, "parrot");
  auto q = p.request<pong>(a, lost{});
  BOOST_TEST(s.not_quiescent()
             == "not answered: p asked parrot for pong with lost");
}

BOOST_AUTO_TEST_CASE(who_is_killed_reads_no_more_mail) {
  sim s;
  int seen = 0;
  auto a = s.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](ping) { ++seen; }};
  });
  s.settle();
  cafx::send_anon(a, ping{});
  s.kill(a);
  s.settle();
  BOOST_TEST(seen == 0);
}

// -- threads ------------------------------------------------------------------

namespace {

// What actors with a thread of their own did; nobody waits for them.
std::atomic<int> did{0};

void blocking(caf::blocking_actor*, int) {
  ++did;
}

caf::behavior detached(caf::event_based_actor*, int) {
  ++did;
  return {[](ping) { ++did; }};
}

// How many threads there are that CAF calls so.
int threads_called(const std::string& wanted) {
  int result = 0;
  for (const auto& x : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream in{x.path() / "comm"};
    std::string name;
    result += std::getline(in, name) && name == wanted ? 1 : 0;
  }
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(whoever_spawns_an_actor_with_a_thread_is_named) {
  for (auto blocks : {true, false}) {
    sim s;
    auto a = s.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {[=](ping) {
        if (blocks)
          self->spawn<caf::detached>(blocking, 0);
        else
          self->spawn<caf::detached>(detached, 0);
      }};
    });
    s.call(a, "forker");
    cafx::send_anon(a, ping{});
    BOOST_TEST(failure_of([&] { s.settle(); })
               == "an actor with a thread of its own: actor forker spawned "
                  "another, which is detached or blocking and cannot be "
                  "simulated; make the spawn option a parameter");
  }
}

BOOST_AUTO_TEST_CASE(the_test_is_named_if_it_was_the_test) {
  {
    sim s;
    auto innocent = s.spawn(echo, 1);
    s.system().spawn<caf::detached>(detached, 0);
    BOOST_TEST(contains(failure_of([&] { s.settle(); }),
                        ": the test spawned an actor, which is detached"));
  }
  sim alone;
  alone.system().spawn<caf::detached>(detached, 0);
  BOOST_TEST(contains(failure_of([&] { alone.settle(); }),
                      ": the test spawned an actor, which is detached"));
}

BOOST_AUTO_TEST_CASE(who_is_refused_has_done_nothing) {
  constexpr int times = 50;
  auto before = threads_called("caf.actor");
  for (int i = 0; i < times; ++i) {
    sim s;
    auto a = s.system().spawn<caf::detached>(detached, 0);
    cafx::send_anon(a, ping{});
    BOOST_TEST(failure_of([&] { s.step(); }) != "");
  }
  for (int i = 0; i < times; ++i) {
    sim s;
    s.system().spawn<caf::detached>(blocking, 0);
    BOOST_TEST(failure_of([&] { s.step(); }) != "");
  }
  // They all come as far as they ever do; then there is time for more.
  while (threads_called("caf.actor") < before + 2 * times)
    std::this_thread::yield();
  for (int i = 0; i < 2'000; ++i)
    std::this_thread::yield();
  BOOST_TEST(did == 0);
}

BOOST_AUTO_TEST_CASE(a_logger_may_have_its_thread) {
  folder f;
  caf::actor_system_config cfg;
  cfg.set("logger.file-verbosity", caf::atom("trace"));
  cfg.set("logger.file-name", (f.path() / "log").string());
  auto with_logger = [] { return threads_called("caf.logger") == 1; };
  {
    sim s{cfg};
    while (!with_logger())
      std::this_thread::yield();
  } // waits for its end
  while (with_logger())
    std::this_thread::yield();
}

namespace {

class forker final : public caf::event_based_actor {
public:
  explicit forker(caf::actor_config& cfg) : caf::event_based_actor(cfg) {
    spawn<caf::detached>(detached, 0);
  }

  caf::behavior make_behavior() override {
    return {[](ping) {}};
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(also_at_once_by_the_kind_of_what_the_test_spawned) {
  {
    sim s;
    auto text = failure_of([&] { s.spawn<forker>(); });
    BOOST_TEST(contains(text, ": the test spawned forker (actor "), text);
  }
}

// -- who lives -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(those_who_live_are_counted_by_the_name_that_caf_has) {
  sim s;
  auto p = s.probe("p");
  std::string_view name = "scheduled_actor";
  auto before = s.living(name); // the probe
  auto a = s.spawn(echo, 1);
  auto b = s.spawn(echo, 2);
  BOOST_TEST(s.living(name) == before); // they have not begun
  s.settle();
  BOOST_TEST(s.living(name) == before + 2);
  BOOST_TEST(s.living("somebody else") == 0u);
  s.kill(a);
  s.settle();
  BOOST_TEST(s.living(name) == before + 1);
}

// -- tear-down ----------------------------------------------------------------

namespace {

using token = std::shared_ptr<int>;

// Whatever is left of actors and messages after the simulation holds a token.
template <class F>
void nothing_is_left_of(F f) {
  token mine = std::make_shared<int>();
  {
    sim s;
    f(s, mine);
  }
  BOOST_TEST(mine.use_count() == 1);
}

struct carried {
  token what;
};

} // namespace

STEWARD_MESSAGE(carried)

namespace {

caf::behavior keeper(caf::event_based_actor*, token) {
  return {[](const carried&) {}};
}

} // namespace

BOOST_AUTO_TEST_CASE(it_can_end_before_the_first_step) {
  nothing_is_left_of([](sim& s, const token& t) {
    auto a = s.spawn(keeper, t);
    cafx::send_anon(a, carried{t});
  });
}

BOOST_AUTO_TEST_CASE(it_can_end_with_mail_and_timers_on_the_way) {
  nothing_is_left_of([](sim& s, const token& t) {
    auto a = s.spawn(keeper, t);
    s.settle();
    cafx::send_anon(a, carried{t});
    caf::delayed_anon_send(a, 1h, carried{t});
  });
}

BOOST_AUTO_TEST_CASE(
  it_can_end_with_actors_that_hold_themselves_and_each_other) {
  nothing_is_left_of([](sim& s, const token& t) {
    for (auto started : {false, true}) {
      s.spawn([t](caf::event_based_actor* self) -> caf::behavior {
        return {[me = caf::actor{self}, t](ping) {}};
      });
      if (started)
        s.settle();
    }
  });
}

BOOST_AUTO_TEST_CASE(it_can_end_with_open_questions_and_promises) {
  nothing_is_left_of([](sim& s, const token& t) {
    auto p = s.probe("p");
    auto server = s.spawn([t](caf::event_based_actor* self) -> caf::behavior {
      auto kept = std::make_shared<caf::response_promise>();
      return {[=](ping) {
        static_cast<void>(t);
        *kept = self->make_response_promise();
        return *kept;
      }};
    });
    s.spawn([t, server](caf::event_based_actor* self) -> caf::behavior {
      cafx::request(self, server, ping{}).then([t](const pong&) {});
      return {[](pong) {}};
    });
    p.request<pong>(server, ping{});
    s.settle();
    p.request<pong>(server, ping{});
  });
}

BOOST_AUTO_TEST_CASE(it_can_end_with_probes_that_were_asked) {
  nothing_is_left_of([](sim& s, const token& t) {
    auto p = s.probe("p");
    s.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      cafx::request(self, p.actor(), carried{t}).then([t](const pong&) {});
      return {[](pong) {}};
    });
    s.settle();
    BOOST_TEST(p.mailbox().size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(it_can_end_with_actors_that_act_in_the_end) {
  struct last_act {
    std::function<void()> what;
    ~last_act() {
      what();
    }
  };
  int acts = 0;
  nothing_is_left_of([&](sim& s, const token& t) {
    auto other = s.spawn(keeper, t);
    auto act = std::make_shared<last_act>();
    act->what = [&, other, t] {
      ++acts;
      // Another one that nobody has met, and a message to who may be dead.
      cafx::send_anon(s.spawn(keeper, t), carried{t});
      cafx::send_anon(other, carried{t});
      s.report(failure{"too late", "to matter"});
    };
    s.spawn([act, t](caf::event_based_actor* self) -> caf::behavior {
      return {[act, t, me = caf::actor{self}](ping) {}};
    });
    act.reset();
    s.settle();
  });
  BOOST_TEST(acts == 1);
}

BOOST_AUTO_TEST_CASE(nobody_hears_of_the_end) {
  std::string heard;
  nothing_is_left_of([&](sim& s, const token& t) {
    auto a = s.spawn(keeper, t);
    s.spawn([&, a](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(a);
      self->set_down_handler([&](caf::down_msg&) { heard += "down "; });
      self->set_exit_handler([&](caf::exit_msg&) { heard += "exit "; });
      return {[&, me = caf::actor{self}](ping) { heard += "ping "; }};
    });
    s.settle();
    s.kill(a);
    s.step(); // it is dead, and nobody has heard of it yet
  });
  BOOST_TEST(heard == "");
}

BOOST_AUTO_TEST_CASE(it_can_end_after_a_failure_in_a_step) {
  nothing_is_left_of([](sim& s, const token& t) {
    s.spawn(keeper, t);
    auto a = s.spawn(echo, 1);
    cafx::send_anon(a, bad{});
    cafx::send_anon(a, carried{t});
    BOOST_TEST(contains(failure_of([&] { s.settle(); }), "an exception"));
  });
}

BOOST_AUTO_TEST_CASE(nobody_can_wait_for_anything_in_the_end) {
  std::string refused;
  nothing_is_left_of([&](sim& s, const token& t) {
    auto p = s.probe("p");
    auto a = s.spawn(echo, 1);
    struct last_wish {
      std::function<void()> what;
      ~last_wish() {
        what();
      }
    };
    auto wish = std::make_shared<last_wish>();
    wish->what = [&refused, a, p, t]() mutable {
      refused = failure_of([&] { p.request<pong>(a, ping{}).get(); });
    };
    s.spawn([wish](caf::event_based_actor*) -> caf::behavior {
      return {[wish](ping) {}};
    });
    wish.reset();
    s.settle();
  });
  BOOST_TEST(contains(refused, "a call that blocks"), refused);
}

BOOST_AUTO_TEST_CASE(simulations_do_not_know_of_each_other) {
  sim one;
  sim two;
  one.spawn(echo, 1);
  one.run_for(1h);
  BOOST_TEST(two.steps() == 0u);
  BOOST_TEST((two.now() == sim_options{}.start));
  two.expect_quiescent();
}

BOOST_AUTO_TEST_CASE(a_configuration_of_ones_own_is_used) {
  caf::actor_system_config cfg;
  sim s{cfg};
  BOOST_TEST(&s.system().config() == &cfg);
  BOOST_TEST(s.probe("p").request<pong>(s.spawn(echo, 1), ping{}).get().n == 1);
}

BOOST_AUTO_TEST_CASE(modules_of_caf_are_refused_before_they_run) {
  caf::actor_system_config cfg;
  cfg.module_factories.emplace_back(
    [](caf::actor_system&) -> caf::actor_system::module* {
      throw std::logic_error{"it was made"};
    });
  BOOST_TEST(failure_of([&] { sim{cfg}; })
             == "a configuration with modules: it loads a module of CAF, such "
                "as io::middleman, which has threads of its own; give the "
                "simulation one that loads none");
}

BOOST_AUTO_TEST_CASE(only_the_thread_that_made_it_runs_a_simulation) {
  sim s;
  auto a = s.spawn(echo, 1);
  auto p = s.probe("p");
  std::string of_another;
  std::thread{[&] { of_another = failure_of([&] { s.settle(); }); }}.join();
  BOOST_TEST(
    of_another
    == "a simulation in two threads: only the thread that made it runs "
       "it; whoever waits for its actors elsewhere would run it, too");
  s.settle(); // as ever
}

BOOST_AUTO_TEST_CASE(a_configuration_is_good_for_others_after_a_simulation) {
  caf::actor_system_config cfg;
  {
    sim s{cfg};
    auto p = s.probe("p");
    s.settle();
  }
  caf::actor_system real{cfg};
  caf::scoped_actor self{real};
  std::string answers;
  for (const auto& who :
       {real.spawn(echo, 1), real.spawn<caf::detached>(echo, 1)})
    self->request(who, 20s, ping{7})
      .receive([&](pong x) { answers += std::to_string(x.n) + " "; },
               [&](const caf::error& e) {
                 answers += std::to_string(e.code());
               });
  BOOST_TEST(answers == "8 8 "); // an echo adds one
}
