// Real processes that die, and what is left of theirs.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "child_process.hpp"
#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/runtime/durable.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/storage/internal/pg_connection.hpp>

#include <spdlog/sinks/ostream_sink.h>

#include <libpq-fe.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

using namespace steward;
using namespace record_test;
namespace data = boost::unit_test::data;

namespace {

// A process group that would run for ever; nothing ends it but a signal.
struct sleeper {
  pid_t group = 0;
};

struct sleeper_opener {
  sleeper open(const open_request&, journal& notes) const {
    pipe_pair gate;
    auto child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      gate.close_write();
      // Not before it is written down who we are.
      if (gate.read_some(1).empty())
        ::_exit(0);
      ::execl("/bin/sleep", "sleep", "1000", nullptr);
      ::_exit(127);
    }
    ::setpgid(child, child);
    notes.write(std::to_string(child));
    gate.write_all("x");
    return {child};
  }

  void close(sleeper& x) const {
    ::kill(-x.group, SIGKILL);
    ::waitpid(x.group, nullptr, 0);
  }

  void reclaim(const record& x) const {
    if (!x.journal.empty())
      ::kill(-std::stoi(x.journal), SIGKILL);
  }
};

using opener = durable_opener<sleeper, sleeper_opener>;

// Whether any process of the group still runs; zombies do not.
bool runs(pid_t group) {
  for (auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    std::ifstream in{entry.path() / "stat"};
    std::string text;
    if (!std::getline(in, text))
      continue;
    std::istringstream rest{text.substr(text.rfind(')') + 1)};
    char state = '?';
    pid_t parent = 0;
    pid_t found = 0;
    rest >> state >> parent >> found;
    if (found == group && state != 'Z' && state != 'X')
      return true;
  }
  return false;
}

// A program with a pool of sleepers.
struct program {
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};
  std::shared_ptr<record_guard> guard;

  program(const std::string& url, const std::string& owner,
          duration lease = 1h) {
    logger_of("persistence").set_level(spdlog::level::off);
    guard = std::make_shared<record_guard>(
      sys, guard_options{.url = url, .owner = owner, .lease = lease});
  }

  opener make_opener() const {
    return {"sleepers", guard, sleeper_opener{}};
  }

  static caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
    cafx::tune(cfg);
    return cfg;
  }
};

// A program that has just started, in one call.
struct restarted {
  caf::actor_system_config cfg;
  caf::actor_system sys{program::tuned(cfg)};
  reclaim_report found;
  runtime rt;
  steward::pool<durable<sleeper>> pool;

  restarted(const std::string& url, const std::string& owner)
    : rt(sys, {.records = url, .owner = owner, .lease = 1h}),
      pool(rt.make_durable_pool<sleeper>({.name = "sleepers"}, sleeper_opener{},
                                         &found)) {
  }
};

// Opens sleepers, says which, and never ends by itself.
void hold_sleepers(const std::string& url, const std::string& owner, int count,
                   const pipe_pair& out) {
  restarted mine{url, owner};
  auto& pool = mine.pool;
  std::vector<lease<durable<sleeper>>> held;
  for (int i = 0; i < count; ++i) {
    auto got = pool.acquire("key", {.deadline = 20s});
    if (!got)
      throw std::runtime_error{describe(got.error())};
    out.write_all(std::to_string((*got)->value.group) + "\n");
    held.push_back(std::move(*got));
  }
  out.write_all("ready\n");
  for (;;)
    ::pause();
}

std::vector<pid_t> groups_of(child_process& holder) {
  std::string said;
  while (said.find("ready") == said.npos) {
    auto part = holder.read_some();
    BOOST_REQUIRE_MESSAGE(!part.empty() && !said.starts_with("error"), said);
    said += part;
  }
  std::vector<pid_t> result;
  std::istringstream in{said};
  for (pid_t group = 0; in >> group;)
    result.push_back(group);
  return result;
}

std::string url_of(const std::string& kind, const temp_dir& dir) {
  return kind == "sqlite" ? "sqlite:" + (dir / "records.db").string()
                          : postgres_url();
}

// An open that meets the loss of the lease is refused, the next one is not.
bool opens_at_last(record_guard& guard) {
  for (auto name : {"lost/1", "lost/2"}) {
    try {
      guard.open({name + std::to_string(::getpid()), "lost", "key", ""});
      return true;
    } catch (const records_unwritable&) {
      continue;
    }
  }
  return false;
}

// What the database says of the only node of this owner.
std::string state_of(record_store& store, const std::string& owner) {
  for (auto& x : store.nodes(5s))
    if (x.owner == owner)
      return x.expired ? "expired" : "good";
  return "unknown";
}

// Somebody writes a time into an open record that is none.
void spoil(const std::string& kind, const std::string& url,
           const std::string& name) {
  if (kind == "sqlite")
    SQLite::Database{url.substr(url.find(':') + 1), SQLite::OPEN_READWRITE}
      .exec("UPDATE record SET opened_at = 'noon' WHERE name = '" + name + "'");
  else
    pg_connection{url, {}, {}}.exec(
      database_stage::commit,
      "UPDATE steward_record SET opened_at = 'infinity' WHERE name = '" + name
        + "'");
}

struct fixture {
  temp_dir dir;

  fixture() {
    // Orphans come to us, so that the dead do not look alive for long.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  ~fixture() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(durable_pool, fixture)

BOOST_DATA_TEST_CASE_F(fixture,
                       after_a_kill_no_process_is_left_and_all_is_closed,
                       data::make(both), kind) {
  auto url = url_of(kind, dir);
  // Forked before this process has a thread.
  child_process victim{
    [&](auto& out) { hold_sleepers(url, "victim", 3, out); }};
  child_process survivor{
    [&](auto& out) { hold_sleepers(url, "survivor", 2, out); }};
  auto dead = groups_of(victim);
  auto alive = groups_of(survivor);
  BOOST_REQUIRE_EQUAL(dead.size(), 3u);
  BOOST_REQUIRE_EQUAL(alive.size(), 2u);
  victim.kill();
  victim.wait();
  for (auto group : dead)
    BOOST_TEST(runs(group)); // that is what would leak
  child_process next{[&](auto& out) {
    restarted mine{url, "victim"};
    out.write_all(std::to_string(mine.found.reclaimed) + " "
                  + std::to_string(mine.found.failed.size()) + "\n");
  }};
  auto said = next.lines();
  BOOST_TEST(next.wait() == 0);
  BOOST_REQUIRE_EQUAL(said.size(), 1u);
  BOOST_TEST(said[0] == "3 0");
  for (auto group : dead)
    BOOST_TEST(!runs(group));
  for (auto group : alive)
    BOOST_TEST(runs(group)); // who lives is never robbed
  for (auto& row : open_record_store(url, 5s)->list("", 5s)) {
    if (row.owner == "victim")
      BOOST_TEST((!row.open && row.reason == close_reason::orphaned), row.name);
    if (row.owner == "survivor")
      BOOST_TEST(row.open, row.name);
  }
  survivor.kill();
  survivor.wait();
  child_process last{[&](auto& out) {
    program mine{url, "last"};
    out.write_all(std::to_string(mine.make_opener().reclaim().reclaimed));
  }};
  BOOST_TEST(last.lines().at(0) == "2");
  for (auto group : alive)
    BOOST_TEST(!runs(group));
}

BOOST_AUTO_TEST_CASE(who_is_stopped_for_long_is_alive) {
  auto url = url_of("sqlite", dir);
  child_process stopped{
    [&](auto& out) { hold_sleepers(url, "stopped", 1, out); }};
  auto groups = groups_of(stopped);
  stopped.signal(SIGSTOP);
  child_process other{[&](auto& out) {
    // As if hours had passed: the database says that the lease is over.
    SQLite::Database db{(dir / "records.db").string(), SQLite::OPEN_READWRITE};
    db.exec("UPDATE node SET expires_at = 0");
    program mine{url, "other"};
    out.write_all(std::to_string(mine.make_opener().reclaim().reclaimed));
  }};
  BOOST_TEST(other.lines().at(0) == "0");
  BOOST_TEST(runs(groups.at(0)));
  stopped.signal(SIGCONT);
  ::kill(-groups.at(0), SIGKILL);
}

BOOST_DATA_TEST_CASE_F(fixture, what_is_opened_after_a_lost_lease_is_reclaimed,
                       data::make(both), kind) {
  auto url = url_of(kind, dir);
  auto owner = "stopped-" + std::to_string(::getpid());
  child_process stopped{[&](auto& out) {
    program mine{url, owner, 2s};
    ::raise(SIGSTOP);
    // At once, so that no heartbeat need come before it.
    auto opened = opens_at_last(*mine.guard);
    out.write_all(opened && mine.guard->lost() ? "opened\n" : "not\n");
    ::kill(::getpid(), SIGKILL);
  }};
  auto store = open_record_store(url, 5s);
  auto until = std::chrono::steady_clock::now() + 30s;
  while (state_of(*store, owner) != "expired"
         && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  // Who comes forgets it, as it has nothing open.
  store->leave(store->join({0, "passer-by", {}, false}, 1h, 5s), 5s);
  BOOST_TEST(state_of(*store, owner) == "unknown");
  stopped.signal(SIGCONT);
  BOOST_TEST(stopped.lines().at(0) == "opened");
  stopped.wait();
  program next{url, "next"};
  auto report = next.guard->reclaim("lost", [](const record&) {});
  BOOST_TEST(report.reclaimed == 1u);
  for (auto& row : store->list(owner, 5s))
    BOOST_TEST(!row.open, row.name);
}

BOOST_AUTO_TEST_CASE(a_close_that_meets_an_outage_is_made_up_for) {
  auto url = url_of("sqlite", dir);
  program mine{url, "other"};
  std::ostringstream said;
  auto& sinks = logger_of("runtime").sinks();
  auto usual = std::exchange(
    sinks, {std::make_shared<spdlog::sinks::ostream_sink_mt>(said)});
  std::shared_ptr<records> all = open_records(mine.sys,
                                              {.url = url, .owner = "me"});
  {
    record_guard guard{all, {.url = url, .owner = "me", .patience = 300ms}};
    guard.open({"sleepers/x", "sleepers", "key", ""});
    lock_holder outage{dir / "records.db"};
    BOOST_CHECK_NO_THROW(guard.close("sleepers/x", close_reason::idle));
    // Who drains now hears of it.
    BOOST_TEST(all->flush({100ms}).pending == 1u);
  }
  BOOST_TEST(all->flush({20s}).pending == 0u);
  auto row = open_record_store(url, 5s)->list("me", 5s).at(0);
  BOOST_TEST(!row.open);
  BOOST_TEST((row.reason == close_reason::idle));
  BOOST_TEST(contains(said.str(), "close_not_durable record=sleepers/x"),
             said.str());
  sinks = usual;
  all->stop({5s});
}

BOOST_AUTO_TEST_CASE(to_close_what_was_never_recorded_is_refused) {
  program mine{url_of("sqlite", dir), "me"};
  BOOST_CHECK_THROW(mine.guard->close("sleepers/x", close_reason::idle),
                    records_unwritable);
}

BOOST_AUTO_TEST_CASE(a_crash_while_opening_leaves_a_record_and_no_resource) {
  auto url = url_of("sqlite", dir);
  child_process victim{[&](auto& out) {
    program mine{url, "victim"};
    mine.guard->open({"sleepers/x", "sleepers", "key", ""});
    out.write_all("ready\n");
    ::kill(::getpid(), SIGKILL);
  }};
  groups_of(victim);
  victim.wait();
  program mine{url, "next"};
  auto report = mine.make_opener().reclaim();
  BOOST_TEST(report.reclaimed == 1u);
  auto row = open_record_store(url, 5s)->list("victim", 5s).at(0);
  BOOST_TEST((row.reason == close_reason::orphaned));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_taken_back_stays_open_and_is_reported) {
  auto url = url_of("sqlite", dir);
  auto store = open_record_store(url, 5s);
  auto gone = store->join({0, "gone", {}, false}, 0s, 5s);
  for (auto name : {"a", "b"}) {
    auto row = draft(name);
    row.incarnation = gone;
    store->write(batch{create_record{row}}, 5s);
  }
  std::size_t found = 0;
  for (int start = 0; start < 2; ++start) {
    program mine{url, "me"};
    auto report = mine.guard->reclaim("sessions", [&](const record& x) {
      if (x.name == "a" && start == 0)
        throw std::runtime_error{"not yet"};
      ++found;
    });
    BOOST_TEST(report.reclaimed == 1u);
    BOOST_TEST(report.failed.size() == (start == 0 ? 1u : 0u));
    if (start == 0)
      BOOST_TEST(report.failed[0] == "'a': not yet");
  }
  BOOST_TEST(found == 2u);
}

BOOST_DATA_TEST_CASE_F(fixture, what_cannot_be_read_keeps_nothing_else_open,
                       data::make(both), kind) {
  auto url = url_of(kind, dir);
  auto store = open_record_store(url, 5s);
  auto gone = store->join({0, "gone", {}, false}, 0s, 5s);
  auto pool = "unreadable-" + std::to_string(::getpid());
  for (auto name : {"/a", "/b", "/c"}) {
    auto row = draft(pool + name);
    row.pool = pool;
    row.incarnation = gone;
    store->write(batch{create_record{row}}, 5s);
  }
  spoil(kind, url, pool + "/b");
  std::size_t found = 0;
  for (int start = 0; start < 2; ++start) {
    program mine{url, "me"};
    auto report = mine.guard->reclaim(pool, [&](const record&) { ++found; });
    BOOST_TEST(report.reclaimed == (start == 0 ? 2u : 0u));
    BOOST_REQUIRE_EQUAL(report.failed.size(), 1u); // at each start
    BOOST_TEST(contains(report.failed[0], "'" + pool + "/b'"),
               report.failed[0]);
  }
  BOOST_TEST(found == 2u);
}

BOOST_AUTO_TEST_CASE(a_durable_pool_needs_records) {
  program mine{url_of("sqlite", dir), "me"};
  runtime rt{mine.sys};
  BOOST_CHECK_THROW(rt.make_durable_pool<sleeper>({.name = "sleepers"},
                                                  sleeper_opener{}),
                    invalid_options);
}

BOOST_AUTO_TEST_CASE(an_owner_that_ends_well_leaves_nothing_behind) {
  auto url = url_of("sqlite", dir);
  {
    restarted mine{url, "me"};
    auto got = mine.pool.acquire("key", {.deadline = 20s});
    BOOST_REQUIRE(got);
    auto store = open_record_store(url, 5s);
    auto row = store->list("me", 5s).at(0);
    BOOST_TEST(row.open);
    BOOST_TEST(row.journal == std::to_string((*got)->value.group));
    BOOST_TEST(row.incarnation == mine.rt.guard()->incarnation());
    BOOST_TEST(row.incarnation == store->nodes(5s).at(0).id);
  }
  auto store = open_record_store(url, 5s);
  BOOST_TEST((store->list("me", 5s).at(0).reason == close_reason::drained));
  BOOST_TEST(store->nodes(5s).empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(processes_are_told_apart) {
  auto me = this_process();
  BOOST_TEST((liveness_of(me) == liveness::alive));
  auto reused = me;
  ++reused.started; // the same number, later
  BOOST_TEST((liveness_of(reused) == liveness::dead));
  auto gone = me;
  gone.pid = 4'194'305; // above any that Linux gives
  BOOST_TEST((liveness_of(gone) == liveness::dead));
  auto elsewhere = me;
  elsewhere.host += "x";
  BOOST_TEST((liveness_of(elsewhere) == liveness::unknown));
  BOOST_TEST((liveness_of({}) == liveness::unknown));
}

// What /proc says of a process after its name.
std::vector<std::string> fields_of(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string text;
  std::getline(in, text);
  std::istringstream fields{text.substr(text.rfind(')') + 1)};
  return {std::istream_iterator<std::string>{fields}, {}};
}

BOOST_AUTO_TEST_CASE(who_goes_on_without_his_first_thread_is_alive) {
  auto child = ::fork();
  if (child == 0) {
    std::thread{[] {
      for (;;)
        ::pause();
    }}.detach();
    ::syscall(SYS_exit, 0); // this thread only
  }
  auto until = std::chrono::steady_clock::now() + 20s;
  while (fields_of(child).at(0) != "Z"
         && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST(fields_of(child).at(0) == "Z");
  process_id it{this_process().host, child,
                std::stoll(fields_of(child).at(19))};
  BOOST_TEST((liveness_of(it) == liveness::alive));
  ::kill(child, SIGKILL);
  siginfo_t ended{};
  ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  BOOST_TEST((liveness_of(it) == liveness::dead)); // and not yet waited for
  ::waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(only_the_dead_and_the_expired_are_adopted_from) {
  node x{7, "owner", {}, false};
  node expired{7, "owner", {}, true};
  for (auto process : {liveness::alive, liveness::dead, liveness::unknown}) {
    BOOST_TEST(may_adopt_from(x, 1, process) == (process == liveness::dead));
    BOOST_TEST(may_adopt_from(expired, 1, process)
               == (process != liveness::alive));
    BOOST_TEST(!may_adopt_from(expired, 7, process)); // never from oneself
  }
}
