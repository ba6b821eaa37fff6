#include <boost/test/unit_test.hpp>

#include "name_race.hpp"
#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/runtime/records.hpp>
#include <steward/testkit/faulty_store.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>

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

BOOST_AUTO_TEST_CASE(a_disk_that_hangs_keeps_no_actor_from_its_answer) {
  std::promise<void> entered;
  std::promise<void> let;
  std::atomic<bool> once{true};
  testkit::store_faults hangs;
  hangs.before_commit = [&]() -> std::optional<store_errc> {
    if (once.exchange(false)) {
      entered.set_value();
      let.get_future().wait();
    }
    return std::nullopt;
  };
  auto around = surroundings::machine();
  around.open_store = [&](const std::string& url, duration wait_max) {
    return std::make_unique<testkit::faulty_store>(
      open_record_store(url, wait_max), hangs);
  };
  auto stuck = open_records(
    sys, {.url = "sqlite:" + path.string(), .owner = "me"}, around);
  auto ask = [&](const char* name) {
    auto said = std::make_shared<std::promise<record_answer>>();
    sys.spawn(
      [&stuck, said](caf::event_based_actor* self, const char* wanted) {
        stuck->get_or_create(self, named(wanted),
                             [said](auto& x) { said->set_value(x); }, {100ms});
      },
      name);
    return said->get_future();
  };
  auto first = ask("a");
  entered.get_future().wait();
  auto second = ask("b");
  for (auto* x : {&first, &second}) {
    BOOST_REQUIRE((x->wait_for(30s) == std::future_status::ready));
    auto answer = x->get();
    BOOST_TEST((answer.trouble == record_trouble::timed_out));
    BOOST_TEST(answer.may_exist == (x == &first)); // which is under way
  }
  let.set_value();
  BOOST_TEST(stuck->flush({20s}).pending == 0u);
  auto rows = stuck->find({"a", "b"});
  BOOST_TEST((rows[0].has_value() && !rows[1].has_value()));
  BOOST_TEST(stuck->counters().queued == 0u);
  stuck->stop({5s});
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
