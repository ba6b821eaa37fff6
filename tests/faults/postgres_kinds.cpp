#include <steward/tests/faults/arena.hpp>

#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/postgres_store.hpp>
#include <steward/tests/faults/postgres_url.hpp>
#include <steward/tests/faults/worker.hpp>
#include <steward/tests/pooler.hpp>

#include <libpq-fe.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

namespace faults {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace steward;
using record_test::postgres_server;

constexpr postgres_limits admin_limits{2s, 2s, 5s, 6s};

// Whose server it is: one of our own, or what the environment names.
const char* url_from_outside() {
  return std::getenv("STEWARD_TEST_PG_URL");
}

// A run in a database of its own, of a server that all runs share.
class server_run {
public:
  explicit server_run(const setup& how) : how_(how), database_(unique_name()) {
    try {
      pg_connection c{base_url(), admin_limits, {}};
      c.exec(database_stage::commit, "CREATE DATABASE " + database_);
    } catch (const pg_failure& e) {
      if (e.state() == "42501") // insufficient_privilege
        throw skipped{"needs the right to make a database"};
      throw;
    }
  }

  server_run(const server_run&) = delete;
  server_run& operator=(const server_run&) = delete;

  // A server that was killed syncs every file of every database.
  ~server_run() {
    area_.reset();
    manage("DROP DATABASE " + database_ + " WITH (FORCE)");
  }

  /// Our own. Throws `skipped` if there is another one.
  static postgres_server& server() {
    if (url_from_outside() != nullptr)
      throw skipped{"needs a server of its own"};
    // Ends with the program.
    static postgres_server one{"deadlock_timeout = 1s\n"};
    return one;
  }

  /// Of a database that is there in any case.
  static std::string base_url() {
    auto* given = url_from_outside();
    return given == nullptr ? server().url() : given;
  }

  std::string url() const {
    return with(base_url(), {{"dbname", database_}});
  }

  const std::string& database() const {
    return database_;
  }

  arena& start(const std::string& url_of_workers) {
    area_.emplace(how_, url_of_workers, how_.processes);
    area_->start();
    return *area_;
  }

  arena& start() {
    return start(url());
  }

  outcome finish() {
    auto result = area_->finish(url());
    area_.reset();
    judge_deadlocks(result);
    return result;
  }

  void judge_deadlocks(outcome& result) const {
    auto deadlocks = ask(
      "SELECT deadlocks FROM pg_stat_database WHERE datname ="
      " current_database()");
    if (!deadlocks)
      throw std::runtime_error{"nobody can say how many deadlocks there were"};
    if (*deadlocks != 0)
      result.broken.push_back({7, "",
                               std::to_string(*deadlocks)
                                 + " deadlocks, and sorted batches never"
                                   " wait for each other"});
  }

  /// Runs a statement, if the server is there. Whether it was.
  bool admin(const std::string& sql) const {
    return run_at(url(), sql);
  }

  /// The same beside that database.
  static bool manage(const std::string& sql) {
    return run_at(base_url(), sql);
  }

  static bool run_at(const std::string& url, const std::string& sql) {
    try {
      pg_connection c{url, admin_limits, {}};
      c.exec(database_stage::commit, sql);
      return true;
    } catch (const pg_failure&) {
      return false;
    }
  }

  /// The number that a statement returns; none if the server has none for us.
  std::optional<std::int64_t> ask(const std::string& sql) const {
    for (int tries = 0; tries < 3; ++tries) {
      try {
        pg_connection c{url(), admin_limits, {}};
        auto said = c.exec(database_stage::begin, sql);
        if (said.rows() > 0)
          return said.number(0, 0);
      } catch (const pg_failure&) {
        std::this_thread::sleep_for(100ms); // it may be starting
      }
    }
    return std::nullopt;
  }

  void terminate_one() const {
    admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
          " = current_database() AND pid <> pg_backend_pid() ORDER BY random()"
          " LIMIT 1");
  }

  void terminate_all() const {
    manage(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
      " = '"
      + database_ + "'");
  }

private:
  static std::string unique_name() {
    static int count = 0;
    return "faults_" + std::to_string(::getpid()) + "_"
           + std::to_string(++count);
  }

  setup how_;
  std::string database_;
  std::optional<arena> area_;
};

using happen = void (*)(server_run&, arena&);

using running = std::function<outcome(const setup&)>;

// Only of a server that we may do anything to.
running to_our_own(running what) {
  return [=](const setup& how) {
    server_run::server();
    return what(how);
  };
}

// Something happens, again and again, and once at least.
running every(std::chrono::milliseconds pause, happen what) {
  return [=](const setup& how) {
    server_run run{how};
    auto& area = run.start();
    std::size_t times = 0;
    for (; area.pause(std::min(pause, how.duration / 3)); ++times)
      what(run, area);
    if (times == 0)
      throw std::runtime_error{"too short: nothing happened"};
    return run.finish();
  };
}

outcome nothing(const setup& how) {
  server_run run{how};
  run.start().wait_for_end();
  return run.finish();
}

void kill_client(server_run&, arena& area) {
  area.replace_worker(area.random(area.workers()));
}

void stop_client(server_run&, arena& area) {
  auto i = area.random(area.workers());
  area.signal_worker(i, SIGSTOP);
  area.pause(500ms);
  area.signal_worker(i, SIGCONT);
}

void terminate_backend(server_run& run, arena&) {
  run.terminate_one();
}

void kill_backend(server_run& run, arena&) {
  auto pid = run.ask("SELECT pid FROM pg_stat_activity WHERE datname ="
                     " current_database() AND pid <> pg_backend_pid() ORDER BY"
                     " random() LIMIT 1");
  if (pid)
    ::kill(static_cast<pid_t>(*pid), SIGKILL);
}

void kill_server(server_run& run, arena&) {
  run.server().kill_all();
  run.server().start();
}

// Longer than anybody waits for a lock.
void lock_table(server_run& run, arena& area) {
  try {
    pg_connection c{run.url(), admin_limits, {}};
    c.begin();
    c.exec(database_stage::statement,
           "LOCK TABLE steward_record IN EXCLUSIVE MODE");
    area.pause(2600ms);
  } catch (const pg_failure&) {
    // The workers had it.
  }
}

void cancel_statements(server_run& run, arena&) {
  run.admin(
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname ="
    " current_database() AND pid <> pg_backend_pid() AND state ="
    " 'active'");
}

void only_read(server_run& run, arena& area) {
  run.admin("ALTER DATABASE " + run.database()
            + " SET default_transaction_read_only = on");
  run.terminate_all();
  area.pause(400ms);
  // Who is read-only by default may still say that it writes.
  pg_connection c{server_run::base_url(), admin_limits, {}};
  c.exec(database_stage::commit, "ALTER DATABASE " + run.database()
                                   + " RESET default_transaction_read_only");
}

// All places are taken, and then somebody loses theirs.
void take_all_connections(server_run& run, arena& area) {
  std::vector<std::unique_ptr<pg_connection>> all;
  try {
    for (;;)
      all.push_back(
        std::make_unique<pg_connection>(run.url(), admin_limits, nullptr));
  } catch (const pg_failure&) {
    // Full: but for the places of superusers, of whom we are one.
  }
  try {
    if (!all.empty())
      all[0]->exec(
        database_stage::begin,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
        " application_name = 'steward' AND state = 'active' AND pid <>"
        " pg_backend_pid() LIMIT 4");
  } catch (const pg_failure&) {
    // It met one of ours.
  }
  area.pause(400ms);
}

// Bad weather for so long, and again, in turn.
outcome through_proxy(const setup& how, weather bad,
                      const std::vector<std::chrono::milliseconds>& lengths) {
  server_run run{how};
  auto there = options_of(run.url());
  auto default_to = [&](const char* key, const char* value) {
    there.try_emplace(key, value);
    return there[key];
  };
  proxy between{default_to("host", "/var/run/postgresql"),
                default_to("port", "5432")};
  auto& area
    = run.start(with(run.url(), {{"host", "127.0.0.1"},
                                 {"hostaddr", "127.0.0.1"},
                                 {"port", std::to_string(between.port())}}));
  for (std::size_t i = 0; area.pause(500ms); ++i) {
    between.set(bad);
    area.pause(lengths[i % lengths.size()]);
    between.set(weather::fair);
  }
  between.set(weather::fair);
  return run.finish();
}

outcome full_tablespace(const setup& how) {
  auto& server = server_run::server();
  auto folder = server.folder() / "small";
  fs::create_directory(folder);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=9m") != 0)
    throw skipped{"needs the right to mount a tmpfs"};
  struct unmount {
    fs::path where;
    ~unmount() {
      ::umount2(where.c_str(), MNT_DETACH);
    }
  } after{folder};
  server.user().give(folder);
  server_run::manage("CREATE TABLESPACE small LOCATION '" + folder.string()
                     + "'");
  server_run run{how};
  // Makes the tables, one of which goes there.
  open_record_store(run.url(), 20s);
  if (!run.admin("CREATE TABLE ballast(x text) TABLESPACE small")
      || !run.admin("ALTER TABLE steward_record SET TABLESPACE small"))
    throw std::runtime_error{"cannot fill the small tablespace"};
  auto& area = run.start();
  while (area.pause(20ms)) {
    // To the last page, however short the run; then there is space for a while.
    while (run.admin("INSERT INTO ballast SELECT repeat('x', 900) FROM"
                     " generate_series(1, 200)")) {
      area.pause(1ms);
    }
    run.admin("INSERT INTO ballast SELECT repeat('x', 900) FROM"
              " generate_series(1, 8)");
    area.pause(700ms);
    run.admin("TRUNCATE ballast");
  }
  run.admin("DROP TABLE ballast");
  auto result = run.finish();
  run.admin("DROP TABLE steward_record");
  server_run::manage("DROP TABLESPACE small");
  server_run::manage("CHECKPOINT"); // nothing is left to be flushed
  return result;
}

// Four connections write the same 1,000 names at the same time, each in an order
// of its own, straight into the store.
outcome shuffled_batches(const setup& how) {
  constexpr std::size_t writers = 4;
  constexpr std::size_t names = 1'000;
  server_run run{how};
  open_record_store(run.url(), 20s); // makes the schema
  plant_bug(how.planted);
  outcome result;
  std::atomic<std::size_t> created{0};
  std::atomic<bool> enough{false};
  std::atomic<int> rounds{0};
  auto next_round = [&]() noexcept { ++rounds; };
  std::barrier together{static_cast<std::ptrdiff_t>(writers), next_round};
  std::vector<std::thread> threads;
  auto start = std::chrono::steady_clock::now();
  auto end = start + how.duration;
  for (std::size_t n = 0; n < writers; ++n)
    threads.emplace_back([&, n] {
      postgres_store mine{run.url(), 20s};
      std::mt19937_64 random{n};
      while (!enough) {
        together.arrive_and_wait();
        std::vector<record_write> batch;
        for (std::size_t i = 0; i < names; ++i) {
          record draft;
          draft.name = std::to_string(rounds) + "/" + std::to_string(i);
          draft.creator = fingerprint_of(draft.name + std::to_string(n));
          batch.push_back(create_record{std::move(draft)});
        }
        std::shuffle(batch.begin(), batch.end(), random);
        try {
          for (auto& x : mine.write(batch, 10s))
            created += x.verdict == record_verdict::created;
        } catch (const store_failure&) {
          // The count of deadlocks tells.
        }
        if (std::chrono::steady_clock::now() > end)
          enough = true;
        together.arrive_and_wait();
      }
      together.arrive_and_drop();
    });
  for (auto& x : threads)
    x.join();
  plant_bug("");
  result.seconds
    = std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
        .count();
  result.operations = static_cast<std::size_t>(rounds) / 2 * writers * names;
  result.rows = created;
  run.judge_deadlocks(result);
  return result;
}

outcome pooled(const setup& how) {
  if (!record_test::pooler::is_installed())
    throw skipped{"needs pgbouncer"};
  auto& server = server_run::server();
  server_run run{how};
  record_test::pooler pool{server, "default_pool_size = 4\n"};
  auto& area = run.start(pool.url(run.database()));
  while (area.pause(400ms))
    run.terminate_one();
  auto result = run.finish();
  if (result.operations == 0)
    result.broken.push_back({6, "", "nothing got through"});
  return result;
}

} // namespace

std::vector<kind> postgres_kinds() {
  using lengths = std::vector<std::chrono::milliseconds>;
  auto through = [](weather bad, const lengths& times) {
    return [=](const setup& how) { return through_proxy(how, bad, times); };
  };
  return {
    {"nothing", "postgresql", nothing},
    {"shuffled batches of 1,000", "postgresql", shuffled_batches},
    {"kill -9 of clients", "postgresql", every(300ms, kill_client)},
    {"SIGSTOP of clients", "postgresql", every(200ms, stop_client)},
    {"pg_terminate_backend", "postgresql", every(50ms, terminate_backend)},
    {"kill -9 of a backend", "postgresql",
     to_our_own(every(1500ms, kill_backend))},
    {"kill -9 of the server", "postgresql",
     to_our_own(every(1000ms, kill_server))},
    {"proxy that cuts", "postgresql", through(weather::cutting, {1s})},
    {"proxy that delays", "postgresql", through(weather::slow, {1s})},
    // So long that the link is given up, shorter than a deadline, and longer.
    {"proxy that swallows all", "postgresql",
     through(weather::black_hole, {7s, 1s, 4s}), "no answer in time", 8500ms},
    {"lock_timeout", "postgresql", every(700ms, lock_table), "55P03", 4s},
    {"cancelled statements", "postgresql", every(100ms, cancel_statements),
     "57014"},
    {"read-only server", "postgresql", every(500ms, only_read), "read-only"},
    {"max_connections", "postgresql",
     to_our_own(every(300ms, take_all_connections))},
    {"pgbouncer, transactions", "postgresql", pooled},
    {"full tablespace of 9 MB", "postgresql", full_tablespace, "53100", 4s},
  };
}

} // namespace faults
