// Who answers for open resources, and what becomes of those of nobody.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/runtime/record_guard.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/testkit/faulty_store.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

using namespace steward;
using namespace record_test;
namespace data = boost::unit_test::data;

namespace {

struct fixture {
  temp_dir dir;
  std::string url = "sqlite:" + (dir / "records.db").string();
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};

  fixture() {
    for (auto* part : {"persistence", "runtime"})
      logger_of(part).set_level(spdlog::level::off);
  }

  guard_options options(duration lease = 1h) const {
    return {.url = url, .owner = "me", .lease = lease, .patience = 10s};
  }

  static caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
    cafx::tune(cfg);
    return cfg;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(guard, fixture)

BOOST_DATA_TEST_CASE_F(fixture, what_no_known_process_opened_is_reclaimed,
                       data::make(both), kind) {
  if (kind == std::string{"postgresql"})
    url = postgres_url();
  auto pool = "stray-" + std::to_string(::getpid());
  auto store = open_record_store(url, 20s);
  // Its node was forgotten just before this came, and then it died.
  auto left = draft(pool + "/x", 7);
  left.pool = pool;
  left.incarnation = store->join({0, pool, {}, false}, 0s, 5s);
  store->leave(left.incarnation, 5s);
  auto unguarded = left;
  unguarded.name += "/of nobody";
  unguarded.creator = token(8);
  unguarded.incarnation = 0;
  const std::array<record_write, 2> rows = {create_record{left},
                                            create_record{unguarded}};
  store->write(rows, 5s);
  auto is_stray = [&] {
    auto all = store->strays(5s);
    return std::find(all.begin(), all.end(), left.incarnation) != all.end();
  };
  BOOST_TEST(is_stray());
  record_guard next{sys, options()};
  std::vector<std::string> seen;
  auto report = next.reclaim(pool,
                             [&](const record& x) { seen.push_back(x.name); });
  BOOST_TEST(report.reclaimed == 1u);
  BOOST_TEST((seen == std::vector{left.name}));
  BOOST_TEST(!is_stray());
}

BOOST_AUTO_TEST_CASE(what_may_be_of_the_living_is_named_and_left) {
  auto store = open_record_store(url, 20s);
  auto theirs = draft("sleepers/x");
  theirs.pool = "sleepers";
  theirs.incarnation = store->join({0, "they", {}, false}, 1h, 5s);
  store->join({0, "who has nothing open", {}, false}, 1h, 5s);
  const std::array<record_write, 1> rows = {create_record{theirs}};
  store->write(rows, 5s);
  record_guard next{sys, options()};
  auto take_back = [](const record&) { BOOST_ERROR("somebody was robbed"); };
  auto report = next.reclaim("sleepers", take_back);
  BOOST_TEST(report.reclaimed == 0u);
  BOOST_REQUIRE_EQUAL(report.left.size(), 1u);
  BOOST_TEST(report.left[0].owner == "they");
  BOOST_TEST(report.left[0].incarnation == theirs.incarnation);
  BOOST_TEST(report.left[0].open == 1u);
  BOOST_TEST(next.reclaim("others", take_back).left.empty());
}

BOOST_AUTO_TEST_CASE(a_lease_that_is_over_is_lost_at_once) {
  record_guard mine{sys, options(1s)};
  BOOST_TEST(!mine.lost());
  lock_holder outage{dir / "records.db"}; // through which no heartbeat comes
  auto until = std::chrono::steady_clock::now() + 20s;
  while (!mine.lost() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST(mine.lost());
}

BOOST_AUTO_TEST_CASE(an_open_of_which_nobody_knows_leaves_nothing_open) {
  std::atomic<bool> bad{false};
  auto around = surroundings::machine();
  around.open_store = [&](const std::string& where, duration wait_max) {
    testkit::store_faults faults;
    faults.after_commit = [&] {
      return bad ? std::optional{store_errc::io} : std::nullopt;
    };
    return std::make_unique<testkit::faulty_store>(
      open_record_store(where, wait_max), std::move(faults));
  };
  std::shared_ptr<records> all = open_records(sys, {.url = url, .owner = "me"},
                                              around);
  auto how = options();
  how.patience = 200ms;
  record_guard mine{all, how, around};
  all->get_or_create({"sleepers/theirs", "sleepers", "key", ""});
  bad = true;
  for (auto* name : {"sleepers/mine", "sleepers/theirs"})
    BOOST_CHECK_THROW(mine.open({name, "sleepers", "key", ""}),
                      records_unwritable);
  bad = false;
  BOOST_TEST(all->flush({20s}).pending == 0u);
  auto rows = all->find({"sleepers/mine", "sleepers/theirs"});
  BOOST_REQUIRE(rows[0].has_value());
  BOOST_TEST(!rows[0]->open);
  BOOST_TEST(rows[1]->open); // somebody else made it
  all->stop({5s});
}

BOOST_AUTO_TEST_CASE(who_is_stuck_in_a_close_does_not_find_the_records_gone) {
  std::shared_ptr<records> all = open_records(sys, {.url = url, .owner = "me"});
  record_guard mine{all, options()};
  mine.open({"sleepers/x", "sleepers", "key", ""});
  all->stop({5s});
  std::weak_ptr<records> kept = all;
  all.reset(); // as a runtime does that has no more patience
  BOOST_TEST(!kept.expired());
  BOOST_CHECK_NO_THROW(mine.close("sleepers/x", close_reason::idle));
  mine.end(); // and who keeps the guard keeps nothing else
  BOOST_TEST(kept.expired());
  BOOST_CHECK_NO_THROW(mine.close("sleepers/x", close_reason::idle));
  BOOST_CHECK_THROW(mine.open({"sleepers/y", "sleepers", "key", ""}),
                    records_unwritable);
}

namespace {

// Opens only when it is let; tells what it has come to.
struct stuck_opener {
  struct gates {
    std::promise<void> entered;
    std::promise<void> let;
    std::promise<void> closed;
  };

  std::shared_ptr<gates> by = std::make_shared<gates>();

  int open(const open_request&, journal&) const {
    by->entered.set_value();
    by->let.get_future().wait();
    return 7;
  }

  void close(int&) const {
    by->closed.set_value();
  }

  void reclaim(const record&) const {
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(
  an_opener_that_is_stuck_keeps_no_actor_system_from_ending) {
  stuck_opener user;
  {
    caf::actor_system_config own_cfg;
    caf::actor_system own{tuned(own_cfg)};
    runtime rt{own, {.records = url, .owner = "me", .close_timeout = 100ms}};
    auto pool = rt.make_durable_pool<int>({.name = "stuck"}, user);
    std::thread asker{[&] { pool.acquire("key", {.deadline = 100ms}); }};
    user.by->entered.get_future().wait();
    asker.join();
    BOOST_TEST(rt.drain(0s).stuck == 1u);
  }
  user.by->let.set_value();
  user.by->closed.get_future().wait();
  // What it could not close any more is taken back by who comes next.
  record_guard next{sys, options()};
  BOOST_TEST(next.reclaim("stuck", [](const record&) {}).reclaimed == 1u);
}

namespace {

struct expected_opener {
  std::shared_ptr<std::promise<std::string>> reclaimed;

  int open(const open_request&, journal&) const {
    return 7;
  }

  void reclaim(const record& x) const {
    reclaimed->set_value(x.name);
  }
};

} // namespace

// As after the quick restart of a container: nobody can see that it is dead.
BOOST_AUTO_TEST_CASE(what_is_left_is_taken_back_when_its_lease_is_over) {
  auto store = open_record_store(url, 20s);
  auto theirs = draft("sleepers/x");
  theirs.pool = "sleepers";
  theirs.incarnation = store->join({0, "they", {}, false}, 3s, 5s);
  const std::array<record_write, 1> rows = {create_record{theirs}};
  store->write(rows, 5s);
  runtime rt{sys, {.records = url, .owner = "me", .lease = 1500ms}};
  expected_opener user{std::make_shared<std::promise<std::string>>()};
  auto reclaimed = user.reclaimed->get_future();
  reclaim_report found;
  auto pool = rt.make_durable_pool<int>({.name = "sleepers"}, user, &found);
  BOOST_TEST(found.reclaimed == 0u);
  BOOST_TEST(found.left.size() == 1u);
  BOOST_REQUIRE((reclaimed.wait_for(20s) == std::future_status::ready));
  BOOST_TEST(reclaimed.get() == "sleepers/x");
  rt.drain(1s);
  auto after = store->list("", 5s);
  BOOST_REQUIRE_EQUAL(after.size(), 1u);
  BOOST_TEST(!after[0].open);
  BOOST_TEST((after[0].reason == close_reason::orphaned));
}

BOOST_AUTO_TEST_SUITE_END()
