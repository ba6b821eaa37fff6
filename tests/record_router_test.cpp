// Several persistences behind one actor: each name has its writer, and what is
// for all is answered when the last one has.
#include <steward/actors/record_counters.hpp>
#include <steward/actors/record_router.hpp>
#include <steward/messages/records.hpp>
#include <steward/testkit/probe.hpp>

#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point limit{1'000s};

// A persistence that does nothing by itself.
struct writer {
  writer(testkit::sim& s, const char* name)
    : who(s.probe(name)),
      desk(std::make_shared<record_desk>(
        10, std::make_shared<record_counters>(), s.time())) {
  }

  // The one thing that was left since the last time.
  record_desk::item left() {
    who.expect<writes_left>();
    auto all = desk->take();
    BOOST_REQUIRE(all.size() == 1u);
    return std::move(all.front());
  }

  // Of a flush.
  void answer(const records_flushed& x) {
    std::get<cafx::asker<records_flushed>>(left().from).answer(nullptr, x);
  }

  testkit::probe who;
  std::shared_ptr<record_desk> desk;
};

struct fixture {
  static constexpr std::size_t count = 3;

  std::vector<record_writer> handles() const {
    std::vector<record_writer> result;
    for (const auto& x : writers)
      result.push_back({x.who, x.desk});
    return result;
  }

  testkit::sim s;
  testkit::probe client = s.probe("client");
  std::vector<writer> writers{{s, "a"}, {s, "b"}, {s, "c"}};
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
    auto note = writer.left();
    BOOST_TEST(name_of(*note.write) == name);
    BOOST_TEST(std::holds_alternative<std::monostate>(note.from));
    auto created = client.request<record_answer>(
      router, get_or_create{named(name), limit});
    auto request = writer.left();
    BOOST_TEST(name_of(*request.write) == name);
    BOOST_TEST((request.deadline == limit));
    std::get<cafx::asker<record_answer>>(request.from).answer(nullptr, {});
    created.get();
  }
  for (auto& writer : writers)
    writer.who.expect_nothing();
}

BOOST_FIXTURE_TEST_CASE(who_is_not_answered_in_time_is_answered_by_the_router,
                        fixture) {
  auto& stuck = writers[writer_of("x", count)];
  auto deadline = s.now() + 1s;
  auto taken = client.request<record_answer>(router, get_or_create{named("x"),
                                                                   deadline});
  auto item = stuck.left();
  auto ticket = stuck.desk->waiters().add(std::move(item.from), item.deadline);
  stuck.desk->set_waiting(1);
  auto lies = client.request<record_answer>(router, get_or_create{named("x"),
                                                                  deadline});
  auto flushed = client.request<records_flushed>(router,
                                                 flush_records{deadline});
  s.run_for(1s);
  BOOST_TEST(!taken.answered());
  BOOST_TEST(!lies.answered());
  s.run_for(500ms); // which nobody has to wait longer
  BOOST_REQUIRE(taken.answered());
  auto late = taken.get();
  BOOST_TEST((late.trouble == record_trouble::timed_out));
  BOOST_TEST(late.may_exist);
  BOOST_REQUIRE(lies.answered());
  late = lies.get();
  BOOST_TEST((late.trouble == record_trouble::timed_out));
  BOOST_TEST(!late.may_exist); // nobody has begun with it
  BOOST_REQUIRE(flushed.answered());
  BOOST_TEST(flushed.get().pending > 0u);
  // What comes later is nobody's, and nothing is left of what nobody wants.
  stuck.desk->waiters().answer(ticket, record_answer{});
  BOOST_TEST(stuck.desk->take().empty());
}

BOOST_FIXTURE_TEST_CASE(what_no_desk_takes_is_answered_at_once, fixture) {
  for (auto& x : writers)
    x.desk->close();
  auto refused = client.request<record_answer>(router,
                                               get_or_create{named("x")});
  BOOST_TEST((refused.get().trouble == record_trouble::closing));
}

BOOST_FIXTURE_TEST_CASE(a_flush_is_over_when_the_last_one_has_answered,
                        fixture) {
  auto flushed = client.request<records_flushed>(router, flush_records{limit});
  s.settle();
  std::size_t pending = 0;
  for (auto& writer : writers) {
    BOOST_TEST(!flushed.answered());
    writer.answer({pending, pending > 0 ? "no disk" : ""});
    s.settle();
    ++pending;
  }
  BOOST_TEST(flushed.answered());
  BOOST_TEST(flushed.get().pending == 3u); // 0 and 1 and 2
  BOOST_TEST(flushed.get().cause == "no disk");
}

BOOST_FIXTURE_TEST_CASE(nothing_waits_with_one_that_has_gone, fixture) {
  writers[1].desk->close();
  auto flushed = client.request<records_flushed>(router, flush_records{limit});
  s.settle();
  writers[0].answer({1, "slow"});
  writers[2].answer({1, "slow"});
  BOOST_TEST(flushed.get().pending == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_waits_is_answered_in_the_same_way,
                        fixture) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  client.send(router, flush_records_blocking{limit, reply});
  s.settle();
  for (auto& writer : writers) {
    BOOST_TEST((coming.wait_for(0s) == std::future_status::timeout));
    writer.answer({1, "slow"});
    s.settle();
  }
  BOOST_REQUIRE((coming.wait_for(0s) == std::future_status::ready));
  BOOST_TEST(coming.get().pending == 3u);
}

BOOST_FIXTURE_TEST_CASE(it_ends_when_all_have_stopped, fixture) {
  auto stopped = client.request<records_flushed>(router, stop_records{limit});
  for (auto& writer : writers) {
    writer.who.expect<stop_records>();
    writer.who.reply(records_flushed{});
  }
  BOOST_TEST(stopped.get().pending == 0u);
  BOOST_TEST(s.living("steward.record_router") == 0u);
}

BOOST_FIXTURE_TEST_CASE(it_ends_when_a_thread_has_all_stopped, fixture) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  client.send(router, stop_records_blocking{limit, reply});
  for (auto& writer : writers) {
    BOOST_TEST((writer.who.expect<stop_records>().deadline == limit));
    writer.who.reply(records_flushed{});
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
    BOOST_CHECK_THROW(writer.who.act([](auto*) {}), testkit::failure);
}
