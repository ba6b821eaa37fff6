#include <boost/test/unit_test.hpp>

#include "record_fixtures.hpp"

#include <steward/storage/internal/sqlite_connection.hpp>
#include <steward/storage/record_store.hpp>
#include <steward/storage/sqlite_codes.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

using namespace steward;
using namespace record_test;

namespace {

store_failure failure_to_open(const std::string& url) {
  return failure_of([&] { open_record_store(url, 100ms); });
}

struct fixture {
  temp_dir dir;
  std::filesystem::path path = dir / "records.db";

  store_failure failure() {
    return failure_to_open("sqlite:" + path.string());
  }

  // Fails with this and leaves the file as it is.
  void is_refused(store_errc code, const std::string& why) {
    auto before = bytes_of(path);
    auto x = failure();
    BOOST_TEST(x.code() == code);
    BOOST_TEST(contains(x.what(), why), x.what());
    BOOST_TEST(contains(x.what(), path.string()), x.what());
    BOOST_TEST((bytes_of(path) == before), "the file was changed");
  }
};

void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out{path, std::ios::binary};
  out << bytes;
}

void run_sql(const std::filesystem::path& path, const std::string& sql) {
  SQLite::Database db{path.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  db.exec(sql);
}

void make_records(const std::filesystem::path& path) {
  sqlite_store store{path, 5s};
  store.write(batch{create("a")}, 5s);
}

// Permissions do not bind root, so somebody else tries: "<code>: <text>" of the
// failure, "opened" if there is none.
std::string try_as_nobody(const std::filesystem::path& path) {
  std::array<int, 2> pipe{};
  BOOST_REQUIRE(::pipe(pipe.data()) == 0);
  auto child = ::fork();
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    std::string said;
    if (::getuid() == 0 && ::setuid(nobody) != 0)
      said = "cannot become somebody else";
    try {
      if (said.empty()) {
        sqlite_store store{path, 1s};
        said = "opened";
      }
    } catch (const store_failure& x) {
      said = std::string{to_string(x.code())} + ": " + x.what();
    }
    auto written = ::write(pipe[1], said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::array<char, 1024> buffer{};
  auto got = ::read(pipe[0], buffer.data(), buffer.size());
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

} // namespace

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(a_url_that_is_not_understood_says_what_is_allowed) {
  using expectation = std::pair<const char*, const char*>;
  for (auto [url, text] : {
         expectation{
           "",
           "records URL is empty; allowed is sqlite:PATH or postgresql://..."},
         {"my.db", "records URL 'my.db' has no scheme; allowed is sqlite:PATH "
                   "or postgresql://..."},
         {"/a:b/my.db", "records URL '/a:b/my.db' has no scheme; allowed is "
                        "sqlite:PATH or postgresql://..."},
         {"sqlite:", "records URL 'sqlite:' has no path; allowed is "
                     "sqlite:PATH or postgresql://..."},
         {"sqlite::memory:",
          "records URL 'sqlite::memory:' names no file, and records outlive the"
          " process; allowed is sqlite:PATH or postgresql://..."},
         {"oracle://scott:tiger@host/db",
          "records URL has the unknown scheme "
          "'oracle'; allowed is sqlite:PATH or postgresql://..."},
       }) {
    auto x = failure_to_open(url);
    BOOST_TEST(x.code() == store_errc::misuse);
    BOOST_TEST(x.what() == std::string{text});
  }
}

BOOST_AUTO_TEST_CASE(a_url_names_where_the_records_are) {
  temp_dir dir;
  auto url = "sqlite:" + (dir / "a b.db").string();
  BOOST_TEST(open_record_store(url, 5s)->where() == url);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(open, fixture)

BOOST_AUTO_TEST_CASE(settings_that_keep_rows_safe_are_in_force) {
  sqlite_connection connection{path, 5s};
  auto is = [&](const char* pragma) {
    return connection.db().execAndGet(pragma).getString();
  };
  BOOST_TEST(is("PRAGMA journal_mode") == "wal");
  BOOST_TEST(is("PRAGMA synchronous") == "2"); // FULL
  BOOST_TEST(is("PRAGMA cache_size") == "-65536");
  BOOST_TEST(is("PRAGMA wal_autocheckpoint") == "8000");
  BOOST_TEST(is("PRAGMA user_version") == "2");
  BOOST_TEST(is("PRAGMA application_id") == std::to_string(0x73747764));
}

BOOST_AUTO_TEST_CASE(an_empty_file_becomes_a_database) {
  put(path, "");
  make_records(path);
  BOOST_TEST(sqlite_store(path, 5s).list("", 5s).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_missing_directory_is_named) {
  path = dir / "no" / "records.db";
  auto x = failure();
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(x.what()
             == "cannot open records " + path.string() + ": "
                  + (dir / "no").string() + ": No such file or directory");
}

BOOST_AUTO_TEST_CASE(a_path_below_a_file_is_refused) {
  put(dir / "file", "x");
  path = dir / "file" / "records.db";
  auto x = failure();
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(contains(x.what(), "is not a directory"), x.what());
}

BOOST_AUTO_TEST_CASE(a_directory_is_not_a_file) {
  path = dir.path();
  auto x = failure();
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(contains(x.what(), "it is a directory"), x.what());
}

BOOST_AUTO_TEST_CASE(a_pipe_is_refused_and_nobody_waits_for_its_other_end) {
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  auto x = failure();
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(contains(x.what(), "not a regular file"), x.what());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_left_as_it_is) {
  for (std::size_t size : {1u, 100u, 511u, 10'000u}) {
    put(path, std::string(size, 'x'));
    is_refused(store_errc::not_a_database, "not a database");
  }
}

BOOST_AUTO_TEST_CASE(the_database_of_another_application_is_left_as_it_is) {
  run_sql(path, "CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
  is_refused(store_errc::not_a_database, "another application");
  run_sql(path, "PRAGMA journal_mode = WAL");
  is_refused(store_errc::not_a_database, "another application");
}

BOOST_AUTO_TEST_CASE(what_another_application_has_in_its_log_stays_there) {
  SQLite::Database theirs{path.string(),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  theirs.execAndGet("PRAGMA journal_mode = WAL");
  theirs.exec("CREATE TABLE theirs(a)");
  // As after a crash: nobody has the file open, and its log lies beside it.
  auto crashed = dir / "crashed.db";
  std::filesystem::copy_file(path, crashed);
  std::filesystem::copy_file(path.string() + "-wal", crashed.string() + "-wal");
  path = crashed;
  auto log = bytes_of(path.string() + "-wal");
  BOOST_TEST(!log.empty());
  is_refused(store_errc::not_a_database, "another application");
  BOOST_TEST((bytes_of(path.string() + "-wal") == log));
}

BOOST_AUTO_TEST_CASE(a_database_that_only_carries_another_mark_is_foreign) {
  run_sql(path, "PRAGMA application_id = 77; VACUUM");
  is_refused(store_errc::not_a_database, "another application");
}

BOOST_AUTO_TEST_CASE(a_file_of_schema_1_is_brought_up_to_date) {
  run_sql(path,
          "CREATE TABLE record(id INTEGER PRIMARY KEY, name TEXT NOT NULL"
          " UNIQUE, pool TEXT NOT NULL, key TEXT NOT NULL, attributes TEXT NOT"
          " NULL, owner TEXT NOT NULL, state TEXT NOT NULL, close_reason TEXT,"
          " opened_at TEXT NOT NULL, closed_at TEXT, creator TEXT NOT NULL)"
          " STRICT; PRAGMA application_id = 0x73747764; PRAGMA user_version ="
          " 1; INSERT INTO record VALUES(7, 'a', 'p', 'k', 'dsn=db1', 'me',"
          " 'open', NULL, '2015-05-17T10:05:03.250Z', NULL,"
          " '01000000000000000000000000000000')");
  sqlite_store store{path, 5s};
  auto row = store.list("", 5s).at(0);
  BOOST_TEST(row.id == 7);
  BOOST_TEST(row.version == 1);
  BOOST_TEST(row.incarnation == 0); // nobody reclaims it
  BOOST_TEST((row.creator == token(1)));
  BOOST_TEST((row.writer == token(1)));
  BOOST_TEST((row.print == fingerprint_of("dsn=db1")));
  BOOST_TEST(store.verify(5s).empty());
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_left_as_it_is) {
  make_records(path);
  run_sql(path, "PRAGMA user_version = 3");
  is_refused(store_errc::newer_schema,
             "its schema version is 3, this program knows up to 2");
}

BOOST_AUTO_TEST_CASE(a_schema_version_that_never_was_is_damage) {
  make_records(path);
  run_sql(path, "PRAGMA user_version = 0");
  is_refused(store_errc::damaged, "there is no schema version 0");
}

BOOST_AUTO_TEST_CASE(a_torn_file_is_damage) {
  make_records(path);
  auto bytes = bytes_of(path);
  put(path, bytes.substr(0, 4096) + std::string(bytes.size() - 4096, '\xff'));
  auto x = failure_of([&] {
    sqlite_store store{path, 1s};
    store.list("", 1s);
  });
  BOOST_TEST(x.code() == store_errc::damaged);
  BOOST_TEST(contains(x.what(), path.string()), x.what());
}

BOOST_AUTO_TEST_CASE(a_lock_held_while_opening_is_busy) {
  put(path, "");
  SQLite::Database other{path.string(), SQLite::OPEN_READWRITE};
  other.exec("BEGIN EXCLUSIVE");
  auto x = failure();
  BOOST_TEST(x.code() == store_errc::busy);
  BOOST_TEST(contains(x.what(), "database is locked"), x.what());
  other.exec("ROLLBACK");
  make_records(path);
}

BOOST_AUTO_TEST_CASE(a_read_only_directory_is_named_to_whom_it_binds) {
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0555});
  auto said = try_as_nobody(path);
  BOOST_TEST(
    said.starts_with("read_only: cannot open records " + path.string()), said);
  BOOST_TEST(contains(said, "its directory"), said);
  BOOST_TEST(!std::filesystem::exists(path));
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0755});
}

BOOST_AUTO_TEST_CASE(a_read_only_file_is_named_to_whom_it_binds) {
  make_records(path);
  auto before = bytes_of(path);
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0777});
  std::filesystem::permissions(path, std::filesystem::perms{0444});
  auto said = try_as_nobody(path);
  BOOST_TEST(said
             == "read_only: cannot open records " + path.string()
                  + ": the file cannot be written: Permission denied");
  BOOST_TEST((bytes_of(path) == before));
}

BOOST_AUTO_TEST_CASE(a_directory_that_may_be_written_is_enough_for_others) {
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0777});
  BOOST_TEST(try_as_nobody(path) == "opened");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(codes)

BOOST_AUTO_TEST_CASE(codes_of_sqlite_say_what_can_be_done) {
  using enum store_errc;
  using expectation = std::pair<int, store_errc>;
  for (auto [code, expected] : {
         expectation{SQLITE_BUSY, busy},
         {SQLITE_BUSY_RECOVERY, busy},
         {SQLITE_BUSY_SNAPSHOT, busy},
         {SQLITE_LOCKED, busy},
         {SQLITE_PROTOCOL, busy},
         {SQLITE_FULL, full},
         {SQLITE_NOMEM, full},
         {SQLITE_IOERR_NOMEM, full},
         {SQLITE_IOERR, io},
         {SQLITE_IOERR_FSYNC, io},
         {SQLITE_READONLY, read_only},
         {SQLITE_READONLY_DIRECTORY, read_only},
         {SQLITE_READONLY_DBMOVED, cannot_open},
         {SQLITE_CANTOPEN, cannot_open},
         {SQLITE_CANTOPEN_ISDIR, cannot_open},
         {SQLITE_NOTADB, not_a_database},
         {SQLITE_CORRUPT, damaged},
         {SQLITE_CORRUPT_INDEX, damaged},
         {SQLITE_CONSTRAINT_CHECK, bad_row},
         {SQLITE_CONSTRAINT_NOTNULL, bad_row},
         {SQLITE_CONSTRAINT_UNIQUE, misuse},
         {SQLITE_CONSTRAINT_PRIMARYKEY, misuse},
         {SQLITE_TOOBIG, bad_row},
         {SQLITE_ERROR, misuse},
         {SQLITE_MISUSE, misuse},
         {-1, misuse},
       })
    BOOST_TEST(classify_sqlite_code(code) == expected, "code " << code);
}

BOOST_AUTO_TEST_CASE(only_what_passes_by_itself_is_tried_again) {
  BOOST_TEST(transient(store_errc::busy));
  BOOST_TEST(transient(store_errc::full));
  BOOST_TEST(transient(store_errc::io));
  for (auto x : {store_errc::read_only, store_errc::cannot_open,
                 store_errc::not_a_database, store_errc::newer_schema,
                 store_errc::damaged, store_errc::bad_row, store_errc::misuse})
    BOOST_TEST(!transient(x), to_string(x));
}

BOOST_AUTO_TEST_SUITE_END()
