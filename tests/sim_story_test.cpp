// What happened, in words: which message it really was, whatever is in it.
#include "sim_fixture.hpp"

using namespace sim_test;

namespace {

using lines = std::vector<std::string>;

// As in a report, without step and time.
lines told(const sim& s) {
  lines result;
  for (const auto& e : s.events().events())
    result.push_back((e.from.empty() ? "" : e.from + " -> ")
                     + (e.to.empty() ? "clock" : e.to) + ": " + e.what);
  return result;
}

// Reads nothing else until its question is answered.
caf::behavior patient(caf::event_based_actor* self, caf::actor store,
                      bool quits) {
  return {
    [=](tick) {
      self->request(store, caf::infinite, ping{1}).await([=](const pong&) {
        if (quits)
          self->quit();
      });
    },
    [](lost) {},
  };
}

caf::behavior answers(caf::event_based_actor*) {
  return {[](const ping& m) { return m.n > 0 ? pong{1} : pong{0}; }};
}

void wait_for_an_answer(sim& s, bool quits) {
  auto store = s.spawn(answers);
  auto a = s.spawn(patient, store, quits);
  s.call(store, "store");
  s.call(a, "patient");
  s.settle();
  cafx::send_anon(a, tick{});
  s.step();
  cafx::send_anon(a, lost{});
  cafx::send_anon(a, lost{});
  s.settle();
}

} // namespace

BOOST_AUTO_TEST_CASE(who_awaits_an_answer_reads_it_first) {
  sim s{{.traced = true}};
  wait_for_an_answer(s, false);
  BOOST_TEST(told(s)
               == (lines{"store: starts", "patient: starts", "patient: tick",
                         "patient -> store: ping", "store -> patient: pong",
                         "patient: lost", "patient: lost"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_ends_by_an_answer_it_awaited_has_read_that) {
  sim s{{.traced = true}};
  wait_for_an_answer(s, true);
  BOOST_TEST(told(s).back() == "store -> patient: pong");
}

BOOST_AUTO_TEST_CASE(what_is_skipped_is_told_when_it_is_read) {
  sim s{{.traced = true}};
  auto a = s.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[self](tick) { self->become([](lost) {}); }};
  });
  s.call(a, "choosy");
  s.settle();
  cafx::send_anon(a, lost{});
  s.settle();
  cafx::send_anon(a, lost{});
  cafx::send_anon(a, tick{});
  s.settle();
  BOOST_TEST(told(s)
               == (lines{"choosy: starts", "choosy: lost (set aside)",
                         "choosy: tick", "choosy: lost", "choosy: lost"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_comes_from_far_behind_is_not_called_something_else) {
  sim s{{.traced = true}};
  auto a = s.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[](tick) {}};
  });
  s.call(a, "choosy");
  s.settle();
  for (int i = 0; i < 100; ++i)
    cafx::send_anon(a, lost{});
  cafx::send_anon(a, tick{});
  s.step();
  BOOST_TEST(told(s).back() == "choosy: one of many messages");
}

// -- what messages are like ---------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_shown_is_one_line_and_not_long) {
  BOOST_TEST(shown("a \x1b[31mred\nkey\x7f") == "a \\x1b[31mred\\nkey\\x7f");
  std::string just(shown_max, 'x');
  BOOST_TEST(shown(just) == just);
  BOOST_TEST(shown(just + "y")
             == just + "... (" + std::to_string(shown_max + 1) + " bytes)");
  // Not in the middle of a character, be it of one to four bytes.
  BOOST_TEST(shown("\xc3\xa4\xc3\xa4", 3) == "\xc3\xa4... (4 bytes)");
  BOOST_TEST(shown("\xf0\x9f\x99\x82", 3) == "... (4 bytes)");
  BOOST_TEST(shown("\x80\x80\x80", 2) == "... (3 bytes)"); // nor for ever
}

BOOST_AUTO_TEST_CASE(no_message_can_forge_a_line_of_a_failure) {
  sim s;
  auto p = s.probe("p\n");
  auto q = s.probe("q");
  s.describe<lost>([](lost) { return "\n  seed 1\x1b[2J"; });
  s.describe<bad>([](bad) { return std::string(1'000'000, 'x'); });
  q.send(p, lost{});
  BOOST_TEST(failure_of([&] { p.expect_nothing(); })
             == "an unexpected message: p\\n got \\n  seed 1\\x1b[2J");
  q.send(q, bad{});
  auto text = failure_of([&] { q.expect<lost>(); });
  BOOST_TEST(contains(text, "xxx... (1000000 bytes), not lost"));
  BOOST_TEST(text.size() < 2 * shown_max);
  auto echoes = s.spawn(echo, 1);
  s.call(echoes, "echo\r");
  text = failure_of([&] { q.request<pong>(echoes, lost{}).get(); });
  BOOST_TEST(text
             == "never answered: q asked echo\\x0d for pong with \\n  seed "
                "1\\x1b[2J");
}

BOOST_AUTO_TEST_CASE(a_description_that_throws_is_told_as_such) {
  sim s{{.traced = true, .digests_contents = true}};
  s.describe<lost>([](lost) -> std::string { throw std::out_of_range{"9"}; });
  s.describe<bad>([](bad) -> std::string { throw 9; });
  auto p = s.probe("p");
  auto q = s.probe("q");
  q.send(p, lost{});
  p.expect<lost>();
  q.send(p, bad{}, 7);
  p.expect<bad, int>();
  std::vector<std::string> what;
  for (const auto& e : s.events().events())
    what.push_back(e.what);
  BOOST_REQUIRE(what.size() == 2u);
  BOOST_TEST(what[0] == "lost, whose description throws out_of_range: 9");
  BOOST_TEST(what[1].starts_with("(bad, whose description throws something"));
  BOOST_TEST(what[1].ends_with(", 7)"));
}
