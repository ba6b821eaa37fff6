#include "sim_fixture.hpp"

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

using namespace sim_test;

// -- questions ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_question_runs_the_simulation) {
  sim s;
  auto p = s.probe("p");
  auto e = s.spawn(echo, 1);
  BOOST_TEST(p.request<pong>(e, ping{41}).get().n == 42);
}

BOOST_AUTO_TEST_CASE(a_question_is_open_until_the_simulation_goes_on) {
  sim s;
  auto p = s.probe("p");
  auto q = p.request<pong>(s.spawn(echo, 1), ping{1});
  auto copy = q;
  BOOST_TEST(!q.answered());
  s.settle();
  BOOST_TEST(q.answered());
  BOOST_TEST(copy.answered());
  BOOST_TEST(copy.get().n == 2);
  BOOST_TEST(q.get().n == 2); // as often as one likes
}

BOOST_AUTO_TEST_CASE(an_answer_takes_as_much_virtual_time_as_it_takes) {
  sim s;
  auto start = s.now();
  auto p = s.probe("p");
  auto e = s.spawn(slow_echo, duration{5h});
  BOOST_TEST(p.request<pong>(e, ping{1}).get().n == 1);
  BOOST_TEST((s.now() == start + 5h));
}

BOOST_AUTO_TEST_CASE(an_answer_that_takes_more_than_a_day_is_none) {
  sim s;
  auto p = s.probe("p");
  auto e = s.spawn(slow_echo, duration{24h + 1ns});
  auto q = p.request<pong>(e, ping{1});
  BOOST_TEST(contains(failure_of([&] { q.result(); }), "never answered"));
  s.run_for(1ns);
  BOOST_TEST(q.get().n == 1);
}

BOOST_AUTO_TEST_CASE(what_is_never_answered_fails_by_its_text) {
  sim s;
  auto p = s.probe("p");
  auto e = s.spawn(echo, 1);
  auto q = p.request<pong>(e, lost{});
  auto text = "never answered: p asked scheduled_actor#"
              + std::to_string(e.id()) + " for pong with lost";
  BOOST_TEST(failure_of([&] { q.get(); }) == text);
  BOOST_TEST(failure_of([&] { q.result(); }) == text);
}

BOOST_AUTO_TEST_CASE(what_never_comes_beside_a_heartbeat_is_named) {
  sim s{{.steps_max = 1000}};
  std::vector<duration> beats;
  s.call(s.spawn(metronome, &s, &beats), "heart");
  auto e = s.spawn(echo, 1);
  s.call(e, "echo");
  auto p = s.probe("p");
  auto q = p.request<pong>(e, lost{});
  auto text = failure_of([&] { q.get(); });
  BOOST_TEST(text.starts_with("never answered: p asked echo for pong with "
                              "lost, not in 1000 steps, which took "),
             text);
  BOOST_TEST(beats.size() > 400u); // most of them are timers and their ticks
  text = failure_of([&] { p.expect<ping>(); });
  BOOST_TEST(
    text.starts_with("no message: p never got ping, not in 1000 steps"), text);
  BOOST_TEST(contains(text, " of virtual time; next comes "), text);
  // What comes is not in the way.
  p.expect_nothing();
  BOOST_TEST(p.request<pong>(e, ping{1}).get().n == 2);
}

BOOST_AUTO_TEST_CASE(what_never_comes_as_time_stands_still_is_named) {
  sim s{{.steps_max = 1000}};
  s.call(s.spawn(restless), "hamster");
  auto p = s.probe("p");
  BOOST_TEST(failure_of([&] { p.expect<ping>(); })
             == "no message: p never got ping, not in 1000 steps, which took "
                "0s of virtual time; next comes hamster");
}

BOOST_AUTO_TEST_CASE(an_error_is_a_result_and_no_value) {
  sim s;
  auto p = s.probe("p");
  auto e = s.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](ping) -> caf::result<pong> {
      return caf::make_error(caf::sec::invalid_argument, "too round");
    }};
  });
  auto q = p.request<pong>(e, ping{});
  auto answer = q.result();
  BOOST_REQUIRE(!answer);
  BOOST_TEST((answer.error() == caf::sec::invalid_argument));
  auto text = failure_of([&] { q.get(); });
  BOOST_TEST(contains(text, "answered with an error: p asked scheduled_actor#"),
             text);
  BOOST_TEST(contains(text, "too round"), text);
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_type_is_an_error) {
  sim s;
  auto p = s.probe("p");
  auto q = p.request<ping>(s.spawn(echo, 1), ping{});
  BOOST_REQUIRE(!q.result());
  BOOST_TEST((q.result().error() == caf::sec::unexpected_response));
}

BOOST_AUTO_TEST_CASE(who_is_dead_or_dies_answers_with_an_error) {
  sim s;
  auto p = s.probe("p");
  auto dies = s.spawn(slow_echo, duration{1h});
  auto first = p.request<pong>(dies, ping{});
  s.kill(dies); // it never reads the question
  BOOST_TEST(!first.result());
  BOOST_TEST((first.result().error() == caf::sec::request_receiver_down));
  BOOST_TEST(!p.request<pong>(dies, ping{}).result());
}

// -- messages -----------------------------------------------------------------

namespace {

// Sends each ping on as a pong, and asks for what it needs.
caf::behavior middleman(caf::event_based_actor* self, caf::actor to) {
  return {
    [=](const ping& m) { cafx::send(self, to, pong{m.n}); },
    [=](tick) -> caf::result<pong> {
      auto promise = self->make_response_promise<pong>();
      cafx::request(self, to, ping{7})
        .then([promise](const pong& m) mutable { promise.deliver(m); },
              [promise](caf::error& e) mutable {
                promise.deliver(std::move(e));
              });
      return promise;
    },
  };
}

} // namespace

BOOST_AUTO_TEST_CASE(a_probe_expects_what_it_is_sent_in_order) {
  sim s;
  auto p = s.probe("p");
  auto m = s.spawn(middleman, p.actor());
  p.send(m, ping{1});
  p.send(m, ping{2});
  BOOST_TEST(p.mailbox().empty()); // sent, and not there yet
  BOOST_TEST(p.expect<pong>().n == 1);
  s.settle();
  BOOST_REQUIRE(p.mailbox().size() == 1u);
  BOOST_TEST((p.mailbox().front().from == m.address()));
  BOOST_TEST(p.expect<pong>().n == 2);
  p.expect_nothing();
}

BOOST_AUTO_TEST_CASE(what_was_not_expected_fails_by_its_text) {
  sim s;
  auto p = s.probe("p");
  auto m = s.spawn(middleman, p.actor());
  s.describe<pong>([](const pong& x) { return "pong " + std::to_string(x.n); });
  p.send(m, ping{3});
  BOOST_TEST(failure_of([&] { p.expect<ping>(); })
             == "another message: p got pong 3, not ping");
  p.send(m, ping{4});
  BOOST_TEST(failure_of([&] { p.expect_nothing(); })
             == "an unexpected message: p got pong 4");
  BOOST_TEST(p.expect<pong>().n == 4);
}

BOOST_AUTO_TEST_CASE(what_never_comes_fails) {
  sim s;
  auto p = s.probe("p");
  BOOST_TEST(failure_of([&] { p.expect<pong>(); })
             == "no message: p never got pong");
}

BOOST_AUTO_TEST_CASE(a_probe_waits_for_what_comes_later) {
  sim s;
  auto start = s.now();
  auto p = s.probe("p");
  caf::delayed_anon_send(p.actor(), 3h, pong{1});
  p.expect_nothing(); // takes no time
  BOOST_TEST((s.now() == start));
  BOOST_TEST(p.expect<pong>().n == 1);
  BOOST_TEST((s.now() == start + 3h));
}

// -- answers ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_probe_answers_as_told) {
  sim s;
  auto p = s.probe("p");
  auto server = s.probe("server");
  auto m = s.spawn(middleman, server.actor());
  auto q = p.request<pong>(m, tick{});
  BOOST_TEST(server.expect<ping>().n == 7);
  s.settle();
  BOOST_TEST(!q.answered()); // not of itself
  server.reply(pong{8});
  BOOST_TEST(q.get().n == 8);
}

BOOST_AUTO_TEST_CASE(a_probe_answers_with_an_error_as_told) {
  sim s;
  auto p = s.probe("p");
  auto server = s.probe("server");
  auto q = p.request<pong>(s.spawn(middleman, server.actor()), tick{});
  server.expect<ping>();
  server.reply(caf::make_error(caf::sec::invalid_argument));
  BOOST_TEST((q.result().error() == caf::sec::invalid_argument));
}

BOOST_AUTO_TEST_CASE(there_must_be_a_question_and_there_is_one_answer) {
  sim s;
  auto p = s.probe("p");
  auto none = "nothing to reply to: nobody waits for an answer of p to what it "
              "expected last";
  BOOST_TEST(failure_of([&] { p.reply(pong{}); }) == none);
  auto other = s.probe("other");
  other.send(p, ping{});
  p.expect<ping>();
  BOOST_TEST(failure_of([&] { p.reply(pong{}); }) == none);
  auto q = other.request<pong>(p, ping{});
  p.expect<ping>();
  p.reply(pong{1});
  BOOST_TEST(failure_of([&] { p.reply(pong{2}); }) == none);
  BOOST_TEST(q.get().n == 1);
}

BOOST_AUTO_TEST_CASE(questions_can_be_answered_in_any_order) {
  sim s;
  auto p = s.probe("p");
  auto server = s.probe("server");
  auto one = p.request<pong>(server, ping{1});
  auto two = p.request<pong>(server, ping{2});
  server.expect<ping>();
  auto first = server.take_question();
  server.expect<ping>();
  server.reply(pong{2});
  BOOST_TEST(two.get().n == 2);
  BOOST_TEST(!one.answered());
  first.reply(pong{1});
  BOOST_TEST(one.get().n == 1);
}

// -- acts and death -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_probe_does_anything_as_itself_at_once) {
  sim s;
  auto p = s.probe("p");
  auto other = s.spawn(echo, 1);
  bool done = false;
  p.act([&](caf::event_based_actor* self) {
    BOOST_TEST((caf::actor{self} == p.actor()));
    self->monitor(other);
    done = true;
  });
  BOOST_TEST(done);
  BOOST_TEST(s.steps() == 0u); // that was the test, not the simulation
}

BOOST_AUTO_TEST_CASE(what_an_act_throws_comes_out_of_it) {
  sim s;
  auto p = s.probe("p");
  BOOST_CHECK_THROW(p.act([](auto*) { throw std::logic_error{"no"}; }),
                    std::logic_error);
  p.act([](auto*) {}); // and the probe lives on
}

BOOST_AUTO_TEST_CASE(a_probe_can_act_with_mail_in_its_box) {
  sim s;
  auto p = s.probe("p");
  for (int i = 0; i < 3; ++i)
    cafx::send_anon(p.actor(), ping{i});
  bool done = false;
  p.act([&](auto*) { done = true; });
  BOOST_TEST(done);
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(p.expect<ping>().n == i);
}

BOOST_AUTO_TEST_CASE(a_probe_dies_at_once_and_others_hear_of_it) {
  sim s;
  auto p = s.probe("p");
  int downs = 0;
  auto other = s.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->monitor(p.actor());
    self->set_down_handler([&](caf::down_msg&) { ++downs; });
    return {[](ping) {}};
  });
  s.settle();
  cafx::send_anon(p.actor(), ping{});
  p.die();
  BOOST_TEST(failure_of([&] { p.send(p, ping{}); })
             == "a dead probe: p cannot act any more");
  s.settle();
  BOOST_TEST(downs == 1);
  BOOST_TEST(p.mailbox().empty());
}

BOOST_AUTO_TEST_CASE(what_a_dead_probe_asked_is_no_open_question) {
  sim s;
  auto p = s.probe("p");
  auto e = s.spawn(slow_echo, duration{1s});
  auto q = p.request<pong>(e, ping{});
  p.die();
  s.run_for(1s);
  s.kill(e);
  s.expect_quiescent();
  BOOST_TEST(!q.answered());
}

// -- several elements ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_message_may_have_several_elements) {
  sim s;
  auto p = s.probe("p");
  auto q = s.probe("q");
  p.send(q, 1, std::string{"two"});
  BOOST_TEST(
    (q.expect<int, std::string>() == std::tuple<int, std::string>{1, "two"}));
  auto answer = p.request<int>(q, ping{3}, 4);
  auto [asked, four] = q.expect<ping, int>();
  BOOST_TEST(asked.n == 3);
  BOOST_TEST(four == 4);
  q.reply(7);
  BOOST_TEST(answer.get() == 7);
  p.send(q, 1);
  auto text = failure_of([&] { q.expect<int, std::string>(); });
  BOOST_TEST(contains(text, "another message: q got (1), not int, "), text);
}

BOOST_AUTO_TEST_CASE(an_answer_may_have_several_elements) {
  sim s;
  auto p = s.probe("p");
  int sum = 0;
  auto a = s.spawn([&sum, to = p.actor()](caf::event_based_actor* self) {
    self->request(to, caf::infinite, tick{}).then([&sum](int x, int y) {
      sum = x + y;
    });
    return caf::behavior{[](tick) {}};
  });
  p.expect<tick>();
  p.reply(3, 4);
  s.settle();
  BOOST_TEST(sum == 7);
}

BOOST_AUTO_TEST_CASE(typed_actors_are_asked_by_a_plain_handle) {
  using doubler = caf::typed_actor<caf::replies_to<int>::with<int>>;
  sim s;
  auto typed = s.spawn([](doubler::pointer) -> doubler::behavior_type {
    return {[](int n) { return 2 * n; }};
  });
  auto p = s.probe("p");
  BOOST_TEST(p.request<int>(caf::actor_cast<caf::actor>(typed), 4).get() == 8);
}

// -- nobody -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_handle_to_no_actor_is_refused_by_name) {
  sim s;
  auto p = s.probe("ann");
  auto head = std::string{"a handle to no actor: "};
  BOOST_TEST(failure_of([&] { p.request<pong>({}, ping{}); })
             == head + "ann: nobody can be asked");
  BOOST_TEST(failure_of([&] { p.send({}, ping{}); })
             == head + "ann: nobody can be sent anything");
  BOOST_TEST(failure_of([&] { s.call({}, "bob"); })
             == head + "nobody can be called \"bob\"");
  BOOST_TEST(failure_of([&] { s.kill({}); }) == head + "nobody can be killed");
}

BOOST_AUTO_TEST_CASE(a_handle_to_an_actor_of_another_system_is_refused) {
  sim s;
  sim other;
  auto a = other.spawn(echo, 1);
  auto p = s.probe("ann");
  auto head = std::string{"a handle to an actor of another system: "};
  BOOST_TEST(failure_of([&] { p.request<pong>(a, ping{}); })
             == head + "ann: nobody can be asked");
  BOOST_TEST(failure_of([&] { p.send(a, ping{}); })
             == head + "ann: nobody can be sent anything");
  BOOST_TEST(failure_of([&] { s.call(a, "bob"); })
             == head + "nobody can be called \"bob\"");
  BOOST_TEST(failure_of([&] { s.kill(a); }) == head + "nobody can be killed");
  other.kill(a);
}

// -- what is told -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(types_are_told_as_one_would_write_them) {
  using std::string;
  auto name = [](auto x) { return short_type_name(typeid(x)); };
  BOOST_TEST(name(ping{}) == "ping");
  BOOST_TEST(name(string{}) == "string");
  BOOST_TEST(name(std::vector<string>{}) == "vector<string>");
  BOOST_TEST((name(std::map<string, std::vector<ping>>{})
              == "map<string, vector<ping>>"));
  BOOST_TEST(
    (name(std::set<std::pair<int, ping>>{}) == "set<pair<int, ping>>"));
  BOOST_TEST((name(std::unordered_map<int, std::unique_ptr<ping> (*)()>{})
              == "unordered_map<int, unique_ptr<ping> (*)()>"));
  struct hidden {};
  BOOST_TEST(name(hidden{}).ends_with("hidden"), name(hidden{}));
  sim s;
  auto p = s.probe("p");
  auto a = s.spawn(echo, 1);
  s.call(a, "parrot");
  BOOST_TEST(contains(failure_of([&] { p.request<string>(a, lost{}).get(); }),
                      "p asked parrot for string with lost"));
}

BOOST_AUTO_TEST_CASE(all_that_happens_is_told_in_order) {
  sim s{{.traced = true}};
  auto p = s.probe("p");
  s.describe<ping>([](const ping& m) { return "ping " + std::to_string(m.n); });
  auto e = s.spawn(slow_echo, duration{1s});
  s.call(e, "parrot");
  s.settle();
  p.request<pong>(e, ping{5}).get();
  std::vector<std::string> told;
  for (const auto& x : s.events().events())
    told.push_back(std::to_string(x.step) + " " + x.from + ">" + x.to + ": "
                   + x.what);
  std::vector<std::string> expected{
    "1 >parrot: starts", // what a probe does is the test
    "2 p>parrot: ping 5",    "3 >: a timer fires",
    "4 parrot>parrot: pong", "5 parrot>p: pong",
  };
  BOOST_TEST(told == expected, boost::test_tools::per_element());
  BOOST_TEST((s.events().events().back().at == sim_options{}.start + 1s));
}

BOOST_AUTO_TEST_CASE(messages_of_several_elements_are_told_too) {
  sim s{{.traced = true}};
  auto p = s.probe("p");
  caf::anon_send(p.actor(), 1, std::string{"two"});
  s.settle();
  BOOST_TEST(contains(s.events().events().back().what, "two"));
}

BOOST_AUTO_TEST_CASE(nothing_is_told_unless_asked_for) {
  sim s;
  s.probe("p").request<pong>(s.spawn(echo, 1), ping{}).get();
  BOOST_TEST(s.events().events().empty());
}
