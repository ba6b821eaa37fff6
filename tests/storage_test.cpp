#include <boost/test/unit_test.hpp>

#include "record_fixtures.hpp"

#include <steward/core/iso_time.hpp>
#include <steward/storage/record_store.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <csignal>
#include <sys/resource.h>

#include <barrier>
#include <optional>
#include <thread>

using namespace steward;
using namespace record_test;

namespace {

struct fixture {
  temp_dir dir;
  std::filesystem::path path = dir / "records.db";
  std::optional<sqlite_store> first;

  sqlite_store& store() {
    if (!first)
      first.emplace(path, 5s);
    return *first;
  }

  record_answer write_one(const record_write& x) {
    return store().write(std::span{&x, 1}, 5s).at(0);
  }

  std::int64_t rows() {
    return static_cast<std::int64_t>(store().list("", 5s).size());
  }
};

// Whether this process has the file open.
bool is_open_here(const std::filesystem::path& path) {
  for (auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone) == path)
      return true;
  }
  return false;
}

// While it lives, this process cannot write to any file.
class no_room_to_write {
public:
  no_room_to_write() {
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    auto none = old_limit_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }

  no_room_to_write(const no_room_to_write&) = delete;
  no_room_to_write& operator=(const no_room_to_write&) = delete;

  ~no_room_to_write() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    ::signal(SIGXFSZ, old_handler_);
  }

private:
  rlimit old_limit_{};
  void (*old_handler_)(int) = nullptr;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(writing, fixture)

BOOST_AUTO_TEST_CASE(a_new_name_is_created_and_found_as_written) {
  auto answer = write_one(create("a"));
  BOOST_TEST(answer.verdict == record_verdict::created);
  BOOST_TEST(!answer.lost_race);
  BOOST_TEST(answer.cause == "");
  std::vector<std::string> names{"b", "a"};
  auto rows = store().find(names, 1s);
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST(!rows[0].has_value());
  BOOST_REQUIRE(rows[1].has_value());
  auto& row = *rows[1];
  BOOST_TEST(row.id == answer.row.id);
  BOOST_TEST(row.name == "a");
  BOOST_TEST(row.pool == "sessions");
  BOOST_TEST(row.key == "tenant-7");
  BOOST_TEST(row.attributes == "dsn=db1");
  BOOST_TEST(row.owner == "test-1");
  BOOST_TEST(row.open);
  BOOST_TEST((row.creator == token(1)));
  BOOST_TEST((row.opened_at == noon));
  BOOST_TEST((answer.row.opened_at == noon));
}

BOOST_AUTO_TEST_CASE(a_taken_name_is_answered_with_the_row_of_the_winner) {
  auto won = write_one(create("a", 1));
  auto second = write_one(create("a", 2));
  BOOST_TEST(second.verdict == record_verdict::existed);
  BOOST_TEST(second.row.id == won.row.id);
  BOOST_TEST((second.row.creator == token(1)));
  BOOST_TEST(!second.lost_race); // the look saw it
  BOOST_TEST(rows() == 1);
}

BOOST_AUTO_TEST_CASE(a_retry_with_the_same_token_is_the_creator_again) {
  // As after a commit whose answer was lost.
  auto before = write_one(create("a", 7));
  auto again = write_one(create("a", 7));
  BOOST_TEST(again.verdict == record_verdict::created);
  BOOST_TEST(again.row.id == before.row.id);
  BOOST_TEST(rows() == 1);
}

BOOST_AUTO_TEST_CASE(who_loses_after_the_look_gets_the_row_of_the_winner) {
  sqlite_store other{path, 5s};
  auto mine = create("a", 1);
  auto theirs = create("a", 2);
  record_answer won;
  store().on_looked([&] {
    won = other.write(std::span{&theirs, 1}, 5s).at(0);
  });
  auto lost = write_one(mine);
  BOOST_TEST(won.verdict == record_verdict::created);
  BOOST_TEST(lost.verdict == record_verdict::existed);
  BOOST_TEST(lost.lost_race);
  BOOST_TEST(lost.row.id == won.row.id);
  BOOST_TEST((lost.row.creator == token(2)));
}

BOOST_AUTO_TEST_CASE(a_lost_row_does_not_touch_the_others_of_its_batch) {
  sqlite_store other{path, 5s};
  auto theirs = create("b", 2);
  store().on_looked([&] { other.write(std::span{&theirs, 1}, 5s); });
  auto answers = store().write(batch{create("a"), create("b"), create("c")},
                               5s);
  BOOST_TEST(answers.at(0).verdict == record_verdict::created);
  BOOST_TEST(answers.at(1).verdict == record_verdict::existed);
  BOOST_TEST(answers.at(2).verdict == record_verdict::created);
  BOOST_TEST(rows() == 3);
}

BOOST_AUTO_TEST_CASE(a_name_twice_in_one_batch_is_no_lost_race) {
  auto answers = store().write(batch{create("a", 1), create("a", 2)}, 5s);
  BOOST_TEST(answers.at(0).verdict == record_verdict::created);
  BOOST_TEST(answers.at(1).verdict == record_verdict::existed);
  BOOST_TEST(!answers.at(1).lost_race);
  BOOST_TEST(answers.at(1).row.id == answers.at(0).row.id);
}

BOOST_AUTO_TEST_CASE(a_row_that_vanishes_after_the_look_is_made_again) {
  write_one(create("a", 1));
  store().on_looked([&] {
    SQLite::Database db{path.string(), SQLite::OPEN_READWRITE};
    db.exec("DELETE FROM record");
  });
  auto answers = store().write(batch{create("a", 2), create("b", 2)}, 5s);
  BOOST_TEST(answers.at(0).verdict == record_verdict::created);
  BOOST_TEST((answers.at(0).row.creator == token(2)));
}

BOOST_AUTO_TEST_CASE(writes_of_a_batch_happen_in_order) {
  auto answers = store().write(
    batch{create("a", 1), close("a", close_reason::evicted), create("a", 2)},
    5s);
  BOOST_TEST(answers.at(1).verdict == record_verdict::existed);
  BOOST_TEST(!answers.at(1).row.open);
  BOOST_TEST(answers.at(2).verdict == record_verdict::existed);
  BOOST_TEST(!answers.at(2).row.open);
  BOOST_TEST((answers.at(2).row.reason == close_reason::evicted));
  BOOST_TEST((answers.at(2).row.closed_at == noon + 5min));
}

BOOST_AUTO_TEST_CASE(closing_twice_keeps_the_first_reason) {
  write_one(create("a"));
  write_one(close("a", close_reason::lifetime));
  auto answer = write_one(close("a", close_reason::drained, noon + 1h));
  BOOST_TEST(answer.verdict == record_verdict::existed);
  BOOST_TEST((answer.row.reason == close_reason::lifetime));
  BOOST_TEST((answer.row.closed_at == noon + 5min));
}

BOOST_AUTO_TEST_CASE(closing_an_unknown_name_changes_nothing_and_says_so) {
  auto answer = write_one(close("nobody"));
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(answer.cause == "there is no record 'nobody'");
  BOOST_TEST(rows() == 0);
}

BOOST_AUTO_TEST_CASE(a_bad_name_fails_its_batch_whole) {
  for (std::size_t size : {0u, 1025u}) {
    auto x = failure_of([&] {
      store().write(batch{create("a"), create(std::string(size, 'n'))}, 5s);
    });
    BOOST_TEST(x.code() == store_errc::bad_row);
    BOOST_TEST(contains(x.what(), "not " + std::to_string(size)), x.what());
    BOOST_TEST(rows() == 0);
  }
  auto longest = write_one(create(std::string(1024, 'n')));
  BOOST_TEST(longest.verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(an_empty_batch_is_nothing) {
  BOOST_TEST(store().write({}, 0s).empty());
}

BOOST_AUTO_TEST_CASE(names_and_texts_are_kept_to_the_byte) {
  auto odd = draft(std::string{"a'b\"\0c\n\xff", 8});
  odd.attributes = std::string(100'000, 'x');
  odd.key = "";
  write_one(create_record{odd});
  auto row = store().list("", 5s).at(0);
  BOOST_TEST(row.name == odd.name);
  BOOST_TEST(row.attributes == odd.attributes);
  BOOST_TEST(row.key == "");
}

BOOST_AUTO_TEST_CASE(list_shows_one_owner_or_all_by_id) {
  auto other = draft("b");
  other.owner = "test-2";
  store().write(batch{create("c"), create_record{other}, create("a")}, 5s);
  BOOST_TEST(store().list("", 5s).size() == 3u);
  auto mine = store().list("test-1", 5s);
  BOOST_REQUIRE_EQUAL(mine.size(), 2u);
  BOOST_TEST(mine[0].name == "c");
  BOOST_TEST(mine[1].name == "a");
  BOOST_TEST(mine[0].id < mine[1].id);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(trouble, fixture)

BOOST_AUTO_TEST_CASE(a_lock_held_too_long_is_busy_and_nothing_is_lost) {
  write_one(create("a"));
  {
    lock_holder other{path};
    auto start = std::chrono::steady_clock::now();
    auto x = failure_of([&] { store().write(batch{create("b")}, 30ms); });
    BOOST_TEST((std::chrono::steady_clock::now() - start >= 30ms));
    BOOST_TEST(x.code() == store_errc::busy);
    BOOST_TEST(contains(x.what(), path.string()), x.what());
    BOOST_TEST(contains(x.what(), "database is locked"), x.what());
    BOOST_TEST(rows() == 1); // reading goes on
    // A name that is there needs no lock.
    BOOST_TEST(write_one(create("a")).verdict == record_verdict::created);
  }
  BOOST_TEST(write_one(create("b")).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_full_disk_fails_the_batch_whole_and_passes) {
  write_one(create("a"));
  store().set_pages_max(1); // that is: no more than now
  batch many;
  for (int i = 0; i < 1000; ++i)
    many.push_back(create("many-" + std::to_string(i)));
  for (int i = 0; i < 2; ++i) {
    auto x = failure_of([&] { store().write(many, 5s); });
    BOOST_TEST(x.code() == store_errc::full);
    BOOST_TEST(contains(x.what(), path.string()), x.what());
    BOOST_TEST(rows() == 1);
  }
  store().set_pages_max(0);
  auto answers = store().write(many, 5s);
  BOOST_TEST(answers.back().verdict == record_verdict::created);
  BOOST_TEST(rows() == 1001);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_removed_in_use_is_an_error_not_a_loss) {
  write_one(create("a"));
  std::filesystem::rename(path, dir / "moved.db");
  auto x = failure_of([&] { write_one(create("b")); });
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(contains(x.what(), "removed or replaced"), x.what());
  std::filesystem::rename(dir / "moved.db", path);
  BOOST_TEST(write_one(create("b")).verdict == record_verdict::created);
  BOOST_TEST(rows() == 2);
}

BOOST_AUTO_TEST_CASE(a_log_that_is_removed_in_use_is_an_error_not_a_loss) {
  for (auto* suffix : {"-wal", "-shm"}) {
    auto name = std::string{"a"} + suffix;
    write_one(create(name));
    auto companion = path.string() + suffix;
    std::filesystem::rename(companion, dir / "away");
    auto x = failure_of([&] { write_one(create(name + "b")); });
    BOOST_TEST(x.code() == store_errc::cannot_open);
    BOOST_TEST(contains(x.what(), companion + " were removed or replaced"),
               x.what());
    std::filesystem::rename(dir / "away", companion);
    BOOST_TEST(write_one(create(name + "b")).verdict
               == record_verdict::created);
  }
  BOOST_TEST(rows() == 4);
}

BOOST_AUTO_TEST_CASE(after_an_io_error_the_store_opens_the_file_again) {
  write_one(create("a"));
  BOOST_TEST(is_open_here(path));
  std::optional<store_failure> x;
  {
    no_room_to_write broken;
    try {
      store().write(batch{create("b", 7)}, 5s);
    } catch (const store_failure& failure) {
      x = failure;
    }
  }
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->code() == store_errc::io);
  BOOST_TEST(contains(x->what(), "disk I/O error"), x->what());
  // Only a new connection recovers what a failed commit left behind.
  BOOST_TEST(!is_open_here(path));
  // The same write with the same token settles it, whatever stands.
  BOOST_TEST(write_one(create("b", 7)).verdict == record_verdict::created);
  BOOST_TEST(rows() == 2);
}

BOOST_AUTO_TEST_CASE(after_an_io_error_no_new_file_replaces_a_lost_one) {
  write_one(create("a"));
  {
    no_room_to_write broken;
    BOOST_CHECK_THROW(store().write(batch{create("b")}, 5s), store_failure);
  }
  std::filesystem::rename(path, dir / "moved.db");
  auto x = failure_of([&] { write_one(create("b")); });
  BOOST_TEST(x.code() == store_errc::cannot_open);
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_row_that_cannot_be_read_is_damage_with_its_name) {
  write_one(create("a"));
  SQLite::Database db{path.string(), SQLite::OPEN_READWRITE};
  db.exec("UPDATE record SET opened_at = 'yesterday'");
  auto x = failure_of([&] { store().list("", 5s); });
  BOOST_TEST(x.code() == store_errc::damaged);
  BOOST_TEST(x.what() == std::string{"the record 'a' has a time that is none"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(file, fixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_opening_again) {
  auto written = write_one(create("a"));
  write_one(close("a", close_reason::stalled));
  first.reset();
  auto row = store().list("", 5s).at(0);
  BOOST_TEST(row.id == written.row.id);
  BOOST_TEST(!row.open);
  BOOST_TEST((row.reason == close_reason::stalled));
}

BOOST_AUTO_TEST_CASE(after_closing_the_file_alone_has_everything) {
  sqlite_store other{path, 5s}; // so that ours is not the last one
  write_one(create("a"));
  first.reset();
  std::filesystem::copy_file(path, dir / "alone.db");
  SQLite::Database alone{(dir / "alone.db").string()};
  BOOST_TEST(alone.execAndGet("SELECT count(*) FROM record").getInt() == 1);
}

BOOST_AUTO_TEST_CASE(after_the_last_one_closes_nothing_lies_beside_the_file) {
  write_one(create("a"));
  first.reset();
  BOOST_TEST(std::filesystem::exists(path));
  BOOST_TEST(!std::filesystem::exists(path.string() + "-wal"));
  BOOST_TEST(!std::filesystem::exists(path.string() + "-shm"));
}

BOOST_AUTO_TEST_CASE(people_can_read_the_rows) {
  write_one(create("a"));
  write_one(close("a", close_reason::idle));
  SQLite::Database db{path.string()};
  SQLite::Statement row{
    db, "SELECT id, name, pool, key, attributes, owner, state, close_reason,"
        " opened_at, closed_at, creator FROM record"};
  BOOST_REQUIRE(row.executeStep());
  std::string text;
  for (int i = 0; i < row.getColumnCount(); ++i)
    text += (i > 0 ? "|" : "") + row.getColumn(i).getString();
  BOOST_TEST(text
             == "1|a|sessions|tenant-7|dsn=db1|test-1|closed|idle|"
                "2015-05-17T10:05:03.250Z|2015-05-17T10:10:03.250Z|"
                "01000000000000000000000000000000");
}

BOOST_AUTO_TEST_CASE(many_can_open_a_new_file_at_once) {
  constexpr int openers = 4;
  for (int round = 0; round < 10; ++round) {
    auto fresh = dir / ("fresh-" + std::to_string(round));
    std::barrier start{openers};
    std::vector<std::string> errors(openers);
    std::vector<std::thread> threads;
    for (int i = 0; i < openers; ++i)
      threads.emplace_back([&, i] {
        auto at = static_cast<std::size_t>(i);
        try {
          start.arrive_and_wait();
          sqlite_store mine{fresh, 20s};
          mine.write(batch{create("n-" + std::to_string(i))}, 20s);
        } catch (const std::exception& x) {
          errors[at] = x.what();
        }
      });
    for (auto& thread : threads)
      thread.join();
    for (auto& error : errors)
      BOOST_TEST(error == "");
    sqlite_store after{fresh, 5s};
    BOOST_TEST(after.list("", 5s).size() == openers);
  }
}

BOOST_AUTO_TEST_CASE(times_are_cut_to_milliseconds_and_read_back) {
  for (auto [t, text] :
       {std::pair{time_point{}, "1970-01-01T00:00:00.000Z"},
        std::pair{time_point{-1ns}, "1969-12-31T23:59:59.999Z"},
        std::pair{noon + 999'999ns, "2015-05-17T10:05:03.250Z"},
        // The years of which not all can be told are left out.
        std::pair{never, "2261-12-31T23:59:59.999Z"},
        std::pair{time_point::min(), "1678-01-01T00:00:00.000Z"}}) {
    BOOST_TEST(to_iso_text(t) == text);
    BOOST_TEST((parse_iso_text(text) == cut_to_milliseconds(t)));
  }
  auto t = time_point{1709251199999ms}; // the last one of a leap day
  BOOST_TEST(to_iso_text(t) == "2024-02-29T23:59:59.999Z");
  BOOST_TEST((parse_iso_text(to_iso_text(t)) == t));
  BOOST_TEST((cut_to_milliseconds(t + 1us) == t));
  for (auto text : {"", "2023-02-29T00:00:00.000Z", "2024-02-29T24:00:00.000Z",
                    "2024-02-29T00:00:00.000", "2024-02-29 00:00:00.000Z",
                    "2024-02-29T00:00:00,000Z", "9999-01-01T00:00:00.000Z"})
    BOOST_TEST(!parse_iso_text(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
