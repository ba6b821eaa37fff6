// What leaves an actor unhandled is a failure, unless somebody says otherwise.
#include "sim_fixture.hpp"

#include <memory>
#include <string>

using namespace sim_test;

// -- exceptions ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_exception_in_an_actor_is_a_failure_with_its_name) {
  sim s{{.traced = true}};
  auto a = s.spawn(echo, 1);
  s.call(a, "parrot");
  cafx::send_anon(a, bad{});
  BOOST_TEST(failure_of([&] { s.settle(); })
             == "an exception in an actor: parrot threw out_of_range: no such "
                "thing");
  BOOST_TEST(s.events().events().back().to == "parrot");
  BOOST_TEST(s.events().events().back().what
             == "dies of out_of_range: no such thing");
}

BOOST_AUTO_TEST_CASE(an_exception_before_the_first_message_is_one_too) {
  sim s;
  s.spawn([](caf::event_based_actor*) -> caf::behavior { throw 7; });
  BOOST_TEST(contains(failure_of([&] { s.settle(); }),
                      "threw something that is no std::exception"));
}

BOOST_AUTO_TEST_CASE(a_failure_that_an_actor_throws_comes_out_as_it_is) {
  sim s;
  s.spawn([](caf::event_based_actor*) -> caf::behavior {
    throw failure("a rule", "is broken");
  });
  BOOST_TEST(failure_of([&] { s.settle(); }) == "a rule: is broken");
}

BOOST_AUTO_TEST_CASE(whoever_handles_its_exceptions_may_have_them) {
  sim s;
  auto p = s.probe("p");
  auto a = s.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_exception_handler([](std::exception_ptr&) -> caf::error {
      return caf::sec::invalid_argument;
    });
    return echo(self, 1);
  });
  auto answer = p.request<pong>(a, bad{}).result();
  BOOST_REQUIRE(!answer);
  BOOST_TEST((answer.error() == caf::sec::invalid_argument));
  s.expect_quiescent();
}

namespace {

class careful final : public caf::event_based_actor {
public:
  explicit careful(caf::actor_config& cfg) : caf::event_based_actor(cfg) {
    set_exception_handler([](std::exception_ptr&) -> caf::error {
      return caf::sec::invalid_argument;
    });
  }

  caf::behavior make_behavior() override {
    return echo(this, 1);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(also_if_it_was_born_with_the_handler) {
  sim s;
  cafx::send_anon(s.spawn<careful>(), bad{});
  BOOST_TEST(failure_of([&] { s.expect_quiescent(); }) == "");
}

// -- errors, messages and deaths ----------------------------------------------

namespace {

// Asks what it is told to, and has nothing to say to errors.
caf::behavior confident(caf::event_based_actor* self, caf::actor other) {
  return {
    [=](tick) { cafx::request(self, other, ping{}).then([](const pong&) {}); }};
}

caf::behavior refusing(caf::event_based_actor*) {
  return {[](ping) -> caf::result<pong> {
    return caf::make_error(caf::sec::invalid_argument, "no");
  }};
}

// Gives up on each ping.
void send_to_confident(sim& s) {
  auto who = s.spawn(confident, s.spawn(refusing));
  s.call(who, "optimist");
  cafx::send_anon(who, tick{});
}

} // namespace

BOOST_AUTO_TEST_CASE(an_error_that_nobody_handles_is_a_failure_with_a_name) {
  sim s;
  send_to_confident(s);
  auto text = failure_of([&] { s.settle(); });
  BOOST_TEST(
    contains(text, "unhandled in an actor: optimist dies of the error "), text);
  BOOST_TEST(contains(text, "invalid_argument"), text);
}

BOOST_AUTO_TEST_CASE(a_message_that_nobody_handles_is_a_failure_with_a_name) {
  sim s;
  auto a = s.spawn(echo, 1);
  s.call(a, "parrot");
  s.describe<pong>([](const pong& m) { return "pong " + std::to_string(m.n); });
  cafx::send_anon(a, pong{3});
  BOOST_TEST(failure_of([&] { s.settle(); })
             == "unhandled in an actor: parrot does not handle pong 3");
}

BOOST_AUTO_TEST_CASE(an_end_that_nobody_handles_is_a_failure_with_a_name) {
  sim s;
  auto a = s.spawn(echo, 1);
  auto b = s.spawn([=](caf::event_based_actor* self) -> caf::behavior {
    self->monitor(a);
    return {[](ping) {}};
  });
  s.call(b, "widow");
  s.settle();
  s.kill(a);
  auto text = failure_of([&] { s.settle(); });
  BOOST_TEST(contains(text, "unhandled in an actor: widow monitors who ends, "
                            "and does not handle down_msg("),
             text);
}

BOOST_AUTO_TEST_CASE(whoever_may_leave_it_to_caf_may_do_so) {
  // By what it is called here, and by what CAF calls it.
  for (const auto* name : {"optimist", "scheduled_actor"}) {
    sim s;
    s.allow_unhandled(name);
    send_to_confident(s);
    s.expect_quiescent(); // it died all the same
  }
  sim s;
  s.allow_unhandled("optimist");
  auto a = s.spawn(echo, 1);
  s.call(a, "optimist");
  auto p = s.probe("p");
  auto answer = p.request<pong>(a, tick{}).result();
  BOOST_REQUIRE(!answer);
  BOOST_TEST((answer.error() == caf::sec::unexpected_message));
  cafx::send_anon(s.spawn(echo, 1), tick{}); // which is called otherwise
  BOOST_TEST(contains(failure_of([&] { s.settle(); }), "does not handle tick"));
}

BOOST_AUTO_TEST_CASE(who_has_handlers_of_its_own_may_use_them) {
  sim s;
  auto handled = std::make_shared<std::string>();
  auto other = s.spawn(refusing);
  auto a = s.spawn([=](caf::event_based_actor* self) -> caf::behavior {
    self->set_error_handler([=](caf::error&) { *handled += 'e'; });
    self->set_down_handler([=](const caf::down_msg&) { *handled += 'd'; });
    cafx::drop_unknown(self);
    self->monitor(other);
    return confident(self, other);
  });
  cafx::send_anon(a, tick{});
  cafx::send_anon(a, pong{});
  s.settle();
  s.kill(other);
  s.settle();
  BOOST_TEST(*handled == "ed");
}
