// What a store answers with must be on the disk, also what it did not write
// itself. This program has the disk of the fault suite: a folder gets what was
// synced, and only that.
#include <boost/test/unit_test.hpp>

#include "record_fixtures.hpp"

#include <steward/storage/sqlite_store.hpp>

#include <sqlite3.h>

#include <cstdlib>
#include <optional>

using namespace steward;
using namespace record_test;

namespace {

// Read once in a program, so all tests share it.
struct disk {
  temp_dir dir;
  std::filesystem::path control = dir / "control";
  std::filesystem::path shadow = dir / "shadow";

  disk() {
    put('-');
    std::filesystem::create_directory(shadow);
    ::setenv("STEWARD_FAULTY_IO", control.c_str(), 1);
    ::setenv("STEWARD_SHADOW", shadow.c_str(), 1);
  }

  // In place, as it is looked at without being opened again.
  void put(char mode) const {
    auto how = std::ios::in | std::ios::out;
    if (!std::filesystem::exists(control))
      how = std::ios::out;
    std::fstream{control, how} << mode;
  }

  static const disk& get() {
    static const disk one;
    return one;
  }
};

struct fixture {
  const disk& machine = disk::get();
  temp_dir dir;
  std::filesystem::path file = dir / "records.db";

  fixture() {
    for (auto& x : std::filesystem::directory_iterator{machine.shadow})
      std::filesystem::remove(x);
    sqlite_store{file, 5s};
  }

  ~fixture() {
    machine.put('-');
  }

  // By a writer that never syncs, and then is gone as if it was killed: the row
  // is in the log, and nobody knows how much of that is on the disk.
  void leave_unsynced(const std::string& name) const {
    SQLite::Database db{file.string(), SQLite::OPEN_READWRITE};
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                      nullptr);
    db.exec("PRAGMA synchronous = OFF");
    db.exec("INSERT INTO record(name, pool, key, attributes, owner, state,"
            " opened_at, creator, writer, journal, incarnation, fingerprint)"
            " VALUES('"
            + name
            + "', '', '', '', '', 'open', '2015-05-17T10:05:03.250Z',"
              " '01000000000000000000000000000000',"
              " '01000000000000000000000000000000', '', 0, '')");
  }

  static record_answer ask(sqlite_store& store, const record_write& x) {
    return store.write(std::span{&x, 1}, 5s).at(0);
  }

  // What a power cut would leave now.
  std::size_t count_on_disk(const std::string& name) const {
    temp_dir after;
    for (auto& x : std::filesystem::directory_iterator{machine.shadow})
      std::filesystem::copy(x, after / x.path().filename().string());
    const std::vector<std::string> names{name};
    return sqlite_store{after / "records.db", 5s}.find(names, 5s)[0] ? 1 : 0;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(power_cut, fixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_on_the_disk) {
  sqlite_store store{file, 5s};
  BOOST_TEST(ask(store, create("a")).verdict == record_verdict::created);
  BOOST_TEST(count_on_disk("a") == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_dead_writer_left_unsynced_is_synced_first) {
  leave_unsynced("a");
  BOOST_TEST(count_on_disk("a") == 0u);
  sqlite_store store{file, 5s};
  BOOST_TEST(ask(store, create("a", 2)).verdict == record_verdict::existed);
  BOOST_TEST(count_on_disk("a") == 1u);
}

BOOST_AUTO_TEST_CASE(it_is_synced_also_where_a_reader_keeps_it_in_the_log) {
  SQLite::Database reader{file.string(), SQLite::OPEN_READWRITE};
  reader.exec("BEGIN");
  reader.execAndGet("SELECT count(*) FROM record");
  leave_unsynced("a");
  sqlite_store store{file, 5s};
  BOOST_TEST(ask(store, create("a", 2)).verdict == record_verdict::existed);
  BOOST_TEST(count_on_disk("a") == 1u);
}

BOOST_AUTO_TEST_CASE(it_is_synced_also_where_the_disk_is_full) {
  leave_unsynced("a");
  machine.put('f');
  sqlite_store store{file, 5s};
  BOOST_TEST(ask(store, create("a", 2)).verdict == record_verdict::existed);
  auto failure = failure_of([&] { ask(store, create("b")); });
  BOOST_TEST(failure.code() == store_errc::full, failure.what());
  BOOST_TEST(count_on_disk("a") == 1u);
}

BOOST_AUTO_TEST_CASE(a_commit_that_was_not_synced_is_acknowledged_when_it_is) {
  std::optional<sqlite_store> store;
  store.emplace(file, 5s);
  BOOST_TEST(ask(*store, create("first")).verdict == record_verdict::created);
  machine.put('e');
  auto failure = failure_of([&] { ask(*store, create("a")); });
  BOOST_TEST((failure.reaction() == reaction::unknown_outcome));
  // As long as that goes on, nobody may hear of it.
  failure = failure_of([&] { ask(*store, create("a")); });
  BOOST_TEST(heals(failure.reaction()), failure.what());
  BOOST_TEST((failure.code() == store_errc::io));
  const std::vector<std::string> names{"a"};
  failure_of([&] { store->find(names, 5s); });
  machine.put('-');
  BOOST_TEST(ask(*store, create("a")).verdict == record_verdict::created);
  BOOST_TEST(count_on_disk("a") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
