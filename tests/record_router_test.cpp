// Several persistences behind one actor: each name has its writer, and what is
// for all is answered when the last one has.
#include <steward/actors/record_router.hpp>
#include <steward/messages/records.hpp>
#include <steward/testkit/probe.hpp>

#include <boost/test/unit_test.hpp>

#include <future>
#include <string>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point limit{1'000s};

struct fixture {
  static constexpr std::size_t count = 3;

  std::vector<caf::actor> handles() const {
    return {writers.begin(), writers.end()};
  }

  testkit::sim s;
  testkit::probe client = s.probe("client");
  std::vector<testkit::probe> writers{s.probe("a"), s.probe("b"), s.probe("c")};
  caf::actor router = spawn_record_router(s.system(), handles());
};

record named(const std::string& name) {
  record result;
  result.name = name;
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(what_is_written_goes_to_the_one_for_its_name, fixture) {
  for (const std::string name : {"x", "y", "z", "x"}) {
    auto& writer = writers[writer_of(name, count)];
    client.send(router, note_record{create_record{named(name)}});
    BOOST_TEST(name_of(writer.expect<note_record>().write) == name);
    auto created = client.request<record_answer>(router,
                                                 get_or_create{named(name)});
    BOOST_TEST(writer.expect<get_or_create>().draft.name == name);
    writer.reply(record_answer{});
    created.get();
    auto written = client.request<record_answer>(
      router, write_record{create_record{named(name)}});
    BOOST_TEST(name_of(writer.expect<write_record>().write) == name);
    writer.reply(record_answer{});
    written.get();
  }
  for (auto& writer : writers)
    writer.expect_nothing();
}

BOOST_FIXTURE_TEST_CASE(a_flush_is_over_when_the_last_one_has_answered,
                        fixture) {
  auto flushed = client.request<records_flushed>(router, flush_records{limit});
  std::size_t pending = 0;
  for (auto& writer : writers) {
    BOOST_TEST(!flushed.answered());
    BOOST_TEST((writer.expect<flush_records>().deadline == limit));
    writer.reply(records_flushed{pending, pending > 0 ? "no disk" : ""});
    s.settle();
    ++pending;
  }
  BOOST_TEST(flushed.answered());
  BOOST_TEST(flushed.get().pending == 3u); // 0 and 1 and 2
  BOOST_TEST(flushed.get().cause == "no disk");
}

BOOST_FIXTURE_TEST_CASE(nothing_waits_with_one_that_has_gone, fixture) {
  writers[1].die();
  auto flushed = client.request<records_flushed>(router, flush_records{limit});
  for (auto i : {0, 2}) {
    writers[static_cast<std::size_t>(i)].expect<flush_records>();
    writers[static_cast<std::size_t>(i)].reply(records_flushed{1, "slow"});
  }
  BOOST_TEST(flushed.get().pending == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_waits_is_answered_in_the_same_way,
                        fixture) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  client.send(router, flush_records_blocking{limit, reply});
  for (auto& writer : writers) {
    BOOST_TEST((coming.wait_for(0s) == std::future_status::timeout));
    writer.expect<flush_records>();
    writer.reply(records_flushed{1, "slow"});
    s.settle();
  }
  BOOST_REQUIRE((coming.wait_for(0s) == std::future_status::ready));
  BOOST_TEST(coming.get().pending == 3u);
}

BOOST_FIXTURE_TEST_CASE(it_ends_when_all_have_stopped, fixture) {
  auto stopped = client.request<records_flushed>(router, stop_records{limit});
  for (auto& writer : writers) {
    writer.expect<stop_records>();
    writer.reply(records_flushed{});
  }
  BOOST_TEST(stopped.get().pending == 0u);
  BOOST_TEST(s.living("steward.record_router") == 0u);
}

BOOST_FIXTURE_TEST_CASE(it_ends_when_a_thread_has_all_stopped, fixture) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  client.send(router, stop_records_blocking{limit, reply});
  for (auto& writer : writers) {
    BOOST_TEST((writer.expect<stop_records>().deadline == limit));
    writer.reply(records_flushed{});
  }
  s.settle();
  BOOST_REQUIRE((coming.wait_for(0s) == std::future_status::ready));
  BOOST_TEST(s.living("steward.record_router") == 0u);
}

BOOST_FIXTURE_TEST_CASE(who_ends_it_ends_all, fixture) {
  caf::anon_send_exit(router, caf::exit_reason::user_shutdown);
  s.settle();
  BOOST_TEST(s.living("steward.record_router") == 0u);
  s.expect_quiescent();
  for (auto& writer : writers)
    BOOST_CHECK_THROW(writer.act([](auto*) {}), testkit::failure);
}
