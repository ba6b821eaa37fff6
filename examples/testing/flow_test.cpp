// Level 1 of docs/testing.md: message flows step by step.
#define BOOST_TEST_MODULE message_flows
#include "cache.hpp"

#include <steward/testkit.hpp>

#include <boost/test/unit_test.hpp>

// [first]
using namespace steward::testkit;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(what_was_read_is_known_for_a_minute) {
  sim s;
  auto client = s.probe("client");
  auto store = s.probe("store"); // stands in for a database
  auto c = s.spawn(cache, store.actor());

  auto answer = client.request<int>(c, lookup{"a"});
  BOOST_TEST(store.expect<lookup>().key == "a"); // runs until it comes
  store.reply(7);
  BOOST_TEST(answer.get() == 7);

  BOOST_TEST(client.request<int>(c, lookup{"a"}).get() == 7);
  store.expect_nothing(); // exact, and takes no time

  s.run_for(1min); // of virtual time, from due time to due time
  client.request<int>(c, lookup{"a"});
  BOOST_TEST(store.expect<lookup>().key == "a");
}
// [first]

// [errors]
BOOST_AUTO_TEST_CASE(what_the_store_refuses_is_refused) {
  sim s;
  auto client = s.probe("client");
  auto store = s.probe("store");
  auto c = s.spawn(cache, store.actor());

  auto answer = client.request<int>(c, lookup{"a"});
  store.expect<lookup>();
  store.reply(make_error(caf::sec::runtime_error, "no such table"));
  BOOST_TEST(!answer.result()); // a value or a caf::error

  auto late = client.request<int>(c, lookup{"b"});
  store.die(); // before it reads that
  BOOST_TEST(!late.result());

  s.kill(c);
  s.expect_quiescent(); // no actor, no timer, no open question
}
// [errors]

// [order]
BOOST_AUTO_TEST_CASE(what_is_written_while_it_is_read_is_stale_in_this_cache) {
  sim s;
  auto client = s.probe("client");
  auto store = s.probe("store");
  auto c = s.spawn(cache, store.actor());

  auto reads = client.request<int>(c, lookup{"a"});
  store.expect<lookup>();
  auto question = store.take_question(); // to be answered later
  auto writes = client.request<updated>(c, update{"a", 2});
  store.expect<update>();
  store.reply(updated{});
  writes.get();
  question.reply(1); // what was there before
  reads.get();
  BOOST_TEST(client.request<int>(c, lookup{"a"}).get() == 1); // should be 2
}
// [order]

// [failures]
BOOST_AUTO_TEST_CASE(failures_say_what_is_missing) {
  sim s;
  auto client = s.probe("client");
  auto store = s.probe("store");
  auto c = s.spawn(cache, store.actor());
  s.call(c, "cache");
  s.describe<lookup>([](const lookup& m) { return "lookup " + m.key; });

  auto answer = client.request<int>(c, lookup{"a"});
  auto says = [](const char* text) {
    return [text](const failure& x) { return std::string{x.what()} == text; };
  };
  BOOST_CHECK_EXCEPTION(store.expect_nothing(), failure,
                        says("an unexpected message: store got lookup a"));
  BOOST_CHECK_EXCEPTION(
    store.expect<update>(), failure,
    says("another message: store got lookup a, not update"));
  BOOST_CHECK_EXCEPTION(
    answer.get(), failure,
    says("never answered: client asked cache for int with lookup a"));
}
// [failures]
