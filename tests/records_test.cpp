#include <boost/test/unit_test.hpp>

#include "name_race.hpp"
#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/runtime/records.hpp>

#include <atomic>
#include <future>

using namespace steward;
using namespace record_test;

namespace {

caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
  cafx::tune(cfg);
  return cfg;
}

struct fixture {
  temp_dir dir;
  std::filesystem::path path = dir / "records.db";
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};
  std::unique_ptr<records> all = open();

  std::unique_ptr<records> open() {
    records_options options;
    options.url = "sqlite:" + path.string();
    options.owner = "me";
    logger_of("persistence").set_level(spdlog::level::off);
    return open_records(sys, options);
  }

  ~fixture() {
    all->stop({5s});
  }

  static record_request named(std::string name) {
    return {std::move(name), "pool", "key", "attributes"};
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(records_, fixture)

BOOST_AUTO_TEST_CASE(a_thread_gets_a_durable_row_of_its_own_run) {
  auto answer = all->get_or_create(named("a"));
  BOOST_TEST(answer.verdict == record_verdict::created, answer.cause);
  auto row
    = open_record_store("sqlite:" + path.string(), 5s)->list("", 5s).at(0);
  BOOST_TEST(row.id == answer.row.id);
  BOOST_TEST(row.owner == "me");
  BOOST_TEST(row.pool == "pool");
  BOOST_TEST(row.key == "key");
  BOOST_TEST(row.attributes == "attributes");
  auto again = all->get_or_create(named("a"));
  BOOST_TEST(again.verdict == record_verdict::existed);
  BOOST_TEST(again.row.id == answer.row.id);
}

BOOST_AUTO_TEST_CASE(many_threads_that_ask_for_one_name_get_one_id) {
  constexpr std::size_t threads = 8;
  constexpr std::size_t names = 100;
  race_for_names(*all, threads, names,
                 [](std::size_t i) { return named("n-" + std::to_string(i)); });
  BOOST_TEST(all->counters().conflicts == (threads - 1) * names);
}

BOOST_AUTO_TEST_CASE(notes_are_durable_after_a_flush) {
  all->note_opened(named("a"), noon);
  all->note_opened(named("b"), noon);
  all->note_closed("a", close_reason::idle, noon + 1min);
  BOOST_TEST(all->flush({10s}).pending == 0u);
  auto rows = open_record_store("sqlite:" + path.string(), 5s)->list("", 5s);
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST(!rows[0].open);
  BOOST_TEST((rows[0].opened_at == noon));
  BOOST_TEST((rows[0].closed_at == noon + 1min));
  BOOST_TEST(rows[1].open);
}

BOOST_AUTO_TEST_CASE(an_actor_is_called_back) {
  std::promise<record_answer> said;
  auto asker = sys.spawn(
    [&](caf::event_based_actor* self, int) {
      all->get_or_create(self, named("a"),
                         [&](const record_answer& x) { said.set_value(x); });
    },
    0);
  auto coming = said.get_future();
  BOOST_REQUIRE((coming.wait_for(30s) == std::future_status::ready));
  BOOST_TEST(coming.get().verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(an_actor_is_called_back_if_records_are_closed) {
  BOOST_TEST(all->stop({10s}).pending == 0u);
  std::promise<record_answer> said;
  auto asker = sys.spawn(
    [&](caf::event_based_actor* self, int) {
      all->get_or_create(self, named("a"),
                         [&](const record_answer& x) { said.set_value(x); });
    },
    0);
  auto coming = said.get_future();
  BOOST_REQUIRE((coming.wait_for(30s) == std::future_status::ready));
  auto answer = coming.get();
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(contains(answer.cause, "records are closed"), answer.cause);
}

BOOST_AUTO_TEST_CASE(a_thread_is_answered_at_once_after_the_stop) {
  all->stop({10s});
  auto answer = all->get_or_create(named("a"), {1h});
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(answer.cause == "records are closed");
  BOOST_TEST(all->flush({1h}).cause == "records are closed");
  BOOST_TEST(all->stop({1h}).cause == "records are closed");
}

BOOST_AUTO_TEST_CASE(a_thread_is_not_kept_longer_than_a_lock_allows) {
  lock_holder other{path};
  auto answer = all->get_or_create(named("a"), {80ms});
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(contains(answer.cause, "database is locked by another process"),
             answer.cause);
  BOOST_TEST(contains(answer.cause, "gave up after"), answer.cause);
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_used_is_an_error_at_the_start) {
  records_options options;
  options.url = "sqlite:" + (dir / "no" / "records.db").string();
  auto x = failure_of([&] { open_records(sys, options); });
  BOOST_TEST(x.code() == store_errc::cannot_open);
}

BOOST_AUTO_TEST_CASE(two_runs_do_not_take_each_others_rows_for_theirs) {
  auto other = open();
  BOOST_TEST(all->get_or_create(named("a")).verdict == record_verdict::created);
  BOOST_TEST(other->get_or_create(named("a")).verdict
             == record_verdict::existed);
  other->stop({5s});
}

BOOST_AUTO_TEST_SUITE_END()
