#include <boost/test/unit_test.hpp>

#include "record_fixtures.hpp"

#include <steward/storage/internal/sqlite_connection.hpp>
#include <steward/storage/internal/sqlite_schema.hpp>
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

void make_records_of_version_1(const std::filesystem::path& path) {
  SQLite::Database db{path.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  make_sqlite_schema(db, 1);
  db.exec("INSERT INTO record VALUES(7, 'a', 'p', 'k', 'dsn=db1', 'me',"
          " 'open', NULL, '2015-05-17T10:05:03.250Z', NULL,"
          " '01000000000000000000000000000000')");
}

void nothing_lies_beside(const std::filesystem::path& path) {
  for (auto* suffix : {"-wal", "-shm", "-journal"})
    BOOST_TEST(!std::filesystem::exists(path.string() + suffix), suffix);
}

// Permissions do not bind root, so somebody else tries: "<code>: <text>" of the
// failure, "opened" if there is none.
std::string try_as_nobody(const std::filesystem::path& path,
                          store_use use = store_use::keep) {
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
        sqlite_store store{path, 1s, use};
        said = "opened, " + std::to_string(store.list("", 1s).size())
               + " records";
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
         {"host=h password=hunterx2",
          "records URL has no scheme; allowed is sqlite:PATH or "
          "postgresql://..."},
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

BOOST_AUTO_TEST_CASE(what_splits_a_password_is_refused_without_showing_it) {
  for (auto* url : {"postgresql://u:hunt/erx2@nohost/db",
                    "postgresql://u:12/hunt@nohost/db",
                    "postgresql://u:erx2@hunt@nohost/db"}) {
    auto x = failure_to_open(url);
    auto text = std::string{x.what()};
    BOOST_TEST(x.code() == store_errc::misuse);
    BOOST_TEST(text.find("%40") != text.npos, text);
    BOOST_TEST(text.find("hunt") == text.npos, text);
    BOOST_TEST(text.find("erx2") == text.npos, text);
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
  make_records_of_version_1(path);
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

BOOST_AUTO_TEST_CASE(who_only_looks_reads_a_file_of_schema_1_as_it_is) {
  make_records_of_version_1(path);
  auto before = bytes_of(path);
  {
    sqlite_store store{path, 5s, store_use::look};
    auto row = store.list("", 5s).at(0);
    BOOST_TEST(row.id == 7);
    BOOST_TEST(row.version == 1);
    BOOST_TEST((row.writer == token(1)));
    BOOST_TEST((row.print == fingerprint_of("dsn=db1")));
    const std::string name = "a";
    BOOST_TEST(store.find(std::span{&name, 1}, 5s).at(0)->id == 7);
    BOOST_TEST(store.nodes(5s).empty());
    BOOST_TEST(store.verify(5s).empty());
  }
  BOOST_TEST((bytes_of(path) == before));
  nothing_lies_beside(path);
}

BOOST_AUTO_TEST_CASE(who_only_looks_makes_and_changes_nothing) {
  auto failure_to_look = [&](store_use use) {
    return failure_of([&] { sqlite_store{path, 1s, use}; });
  };
  for (auto use : {store_use::look, store_use::tend}) {
    std::filesystem::remove(path);
    BOOST_TEST(contains(failure_to_look(use).what(), "no such file"));
    BOOST_TEST(!std::filesystem::exists(path));
    put(path, "");
    BOOST_TEST(contains(failure_to_look(use).what(), "the file is empty"));
    BOOST_TEST(std::filesystem::file_size(path) == 0u);
    run_sql(path, "VACUUM"); // a database without a table
    auto before = bytes_of(path);
    BOOST_TEST(contains(failure_to_look(use).what(), "the database is empty"));
    BOOST_TEST((bytes_of(path) == before));
  }
  std::filesystem::remove(path);
  make_records(path);
  auto before = bytes_of(path);
  {
    sqlite_store store{path, 1s, store_use::look};
    BOOST_TEST(store.list("", 1s).size() == 1u);
    auto x = failure_of([&] { store.purge(noon + 999h, 1, 1s); });
    BOOST_TEST(x.code() == store_errc::read_only);
  }
  BOOST_TEST((bytes_of(path) == before));
  nothing_lies_beside(path);
}

BOOST_AUTO_TEST_CASE(who_may_not_write_can_look_all_the_same) {
  make_records(path);
  using std::filesystem::perms;
  for (auto [directory, file] : {std::pair{perms{0555}, perms{0666}},
                                 {perms{0777}, perms{0444}},
                                 {perms{0555}, perms{0444}}}) {
    std::filesystem::permissions(dir.path(), directory);
    std::filesystem::permissions(path, file);
    BOOST_TEST(try_as_nobody(path, store_use::look) == "opened, 1 records");
    nothing_lies_beside(path);
  }
  std::filesystem::permissions(dir.path(), perms{0755});
}

BOOST_AUTO_TEST_CASE(who_may_not_write_sees_what_is_in_the_log_of_a_program) {
  auto odd = dir / "a%20b?c#d.db"; // as a URI it would be another file
  sqlite_store writer{odd, 5s};
  writer.write(batch{create("a"), create("b", 2)}, 5s);
  using std::filesystem::perms;
  std::filesystem::permissions(dir.path(), perms{0555});
  for (auto* suffix : {"", "-wal", "-shm"})
    std::filesystem::permissions(odd.string() + suffix, perms{0444});
  BOOST_TEST(try_as_nobody(odd, store_use::look) == "opened, 2 records");
  std::filesystem::permissions(dir.path(), perms{0755});
}

BOOST_AUTO_TEST_CASE(a_log_that_nobody_may_recover_is_said_in_a_line) {
  {
    sqlite_store writer{dir / "live.db", 5s};
    writer.write(batch{create("a")}, 5s);
    for (auto* suffix : {"", "-wal"}) // as a crash and a copy leave them
      std::filesystem::copy_file(dir / (std::string{"live.db"} + suffix),
                                 path.string() + suffix);
  }
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0555});
  auto said = try_as_nobody(path, store_use::look);
  BOOST_TEST(said.starts_with("read_only: "), said);
  BOOST_TEST(contains(said, "it was not closed"), said);
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0755});
}

BOOST_AUTO_TEST_CASE(verify_says_what_of_the_schema_is_gone) {
  make_records(path);
  run_sql(path, "DROP INDEX record_by_pool; DROP INDEX record_closed; CREATE"
                " INDEX record_closed ON record(name)");
  auto wrong = sqlite_store{path, 5s, store_use::look}.verify(5s);
  BOOST_REQUIRE_EQUAL(wrong.size(), 2u);
  BOOST_TEST(wrong[0] == "the index record_by_pool is missing");
  BOOST_TEST(wrong[1] == "the index record_closed is not as it was made");
}

BOOST_AUTO_TEST_CASE(verify_says_what_was_added_that_may_refuse_rows) {
  make_records(path);
  run_sql(path, "CREATE INDEX mine ON record(journal); CREATE UNIQUE INDEX one"
                " ON record(key); CREATE TRIGGER gone AFTER INSERT ON record"
                " BEGIN DELETE FROM record; END");
  auto wrong = sqlite_store{path, 5s, store_use::look}.verify(5s);
  BOOST_REQUIRE_EQUAL(wrong.size(), 2u);
  BOOST_TEST(wrong[0] == "the index one is not ours");
  BOOST_TEST(wrong[1] == "the trigger gone is not ours");
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
  BOOST_TEST(try_as_nobody(path) == "opened, 0 records");
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
