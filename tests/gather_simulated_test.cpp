#include <boost/test/unit_test.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/messages/errors.hpp>
#include <steward/testkit/gather_simulated.hpp>

#include <chrono>
#include <string>

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

namespace {

struct how_long {
  int seconds; ///< negative: an error after so many; 0: never
};

struct took {
  int seconds;
};

struct now_answer {
  int seconds;
  caf::response_promise to;
};

struct stop_it {};

} // namespace

STEWARD_MESSAGE(how_long)
STEWARD_MESSAGE(took)
STEWARD_MESSAGE(now_answer)
STEWARD_MESSAGE(stop_it)

namespace {

// Answers after so many seconds of virtual time.
caf::behavior sleeper(caf::event_based_actor* self, int* stopped) {
  return {
    [=](const how_long& m) -> caf::result<took> {
      auto promise = self->make_response_promise();
      cafx::send_later(self, std::chrono::seconds{std::abs(m.seconds)},
                       now_answer{m.seconds, promise});
      return promise;
    },
    [](now_answer& m) {
      if (m.seconds > 0)
        m.to.deliver(took{m.seconds});
      else if (m.seconds < 0)
        m.to.deliver(caf::make_error(caf::sec::invalid_argument));
    },
    [=](stop_it) { ++*stopped; },
  };
}

struct fixture {
  sim where;
  int stopped = 0;
  caf::actor who = where.spawn(sleeper, &stopped);

  std::vector<ask<how_long>> asks(std::initializer_list<int> seconds) {
    std::vector<ask<how_long>> result;
    for (auto s : seconds)
      result.push_back({who, how_long{s}});
    return result;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(all_results_come_in_the_order_asked, fixture) {
  auto begun = where.now();
  auto all = gather<took>(where, asks({3, 1, -2}), return_exceptions);
  BOOST_REQUIRE(all.size() == 3u);
  BOOST_TEST(all[0]->seconds == 3);
  BOOST_TEST(all[1]->seconds == 1);
  BOOST_TEST(!all[2]);
  BOOST_TEST((where.now() - begun == 3s));
}

BOOST_FIXTURE_TEST_CASE(the_first_error_ends_it, fixture) {
  auto begun = where.now();
  auto all = gather<took>(where, asks({3, 1, -2}), 1h);
  BOOST_TEST(!all);
  BOOST_TEST((where.now() - begun == 2s));
}

BOOST_FIXTURE_TEST_CASE(the_rest_can_be_cancelled, fixture) {
  auto all = gather<took>(where, asks({3, -1, 5}), on_error::cancel(stop_it{}));
  BOOST_TEST(!all);
  where.settle();
  BOOST_TEST(stopped == 2);
}

BOOST_FIXTURE_TEST_CASE(nobody_to_ask_is_over_at_once, fixture) {
  auto begun = where.now();
  auto all = gather<took>(where, asks({}));
  BOOST_REQUIRE(all);
  BOOST_TEST(all->empty());
  BOOST_TEST((where.now() == begun));
}

BOOST_FIXTURE_TEST_CASE(who_never_answers_is_named, fixture) {
  auto all = gather<took>(where, asks({1, 0}), return_exceptions, 1h);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(static_cast<bool>(all[0]));
  BOOST_REQUIRE(!all[1]);
  auto text = describe(all[1].error());
  BOOST_TEST(text.find(std::to_string(who.id())) != std::string::npos, text);
}

// -- from an actor ------------------------------------------------------------

namespace {

// What an actor gathers, and when it heard of it.
struct heard {
  std::vector<caf::expected<took>> all;
  time_point at;
};

caf::behavior gatherer(caf::event_based_actor* self, sim* where,
                       std::vector<ask<how_long>> asks, duration within,
                       heard* into) {
  gather<took>(
    self, std::move(asks), return_exceptions,
    [=](std::vector<caf::expected<took>> all) {
      into->all = std::move(all);
      into->at = where->now();
    },
    within);
  return {[](stop_it) {}};
}

} // namespace

BOOST_FIXTURE_TEST_CASE(who_forgets_an_actor_that_gathers_is_named_in_time,
                        fixture) {
  for (auto within : {gather_within, duration{90s}}) {
    heard x;
    auto begun = where.now();
    auto a = where.spawn(gatherer, &where, asks({1, 0}), within, &x);
    where.run_for(within - duration{1});
    BOOST_TEST(x.all.empty());
    where.run_for(duration{1});
    where.settle();
    BOOST_REQUIRE(x.all.size() == 2u);
    BOOST_TEST(static_cast<bool>(x.all[0]));
    BOOST_TEST((x.at == begun + within));
    BOOST_TEST((x.all[1].error() == caf::sec::request_timeout));
    auto text = describe(x.all[1].error());
    BOOST_TEST(text.find("no answer within " + to_text(within) + ": #1 ")
                 != std::string::npos,
               text);
    where.kill(a);
  }
}

BOOST_FIXTURE_TEST_CASE(what_is_gathered_leaves_no_timer, fixture) {
  heard x;
  auto a = where.spawn(gatherer, &where, asks({1, 2}), gather_within, &x);
  where.run_for(2s);
  BOOST_TEST(x.all.size() == 2u);
  where.kill(a);
  where.kill(who);
  where.expect_quiescent();
}

BOOST_FIXTURE_TEST_CASE(an_actor_that_dies_while_it_gathers_leaves_no_timer,
                        fixture) {
  heard x;
  auto a = where.spawn(gatherer, &where, asks({0}), gather_within, &x);
  where.run_for(1s);
  where.kill(a);
  where.kill(who);
  where.expect_quiescent();
  BOOST_TEST(x.all.empty());
}

BOOST_FIXTURE_TEST_CASE(nobody_is_named_too, fixture) {
  std::vector<ask<how_long>> two{{who, {1}}, {{}, {1}, "the archive"}};
  auto all = gather<took>(where, two, return_exceptions);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(static_cast<bool>(all[0]));
  BOOST_REQUIRE(!all[1]);
  BOOST_TEST((all[1].error() == caf::sec::invalid_argument));
  auto text = describe(all[1].error());
  BOOST_TEST(text.find("#1 the archive (nobody) cannot be asked")
               != std::string::npos,
             text);
}

// Who is asked may have a timeout of its own, which is another matter.
BOOST_FIXTURE_TEST_CASE(an_answer_that_is_an_error_stays_as_it_is, fixture) {
  auto late = where.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const how_long&) -> caf::result<took> {
      return caf::make_error(caf::sec::request_timeout, "of my own");
    }};
  });
  std::vector<ask<how_long>> one{{late, {1}}};
  auto all = gather<took>(where, one, return_exceptions);
  BOOST_REQUIRE(!all.at(0));
  auto text = describe(all[0].error());
  BOOST_TEST(text.find("of my own") != std::string::npos, text);
}

BOOST_FIXTURE_TEST_CASE(who_was_called_something_is_named_so, fixture) {
  where.call(who, "cache");
  std::vector<ask<how_long>> all{{who, how_long{0}},
                                 {who, how_long{0}, "its own"}};
  auto got = gather<took>(where, all, return_exceptions, 1s);
  auto id = std::to_string(who.id());
  auto says = [&](std::size_t i, const std::string& name) {
    return describe(got[i].error()).find(name + " (actor " + id + ")")
           != std::string::npos;
  };
  BOOST_TEST(says(0, "#0 cache"));
  BOOST_TEST(says(1, "#1 its own"));
}

BOOST_FIXTURE_TEST_CASE(a_limit_that_is_less_than_nothing_is_refused, fixture) {
  for (auto [limit, text] : {std::pair{duration{-5s}, "-5s"},
                             {-1ns, "-1ns"},
                             {duration::min(), "-106751d23h47min16s854ms775us"
                                               "807ns"}})
    BOOST_CHECK_EXCEPTION(
      gather<took>(where, asks({1}), limit), misuse,
      [text = std::string{text}](const misuse& x) {
        return x.what()
               == "bad duration: gather is told to wait for " + text
                    + "; allowed: 0s or more";
      });
  BOOST_TEST(where.steps() == 0u); // nobody was asked
}

BOOST_FIXTURE_TEST_CASE(who_lives_in_another_system_is_refused, fixture) {
  sim elsewhere;
  std::vector<ask<how_long>> all{
    {elsewhere.spawn(sleeper, &stopped), how_long{1}}};
  BOOST_CHECK_EXCEPTION(gather<took>(where, all), misuse, [](const misuse& x) {
    return std::string{x.what()}
           == "a handle to an actor of another system: nobody can be asked "
              "by gather";
  });
}

BOOST_FIXTURE_TEST_CASE(a_thread_does_not_wait_for_a_simulation, fixture) {
  try {
    gather<took>(where.system(), asks({1}));
    BOOST_ERROR("it waited");
  } catch (const misuse& x) {
    BOOST_TEST(std::string{x.what()}
               == "a thread that waits for a simulation: nobody runs it "
                  "meanwhile; gather with the sim, not with its system");
  }
}
