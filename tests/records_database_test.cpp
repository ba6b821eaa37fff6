// Records as users reach them, on SQLite and on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "name_race.hpp"
#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/actors/record_router.hpp>
#include <steward/runtime/records.hpp>

#include <atomic>
#include <future>
#include <list>

using namespace steward;
using namespace record_test;
namespace data = boost::unit_test::data;

namespace {

caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
  cafx::tune(cfg);
  return cfg;
}

struct fixture {
  temp_dir dir;
  std::string url;
  std::string prefix; // names of this test alone
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};
  std::unique_ptr<records> all;

  fixture() {
    logger_of("persistence").set_level(spdlog::level::off);
  }

  ~fixture() {
    if (all)
      all->stop({5s});
  }

  void open(const std::string& kind) {
    static int count = 0;
    prefix = std::to_string(::getpid()) + "/" + std::to_string(++count) + "/";
    url = kind == "sqlite" ? "sqlite:" + (dir / "records.db").string()
                           : postgres_url();
    all = open_records(sys, {url, "me"});
  }

  record_request named(const std::string& name) const {
    return {prefix + name, prefix + "pool", "key", "attributes"};
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(records_on, fixture)

BOOST_DATA_TEST_CASE_F(fixture, many_threads_that_ask_for_a_name_get_one_id,
                       data::make(both), kind) {
  open(kind);
  race_for_names(*all, 8, 200,
                 [this](std::size_t i) { return named(std::to_string(i)); });
}

BOOST_DATA_TEST_CASE_F(fixture, a_record_is_changed_closed_and_read_back,
                       data::make(both), kind) {
  open(kind);
  auto first = all->get_or_create(named("a"), {30s});
  BOOST_TEST(first.verdict == record_verdict::created, first.cause);
  auto& name = first.row.name;
  auto changed = all->update({name, first.row.version, {}, "pgid 7"}, {30s});
  BOOST_TEST(changed.verdict == record_verdict::existed);
  BOOST_TEST(all->update({name, first.row.version, "x"}, {30s}).verdict
             == record_verdict::conflict);
  auto strict = named("a");
  strict.attributes = "others";
  strict.strict = true;
  auto other = all->get_or_create(strict, {30s});
  BOOST_TEST(other.verdict == record_verdict::conflict);
  BOOST_TEST(other.row.attributes == "attributes");
  auto closed = all->close(name, close_reason::requested, {30s});
  BOOST_TEST(!closed.row.open);
  auto rows = all->find({prefix + "b", name}, {30s});
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST(!rows[0].has_value());
  BOOST_REQUIRE(rows[1].has_value());
  BOOST_TEST(rows[1]->journal == "pgid 7");
  BOOST_TEST(rows[1]->version == 3);
  BOOST_TEST((rows[1]->reason == close_reason::requested));
  auto page = all->page({.pool = prefix + "pool", .open = false}, {30s});
  BOOST_TEST(page.size() == 1u);
}

BOOST_DATA_TEST_CASE_F(fixture, notes_of_many_names_are_durable_after_a_flush,
                       data::make(both), kind) {
  open(kind);
  for (int i = 0; i < 3000; ++i) {
    all->note_opened(named(std::to_string(i)), noon);
    if (i % 2 == 0)
      all->note_closed(prefix + std::to_string(i), close_reason::idle, noon);
  }
  BOOST_TEST(all->flush({30s}).pending == 0u);
  std::size_t open_rows = 0;
  std::size_t closed_rows = 0;
  for (record_query next{.pool = prefix + "pool"};;) {
    auto rows = all->page(next, {30s}).rows;
    for (auto& row : rows)
      ++(row.open ? open_rows : closed_rows);
    if (rows.size() < next.rows_max)
      break;
    next.after = rows.back().id;
  }
  BOOST_TEST(open_rows == 1500u);
  BOOST_TEST(closed_rows == 1500u);
  BOOST_TEST(all->counters().queued == 0u);
}

BOOST_DATA_TEST_CASE_F(fixture, a_bad_row_fails_alone_whoever_is_beside_it,
                       data::make(both), kind) {
  open(kind);
  for (int i = 0; i < 50; ++i)
    all->note_opened(named(std::to_string(i)), noon);
  all->note_opened({prefix + std::string(2000, 'n'), "", "", ""}, noon);
  auto answer = all->get_or_create(
    {std::string(2000, 'n'), prefix + "pool", "", ""}, {30s});
  BOOST_TEST((answer.trouble == record_trouble::bad_row));
  BOOST_TEST(all->flush({30s}).pending == 0u);
  BOOST_TEST(all->page({.pool = prefix + "pool"}, {30s}).size() == 50u);
  BOOST_TEST(all->counters().failed == 2u);
}

BOOST_DATA_TEST_CASE_F(fixture, a_row_that_is_too_large_fails_alone,
                       data::make(both), kind) {
  open(kind);
  auto edge = named("edge");
  create_record bare;
  bare.draft.name = edge.name;
  bare.draft.pool = edge.pool;
  bare.draft.key = edge.key;
  bare.draft.owner = "me";
  edge.attributes = std::string(record_bytes_max - size_of(bare), 'x');
  auto more = edge;
  more.name = prefix + "more";
  more.attributes += 'x';
  auto refused = all->get_or_create(more, {30s});
  BOOST_TEST((refused.trouble == record_trouble::bad_row));
  BOOST_TEST(contains(refused.cause, "allowed are 16000000"), refused.cause);
  BOOST_TEST(all->get_or_create(edge, {30s}).verdict
             == record_verdict::created);
}

BOOST_DATA_TEST_CASE_F(fixture, after_the_stop_nobody_waits, data::make(both),
                       kind) {
  open(kind);
  all->note_opened(named("a"), noon);
  BOOST_TEST(all->stop({30s}).pending == 0u);
  auto answer = all->get_or_create(named("b"), {1h});
  BOOST_TEST((answer.trouble == record_trouble::closing));
  BOOST_TEST(!answer.may_exist);
  BOOST_TEST(
    open_record_store(url, 5s)->page({.pool = prefix + "pool"}, 5s).size()
    == 1u);
}

BOOST_AUTO_TEST_CASE(
  a_server_that_restarts_is_not_noticed_within_the_deadline) {
  postgres_server server;
  url = server.url();
  prefix = "restart/";
  all = open_records(sys, {url, "me"});
  BOOST_TEST(all->get_or_create(named("a"), {30s}).verdict
             == record_verdict::created);
  server.kill_all();
  auto coming = std::async(std::launch::async, [&] {
    return all->get_or_create(named("b"), {60s});
  });
  server.start();
  auto answer = coming.get();
  BOOST_TEST(answer.verdict == record_verdict::created, answer.cause);
  BOOST_TEST(all->page({.pool = "restart/pool"}, {30s}).size() == 2u);
  all->stop({5s});
}

void send_to_all(const postgres_server& server, int signal) {
  for (auto child : server.children())
    ::kill(child, signal);
}

BOOST_AUTO_TEST_CASE(an_actor_is_answered_in_time_while_a_server_hangs) {
  using clock = std::chrono::steady_clock;
  postgres_server server;
  records_options how{server.url(), "me"};
  how.persistence.queue_max = 3; // the half of all names
  all = open_records(sys, how);
  all->get_or_create(named("n"));
  send_to_all(server, SIGSTOP);
  std::list<std::promise<record_answer>> said;
  auto ask = [&](duration patience) {
    auto& to = said.emplace_back();
    sys.spawn(
      [&](caf::event_based_actor* self, duration how_long) {
        all->get_or_create(self, named("n"),
                           [&](const record_answer& x) { to.set_value(x); },
                           {how_long});
      },
      patience);
    return to.get_future();
  };
  // A server that does not answer is waited for for 6 s.
  auto start = clock::now();
  auto took = [&] { return clock::now() - start; };
  auto first = ask(700ms);
  BOOST_TEST((first.get().trouble == record_trouble::timed_out));
  BOOST_TEST((took() >= 700ms && took() < 2s));
  start = clock::now(); // that transaction hangs still
  std::vector<std::future<record_answer>> others;
  while (others.size() < 3)
    others.push_back(ask(300ms));
  std::size_t refused = 0;
  for (auto& x : others)
    refused += x.get().trouble == record_trouble::queue_full;
  BOOST_TEST(refused == 1u); // it is in the queue, who has gone or not
  BOOST_TEST((took() >= 300ms && took() < 2s));
  send_to_all(server, SIGCONT);
  // Those who have gone leave the queue when the transaction is over.
  record_answer after;
  do {
    after = all->get_or_create(named("n"), {20s});
  } while (after.trouble == record_trouble::queue_full && took() < 20s);
  BOOST_TEST(after.verdict == record_verdict::existed);
  all->stop({10s});
  all.reset();
}

BOOST_AUTO_TEST_CASE(a_name_has_always_the_same_writer) {
  BOOST_TEST(writer_of("a", 1) == 0u);
  std::size_t first = 0;
  for (int i = 0; i < 1000; ++i) {
    auto name = "n" + std::to_string(i);
    BOOST_TEST(writer_of(name, 2) == writer_of(name, 2));
    first += writer_of(name, 2) == 0;
  }
  BOOST_TEST((first > 400 && first < 600));
}

BOOST_AUTO_TEST_SUITE_END()
