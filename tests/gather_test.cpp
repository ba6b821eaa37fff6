// Actors that ask others; see gather_threads_test.cpp for threads.
#include "pool_fixture.hpp"

#include <caf/scheduler/test_coordinator.hpp>

using namespace pool_test;
using testkit::ask;
using testkit::gather;
using testkit::return_exceptions;
namespace on_error = testkit::on_error;

namespace gather_cases {

struct question {
  int n = 0;
};

struct answer {
  int n = 0;
};

// Kept until its receiver hears `now_answer`, or dies with it.
struct hush {
  int n = 0;
};

struct now_answer {};
struct stop {};

/// What receivers were told, by any of them.
struct notes {
  std::mutex guard;
  std::vector<caf::actor_id> stopped;

  std::size_t count() {
    std::lock_guard lock{guard};
    return stopped.size();
  }
};

} // namespace gather_cases

STEWARD_MESSAGE(gather_cases::question)
STEWARD_MESSAGE(gather_cases::answer)
STEWARD_MESSAGE(gather_cases::hush)
STEWARD_MESSAGE(gather_cases::now_answer)
STEWARD_MESSAGE(gather_cases::stop)

using namespace gather_cases;

namespace {

struct doubler_state {
  doubler_state() = default;

  static constexpr const char* name = "doubler";
  std::vector<caf::response_promise> kept;
};

caf::behavior doubling(caf::stateful_actor<doubler_state>* self, int refuses,
                       std::shared_ptr<notes> seen) {
  cafx::drop_unknown(self);
  return {
    [=](const question& q) -> caf::result<answer> {
      if (q.n == refuses)
        return caf::make_error(caf::sec::bad_function_call);
      return answer{2 * q.n};
    },
    [=](const hush&) -> caf::result<answer> {
      auto promise = self->make_response_promise();
      cafx::state(self).kept.push_back(promise);
      return promise;
    },
    [=](now_answer) {
      for (auto& x : cafx::state(self).kept)
        x.deliver(answer{-1});
      cafx::state(self).kept.clear();
    },
    [=](stop) {
      std::lock_guard lock{seen->guard};
      seen->stopped.push_back(self->id());
    },
  };
}

std::vector<ask<question>> questions(const caf::actor& to, int n) {
  std::vector<ask<question>> result;
  for (int i = 0; i < n; ++i)
    result.push_back({to, {i}});
  return result;
}

struct fixture {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  std::shared_ptr<notes> seen = std::make_shared<notes>();
  std::vector<caf::actor> spawned;
  caf::actor doubler = spawn();

  caf::actor spawn() {
    spawned.push_back(sys.spawn(doubling, 3, seen));
    return spawned.back();
  }

  static void kill(const caf::actor& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
  }

  ~fixture() {
    for (auto& x : spawned)
      kill(x);
  }
};

// Runs `f(self)` in an actor that lives until the fixture's end.
template <class F>
void as_actor(fixture& in, F f) {
  in.spawned.push_back(in.sys.spawn(
    [](caf::event_based_actor* self, F fun) -> caf::behavior {
      fun(self);
      return {[](stop) {}};
    },
    std::move(f)));
}

// Gathers from an actor; `options` go between the asks and the callback.
template <class Result, class Message, class... Ts>
Result gathered(fixture& in, std::vector<ask<Message>> asks, Ts... options) {
  auto said = std::make_shared<std::promise<Result>>();
  auto result = said->get_future();
  as_actor(in, [=](caf::event_based_actor* self) {
    gather<answer>(self, asks, options...,
                   [said](Result x) { said->set_value(std::move(x)); });
  });
  return need(std::move(result));
}

using values = caf::expected<std::vector<answer>>;
using results = std::vector<caf::expected<answer>>;

std::string text(const caf::error& e) {
  return describe(e);
}

bool contains(const std::string& all, const std::string& part) {
  return all.find(part) != all.npos;
}

std::string id_of(const caf::actor& x) {
  return std::to_string(x.id());
}

} // namespace

// -- from an actor ------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(an_actor_asks_all_at_once_and_has_all_in_order,
                        fixture) {
  auto all = gathered<results>(*this, questions(doubler, 100),
                               return_exceptions);
  BOOST_REQUIRE(all.size() == 100u);
  for (int i = 0; i < 100; ++i) {
    auto& x = all[static_cast<std::size_t>(i)];
    if (i == 3)
      BOOST_TEST((x.error() == caf::sec::bad_function_call));
    else
      BOOST_TEST(need(x).n == 2 * i);
  }
  auto three = need(gathered<values>(*this, questions(doubler, 3)));
  BOOST_REQUIRE(three.size() == 3u);
  BOOST_TEST(three[2].n == 4);
}

BOOST_FIXTURE_TEST_CASE(an_actor_that_asks_nobody_is_done_at_once, fixture) {
  auto at_once = std::make_shared<std::promise<bool>>();
  auto result = at_once->get_future();
  as_actor(*this, [at_once](caf::event_based_actor* self) {
    int calls = 0;
    gather<answer>(self, std::vector<ask<question>>{},
                   [&](values x) { calls += x && x->empty() ? 1 : 9; });
    gather<answer>(self, std::vector<ask<question>>{}, return_exceptions,
                   [&](results x) { calls += x.empty() ? 1 : 9; });
    at_once->set_value(calls == 2);
  });
  auto good = need(std::move(result));
  BOOST_TEST(good);
  BOOST_TEST(need(gather<answer>(sys, questions(doubler, 0))).empty());
  BOOST_TEST(
    gather<answer>(sys, questions(doubler, 0), return_exceptions).empty());
}

BOOST_FIXTURE_TEST_CASE(the_callback_runs_in_the_actor_that_asks, fixture) {
  auto said = std::make_shared<std::promise<bool>>();
  auto result = said->get_future();
  auto to = doubler;
  as_actor(*this, [said, to](caf::event_based_actor* self) {
    auto here = std::make_shared<bool>(true); // not before `gather` returns
    gather<answer>(self, questions(to, 2), [=](values) {
      auto who = cafx::sender(self); // of the answer
      said->set_value(!*here && who == to.address());
    });
    *here = false;
  });
  auto good = need(std::move(result));
  BOOST_TEST(good);
}

BOOST_FIXTURE_TEST_CASE(an_actor_hears_the_first_error_and_others_run_on,
                        fixture) {
  auto slow = spawn();
  std::vector<ask<hush>> asks{{slow, {}}, {caf::actor{}, {}}, {slow, {}}};
  auto state = std::make_shared<
    std::promise<std::shared_ptr<const testkit::gathering<answer>>>>();
  auto open = state->get_future();
  auto said = std::make_shared<std::promise<values>>();
  auto result = said->get_future();
  as_actor(*this, [=](caf::event_based_actor* self) {
    state->set_value(gather<answer>(self, asks, [said](values x) {
      said->set_value(std::move(x));
    }));
  });
  auto first = need(std::move(result));
  BOOST_TEST((first.error() == caf::sec::invalid_argument));
  auto all = need(std::move(open));
  BOOST_TEST(all->missing() == (std::vector<std::size_t>{0, 2}));
  BOOST_TEST(all->missing_names()
             == "#0 doubler (actor " + id_of(slow) + "), #2 doubler (actor "
                  + id_of(slow) + ")");
  caf::anon_send(slow, now_answer{}); // and what they bring is not lost
  BOOST_TEST(truth::waits_until([&] { return all->missing().empty(); }));
  BOOST_TEST(need(*all->peek(2)).n == -1);
}

BOOST_FIXTURE_TEST_CASE(who_has_not_answered_is_sent_the_cancellation,
                        fixture) {
  auto quick = spawn();
  auto slow = spawn();
  auto dead = spawn();
  kill(dead);
  auto told = [this] {
    std::lock_guard lock{seen->guard};
    return std::exchange(seen->stopped, {});
  };
  std::vector<ask<hush>> asks{{slow, {}}, {dead, {}}, {slow, {}}};
  auto first = gathered<values>(*this, asks, on_error::cancel(stop{}));
  BOOST_TEST((first.error() == caf::sec::request_receiver_down));
  BOOST_TEST(truth::waits_until([&] { return seen->count() == 2; }));
  BOOST_TEST(told() == (std::vector<caf::actor_id>{slow.id(), slow.id()}));
  // The same from outside.
  auto again = gather<answer>(sys, asks, on_error::cancel(stop{}));
  BOOST_TEST((again.error() == caf::sec::request_receiver_down));
  BOOST_TEST(truth::waits_until([&] { return seen->count() == 2; }));
  BOOST_TEST(told() == (std::vector<caf::actor_id>{slow.id(), slow.id()}));
  // Who has answered is left in peace.
  auto good = gathered<values>(*this, questions(quick, 3),
                               on_error::cancel(stop{}));
  BOOST_TEST(static_cast<bool>(good));
  BOOST_TEST(
    need(gather<answer>(sys, questions(quick, 1), on_error::cancel(stop{})))
      .size()
    == 1u);
  BOOST_TEST(told().empty());
}

BOOST_FIXTURE_TEST_CASE(a_function_can_cancel_by_number, fixture) {
  std::vector<ask<hush>> asks{{doubler, {}}, {caf::actor{}, {}}, {doubler, {}}};
  std::vector<std::size_t> cancelled; // by this thread
  auto note = [&](std::size_t i) { cancelled.push_back(i); };
  auto first = gather<answer>(sys, asks, on_error::cancel(note));
  BOOST_TEST((first.error() == caf::sec::invalid_argument));
  BOOST_TEST(cancelled == (std::vector<std::size_t>{0, 2}));
  auto theirs = std::make_shared<std::vector<std::size_t>>();
  auto result = gathered<values>(
    *this, asks,
    on_error::cancel([theirs](std::size_t i) { theirs->push_back(i); }));
  BOOST_TEST((result.error() == caf::sec::invalid_argument));
  BOOST_TEST(*theirs == (std::vector<std::size_t>{0, 2}));
}

BOOST_FIXTURE_TEST_CASE(a_cancel_that_throws_is_told_and_kills_nobody,
                        fixture) {
  std::vector<ask<hush>> asks{{doubler, {}}, {caf::actor{}, {}}, {doubler, {}}};
  auto theirs = std::make_shared<std::vector<std::size_t>>();
  auto cancels = on_error::cancel([theirs](std::size_t i) {
    theirs->push_back(i);
    throw std::runtime_error("no luck");
  });
  auto told = [&](const values& x) {
    BOOST_TEST((x.error() == caf::sec::runtime_error));
    auto said = text(x.error());
    auto id = " doubler (actor " + id_of(doubler) + ") threw ";
    BOOST_TEST(contains(said, "to cancel #2" + id), said);
    BOOST_TEST(contains(said, "no luck; before that: "), said);
    BOOST_TEST(contains(said, "to cancel #0" + id), said);
    BOOST_TEST(contains(said, "#1 nobody cannot be asked"), said);
    BOOST_TEST(*theirs == (std::vector<std::size_t>{0, 2}));
    theirs->clear();
  };
  told(gather<answer>(sys, asks, cancels));
  told(gathered<values>(*this, asks, cancels));
}

BOOST_FIXTURE_TEST_CASE(nobody_asks_for_less_than_no_time, fixture) {
  auto refused = [](auto ask_now) {
    try {
      ask_now();
    } catch (const testkit::misuse& x) {
      return std::string{x.what()};
    }
    return std::string{"not refused"};
  };
  auto line = std::string{
    "bad duration: gather is told to wait for -5s; allowed: 0s or more"};
  BOOST_TEST(refused([&] { gather<answer>(sys, questions(doubler, 1), -5s); })
             == line);
  auto said = std::make_shared<std::promise<std::string>>();
  auto result = said->get_future();
  as_actor(*this, [=, this](caf::event_based_actor* self) {
    said->set_value(refused([&] {
      gather<answer>(
        self, questions(doubler, 1), [](const values&) {}, -5s);
    }));
  });
  BOOST_TEST(need(std::move(result)) == line);
}

// -- what can never be answered -----------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_dead_receiver_fails_by_name, fixture) {
  auto dead = spawn();
  {
    caf::scoped_actor self{sys};
    self->monitor(dead);
    kill(dead);
    self->receive([](const caf::down_msg&) {});
  }
  std::vector<ask<question>> asks{
    {doubler, {1}}, {dead, {1}}, {dead, {1}, "the second shelf"}};
  auto all = gather<answer>(sys, asks, return_exceptions);
  BOOST_TEST(need(all[0]).n == 2);
  BOOST_TEST((all[1].error() == caf::sec::request_receiver_down));
  BOOST_TEST(contains(text(all[1].error()),
                      "#1 somebody (actor " + id_of(dead) + ") is down"),
             text(all[1].error()));
  BOOST_TEST(contains(text(all[2].error()), "#2 the second shelf (actor "));
}

BOOST_FIXTURE_TEST_CASE(who_dies_with_its_promises_fails_by_name, fixture) {
  auto doomed = spawn();
  std::vector<ask<hush>> asks{{doomed, {}}, {doubler, {}}};
  auto said = std::make_shared<std::promise<results>>();
  auto result = said->get_future();
  as_actor(*this, [=](caf::event_based_actor* self) {
    gather<answer>(self, asks, return_exceptions,
                   [said](results x) { said->set_value(std::move(x)); });
  });
  caf::scoped_actor self{sys};
  for (auto& x : {doomed, doubler}) // the promises have been made
    self->request(x, caf::infinite, question{1})
      .receive([](const answer&) {}, [](const caf::error&) {});
  kill(doomed);
  caf::anon_send(doubler, now_answer{});
  auto all = need(std::move(result));
  BOOST_TEST((all[0].error() == caf::sec::request_receiver_down));
  BOOST_TEST(contains(text(all[0].error()),
                      "#0 doubler (actor " + id_of(doomed)
                        + ") is down and has not answered"),
             text(all[0].error()));
  BOOST_TEST(need(all[1]).n == -1);
}

BOOST_FIXTURE_TEST_CASE(who_answers_and_dies_has_answered, fixture) {
  for (int i = 0; i < 200; ++i) {
    auto once = sys.spawn(
      [](caf::event_based_actor* self, int) -> caf::behavior {
        return {[self](const question& q) {
          self->quit();
          return answer{q.n};
        }};
      },
      0);
    BOOST_TEST(
      need(gather<answer>(sys, std::vector<ask<question>>{{once, {7}}})).at(0).n
      == 7);
  }
}

BOOST_FIXTURE_TEST_CASE(who_lives_and_forgets_is_waited_for_so_long, fixture) {
  std::vector<ask<hush>> asks{{doubler, {}}, {doubler, {}, "the other"}};
  auto all = gather<answer>(sys, asks, return_exceptions, 100ms);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST((all[1].error() == caf::sec::request_timeout));
  BOOST_TEST(contains(text(all[1].error()),
                      "no answer within 100ms: #1 the other (actor "),
             text(all[1].error()));
  auto first = gather<answer>(sys, asks, 100ms);
  BOOST_TEST((first.error() == caf::sec::request_timeout));
  BOOST_TEST(contains(text(first.error()), "#0 doubler (actor " + id_of(doubler)
                                             + "), #1 the other (actor "
                                             + id_of(doubler) + ")"),
             text(first.error()));
  // That is an error, too: they are cancelled.
  auto second = gather<answer>(sys, asks, on_error::cancel(stop{}), 100ms);
  BOOST_TEST((second.error() == caf::sec::request_timeout));
  BOOST_TEST(truth::waits_until([&] { return seen->count() == 2; }));
}

// -- in a simulation ----------------------------------------------------------

namespace {

struct simulated : fixture {
  struct testing : caf::actor_system_config {
    testing() {
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  testing virtual_cfg;
  caf::actor_system still{virtual_cfg};
  caf::scheduler::test_coordinator& steps
    = dynamic_cast<caf::scheduler::test_coordinator&>(still.scheduler());
  caf::actor to = still.spawn(doubling, 3, seen);

  // One message at a time until it is gathered or there are none.
  template <class Message, class Policy>
  auto run(std::vector<ask<Message>> asks, Policy how) {
    auto all = testkit::start_gather<answer>(still, std::move(asks), how);
    while (!all.got->has_ended(how) && steps.try_run_once())
      ;
    auto result = all.end(how, caf::sec::request_timeout,
                          "nothing is left to do");
    steps.run();
    return result;
  }

  ~simulated() {
    kill(to);
    to = nullptr;
    steps.run();
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_simulation_runs_until_it_is_gathered, simulated) {
  auto all = run(questions(to, 5), return_exceptions);
  BOOST_REQUIRE(all.size() == 5u);
  BOOST_TEST(need(all[4]).n == 8);
  BOOST_TEST((all[3].error() == caf::sec::bad_function_call));
  auto first = run(questions(to, 5), on_error::run_on);
  BOOST_TEST((first.error() == caf::sec::bad_function_call));
  BOOST_TEST(need(run(questions(to, 0), on_error::run_on)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_simulation_that_has_ended_says_who_is_missing,
                        simulated) {
  std::vector<ask<hush>> asks{{to, {}}, {to, {}, "the other"}};
  auto first = run(asks, on_error::cancel(stop{}));
  BOOST_TEST((first.error() == caf::sec::request_timeout));
  BOOST_TEST(contains(text(first.error()),
                      "nothing is left to do: #0 doubler (actor " + id_of(to)
                        + "), #1 the other"),
             text(first.error()));
  BOOST_TEST(seen->count() == 2u); // exactly, and now
}

BOOST_FIXTURE_TEST_CASE(a_gathering_that_is_over_leaves_nothing_behind,
                        simulated) {
  int errors = 0;
  auto asker = still.spawn(
    [](caf::event_based_actor* self, caf::actor whom,
       int* heard) -> caf::behavior {
      gather<answer>(self, questions(whom, 2), [](values) {});
      std::vector<ask<hush>> asks{{whom, {}}, {caf::actor{}, {}}};
      gather<answer>(self, asks, [=](values x) { *heard += x ? 0 : 1; });
      return {[](stop) {}};
    },
    to, &errors);
  steps.run();
  BOOST_TEST(errors == 1);
  // Nobody has to hear of this death any more, who hushed or who answered.
  kill(to);
  BOOST_TEST(steps.run() == 1u);
  kill(asker);
}

BOOST_FIXTURE_TEST_CASE(who_asked_for_others_ends_with_the_first_error,
                        simulated) {
  std::vector<ask<hush>> asks{{to, {}}, {caf::actor{}, {}}};
  auto all = testkit::start_gather<answer>(still, asks, on_error::run_on);
  BOOST_TEST(still.registry().running() == 2u);
  steps.run();
  BOOST_TEST(still.registry().running() == 1u);
  BOOST_TEST(all.got->missing() == std::vector<std::size_t>{0});
}
