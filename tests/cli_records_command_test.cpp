// The command that looks after records, on both databases.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/apps/records_line.hpp>
#include <steward/apps/secrets.hpp>
#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/record_store.hpp>
#include <steward/tests/command_runner.hpp>

#include <libpq-fe.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <sstream>

using namespace steward;
using namespace record_test;
namespace data = boost::unit_test::data;
using nlohmann::json;

namespace {

struct fixture : test::scratch_folder {
  std::string url;
  std::string pool; // of this test alone

  void fill(const std::string& kind) {
    static int count = 0;
    pool = "p" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    if (kind == "sqlite") {
      url = path("records.db");
    } else {
      url = postgres_url(); // a password that is not needed does no harm
      url.insert(url.find("steward@") + 7, ":s3cret");
    }
    auto store = open_record_store(to_records_url(url), 20s);
    batch rows;
    for (auto name : {"a", "b", "c"}) {
      auto row = draft(pool + "/" + name, ++tokens_);
      row.pool = pool;
      rows.push_back(create_record{row});
    }
    rows.push_back(close(pool + "/b", close_reason::evicted));
    store->write(rows, 5s);
  }

  // Closed rows of this size, to SQLite. Some at a time: what this process takes
  // counts as taken by the commands that it starts.
  void fill_more(unsigned count, std::size_t size) {
    auto store = open_record_store(to_records_url(url), 20s);
    batch rows;
    for (unsigned i = 0; i < count; ++i) {
      auto row = draft("more-" + std::to_string(i), i);
      row.attributes = std::string(size, 'x');
      rows.push_back(create_record{row});
      rows.push_back(close(row.name));
      if (rows.size() >= 1'000) {
        store->write(rows, 5s);
        rows.clear();
      }
    }
    store->write(rows, 5s);
  }

  // What somebody does by hand to the table, which is called $.
  void change(const std::string& kind, std::string sql) const {
    auto is_sqlite = kind == "sqlite";
    sql.replace(sql.find('$'), 1, is_sqlite ? "record" : "steward_record");
    if (is_sqlite) {
      SQLite::Database{url, SQLite::OPEN_READWRITE}.exec(sql);
      return;
    }
    pg_connection{url, {}, {}}.exec(database_stage::commit, sql);
  }

  test::outcome records(std::vector<std::string> words) const {
    words.insert(words.begin(), "records");
    words.insert(words.end(), {"--records", url});
    auto x = run(words);
    BOOST_TEST(!contains(x.out + x.err, "s3cret"), x.out + x.err);
    return x;
  }

private:
  unsigned tokens_ = 0;
};

// The pages of the table that were written last.
void ruin_the_end_of(const std::string& file) {
  auto size = std::filesystem::file_size(file);
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  bytes.seekp(static_cast<std::streamoff>(size - size / 4));
  bytes << std::string(size / 4, '\xff');
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(records_command, fixture)

BOOST_DATA_TEST_CASE_F(fixture, list_shows_what_is_asked_for, data::make(both),
                       kind) {
  fill(kind);
  auto all = records({"list", "--pool", pool});
  BOOST_TEST(all.status == 0, all.err);
  BOOST_TEST(lines_of(all.out) == 4u, all.out); // and a heading
  BOOST_TEST(contains(all.out, "evicted"), all.out);
  BOOST_TEST(contains(all.out, "2015-05-17T10:05:03.250Z"), all.out);
  auto open = records({"list", "--pool", pool, "--state", "open"});
  BOOST_TEST(lines_of(open.out) == 3u, open.out);
  BOOST_TEST(open.err == "");
}

BOOST_DATA_TEST_CASE_F(fixture, list_says_when_it_does_not_show_all,
                       data::make(both), kind) {
  fill(kind);
  auto two = records({"list", "--pool", pool, "--limit", "2"});
  BOOST_TEST(two.status == 0);
  BOOST_TEST(lines_of(two.out) == 3u, two.out);
  BOOST_TEST(contains(two.err, "there are more than these 2"), two.err);
  auto after = two.err.substr(two.err.find("--after ") + 8);
  after.resize(after.find(' '));
  auto rest = records({"list", "--pool", pool, "--after", after});
  BOOST_TEST(contains(rest.out, "/c\n"), rest.out);
  BOOST_TEST(lines_of(rest.out) == 2u, rest.out);
  for (auto* limit : {"3", "0"})
    BOOST_TEST(records({"list", "--pool", pool, "--limit", limit}).err == "");
}

BOOST_AUTO_TEST_CASE(help_names_every_option_and_its_default) {
  auto x = run({"records", "--help"});
  BOOST_TEST(x.status == 0);
  for (auto* said :
       {"--records PATH|URL", "Default: steward.db", "--limit N",
        "Default: 100", "--state open|closed|all", "Default: all", "--after ID",
        "--pool NAME", "--older-than D|now", "--jsonl PATH|-", "EXIT STATUS"})
    BOOST_TEST(contains(x.out, said), said);
}

BOOST_DATA_TEST_CASE_F(fixture, show_tells_all_of_one, data::make(both), kind) {
  fill(kind);
  auto x = records({"show", pool + "/b"});
  BOOST_TEST(x.status == 0, x.err);
  auto row = json::parse(x.out);
  BOOST_TEST(row.at("name") == pool + "/b");
  BOOST_TEST(row.at("close_reason") == "evicted");
  BOOST_TEST(row.at("closed_at") == "2015-05-17T10:10:03.250Z");
  auto none = records({"show", "nobody"});
  BOOST_TEST(none.status == 1);
  BOOST_TEST(contains(none.err, "there is no record \"nobody\""), none.err);
}

BOOST_DATA_TEST_CASE_F(fixture, export_writes_an_object_a_line,
                       data::make(both), kind) {
  fill(kind);
  auto x = records({"export", "--pool", pool, "--jsonl", "-"});
  BOOST_TEST(x.status == 0, x.err);
  std::istringstream in{x.out};
  std::size_t rows = 0;
  for (std::string line; std::getline(in, line); ++rows)
    BOOST_TEST(json::parse(line).at("pool") == pool);
  BOOST_TEST(rows == 3u);
  records({"export", "--pool", pool, "--jsonl", "x.jsonl"});
  BOOST_TEST(read("x.jsonl") == x.out);
}

BOOST_AUTO_TEST_CASE(what_is_no_text_is_exported_in_full_beside_it) {
  url = path("records.db");
  open_record_store(to_records_url(url), 20s)
    ->write(batch{create("a\xff"), create("a\xfe", 2), create("b", 3)}, 5s);
  auto x = records({"export", "--jsonl", "-"});
  std::istringstream in{x.out};
  std::vector<json> rows;
  for (std::string line; std::getline(in, line);)
    rows.push_back(json::parse(line));
  BOOST_REQUIRE_EQUAL(rows.size(), 3u);
  BOOST_TEST(rows[0].at("name_hex") == "61ff");
  BOOST_TEST(rows[1].at("name_hex") == "61fe");
  BOOST_TEST(!rows[2].contains("name_hex"));
}

BOOST_AUTO_TEST_CASE(an_export_that_fails_leaves_the_old_file) {
  fill("sqlite");
  fill_more(3'000, 100);
  ruin_the_end_of(path("records.db"));
  write("x.jsonl", "old");
  auto x = records({"export", "--jsonl", "x.jsonl"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(contains(x.err, "malformed"), x.err);
  BOOST_TEST(read("x.jsonl") == "old");
  for (auto& entry : std::filesystem::directory_iterator{folder()})
    BOOST_TEST(!contains(entry.path().filename().string(), "x.jsonl."));
  // What is damaged is what verify looks for: it found something.
  BOOST_TEST(records({"verify"}).status == 1);
}

BOOST_AUTO_TEST_CASE(an_export_keeps_no_more_than_a_page_in_memory) {
  fill("sqlite");
  fill_more(12'000, 8'000);
  auto x = records({"export", "--jsonl", "x.jsonl"});
  BOOST_TEST(x.status == 0, x.err);
  auto size = std::filesystem::file_size(path("x.jsonl")) / 1024;
  BOOST_TEST(size > 90'000u);
#ifndef __SANITIZE_ADDRESS__ // which keeps what was freed
  BOOST_TEST(static_cast<std::uintmax_t>(x.memory_max_kb) < size / 2);
#endif
}

BOOST_DATA_TEST_CASE_F(fixture, what_cannot_be_read_is_named_and_the_rest_shown,
                       data::make(both), kind) {
  fill(kind);
  change(kind,
         "UPDATE $ SET close_reason = 'boredom' WHERE name = '" + pool + "/b'");
  auto all = records({"list", "--pool", pool});
  BOOST_TEST(all.status == 1);
  BOOST_TEST(lines_of(all.out) == 3u, all.out);
  BOOST_TEST(contains(all.err, "/b' has an unknown close reason"), all.err);
  auto out = records({"export", "--pool", pool, "--jsonl", "-"});
  BOOST_TEST(out.status == 1);
  BOOST_TEST(lines_of(out.out) == 2u, out.out);
  auto found = records({"verify"});
  BOOST_TEST(found.status == 1);
  BOOST_TEST(contains(found.out, "/b' has an unknown close reason"), found.out);
  BOOST_TEST(contains(found.out, "1 finding in "), found.out);
  BOOST_TEST(contains(found.out, "records, 1 unreadable)"), found.out);
  change(kind, "DELETE FROM $ WHERE name = '" + pool + "/b'");
}

BOOST_DATA_TEST_CASE_F(fixture, readers_need_no_right_to_write,
                       data::make(both), kind) {
  fill(kind);
  if (kind == std::string{"sqlite"})
    std::filesystem::permissions(path("records.db"),
                                 std::filesystem::perms{0444});
  else
    url += std::string{url.find('?') == url.npos ? "?" : "&"}
           + "options=-cdefault_transaction_read_only%3Don";
  BOOST_TEST(lines_of(records({"list", "--pool", pool}).out) == 4u);
  BOOST_TEST(records({"show", pool + "/a"}).status == 0);
  BOOST_TEST(records({"verify"}).status == 0);
  BOOST_TEST(records({"export", "--jsonl", "-"}).status == 0);
  if (kind == std::string{"postgresql"})
    BOOST_TEST(
      contains(records({"purge", "--older-than", "24h"}).err, "read-only"));
}

BOOST_AUTO_TEST_CASE(verify_that_cannot_look_says_so_and_found_nothing) {
  url = path("none.db");
  auto x = records({"verify"});
  BOOST_TEST(x.status == 2);
  BOOST_TEST(contains(x.err, "not verified: "), x.err);
  BOOST_TEST(x.out == "");
  fill("sqlite");
  auto unheard = run({"records", "verify", "--records", url}, {},
                     test::stdout_as::full);
  BOOST_TEST(unheard.status == 2, unheard.err);
}

BOOST_AUTO_TEST_CASE(a_purge_that_is_interrupted_says_what_is_gone) {
  fill("sqlite");
  fill_more(2'500, 10);
  std::optional<lock_holder> lock{path("records.db")};
  test::terminal_command purge{folder(),
                               80,
                               {"records", "purge", "--older-than", "24h",
                                "--records", url}};
  BOOST_TEST(purge.wait_for("purging"));
  purge.type('');
  purge.wait_for("^C"); // echoed after the signal was sent
  lock.reset();
  auto x = purge.wait();
  BOOST_TEST(x.status == 130);
  // Before the first transaction, or after it: no second one begins.
  auto one = contains(x.out, "1,000 records purged before it was interrupted");
  BOOST_TEST((one || contains(x.out, "0 records purged before it was")), x.out);
  auto left = open_record_store(to_records_url(url), 20s)->list("", 5s).size();
  BOOST_TEST(left == (one ? 1'503u : 2'503u));
}

BOOST_AUTO_TEST_CASE(a_purge_ends_at_once_also_where_a_server_hangs) {
  postgres_server server;
  open_record_store(server.url(), 20s);
  pg_connection admin{server.url(), {}, {}};
  admin.begin();
  admin.exec(database_stage::statement, "LOCK TABLE steward_record");
  test::terminal_command purge{folder(),
                               80,
                               {"records", "purge", "--older-than", "24h",
                                "--records", server.url()}};
  BOOST_TEST(purge.wait_for("purging"));
  for (auto child : server.children())
    ::kill(child, SIGSTOP);
  auto start = std::chrono::steady_clock::now();
  purge.type('\x03');
  auto x = purge.wait();
  auto took = std::chrono::steady_clock::now() - start;
  for (auto child : server.children())
    ::kill(child, SIGCONT);
  BOOST_TEST((took < 3s)); // the server has 6 s
  BOOST_TEST(x.status == 130);
  BOOST_TEST(contains(x.out, "0 records purged before it was"), x.out);
}

BOOST_AUTO_TEST_CASE(a_purge_waits_for_a_lock_and_yet_ends_at_once) {
  fill("sqlite");
  lock_holder lock{path("records.db")};
  test::terminal_command purge{folder(),
                               80,
                               {"records", "purge", "--older-than", "24h",
                                "--records", url}};
  BOOST_TEST(purge.wait_for("purging"));
  auto start = std::chrono::steady_clock::now();
  purge.type('\x03');
  BOOST_TEST(purge.wait().status == 130);
  BOOST_TEST((std::chrono::steady_clock::now() - start < 3s)); // of 5 s
}

BOOST_DATA_TEST_CASE_F(fixture, purge_removes_what_was_closed_long_ago,
                       data::make(both), kind) {
  fill(kind);
  auto none = records({"purge", "--older-than", "200000h"});
  BOOST_TEST(none.out == "0 records purged\n");
  for (auto* nothing : {"0", "0s", "0h0min"}) {
    auto refused = records({"purge", "--older-than", nothing});
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(contains(refused.err, "or now"), refused.err);
  }
  auto x = records({"purge", "--older-than", "24h"});
  BOOST_TEST(x.status == 0, x.err);
  BOOST_TEST(contains(x.out, " purged\n"), x.out);
  BOOST_TEST(records({"show", pool + "/b"}).status == 1);
  BOOST_TEST(records({"show", pool + "/a"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_purge_says_what_others_have_locked) {
  fill("postgresql");
  pg_connection other{url, {}, {}};
  other.begin();
  other.exec(database_stage::statement,
             "SELECT 1 FROM steward_record WHERE state = 'closed' FOR UPDATE");
  auto x = records({"purge", "--older-than", "24h"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(x.out == "0 records purged\n");
  BOOST_TEST(contains(x.err, " not purged: somebody else has them locked"),
             x.err);
  other.commit();
  BOOST_TEST(records({"purge", "--older-than", "24h"}).status == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, verify_finds_orphans, data::make(both), kind) {
  fill(kind);
  auto fine = records({"verify"});
  BOOST_TEST(fine.status == 0, fine.out);
  BOOST_TEST(contains(fine.out, "nothing is wrong"), fine.out);
  auto store = open_record_store(to_records_url(url), 20s);
  auto row = draft(pool + "/orphan", 99);
  row.incarnation = store->join({0, "gone", {}, false}, 0s, 5s);
  store->write(batch{create_record{row}}, 5s);
  auto x = records({"verify"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(contains(x.out, "/orphan' is an orphan: 'gone' died"), x.out);
  store->write(batch{close(pool + "/orphan", close_reason::orphaned)}, 5s);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_made) {
  url = path("none.db");
  auto x = records({"list"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(contains(x.err, "no such file"), x.err);
  BOOST_TEST(!std::filesystem::exists(url));
}

BOOST_AUTO_TEST_CASE(to_look_into_an_empty_database_makes_no_tables) {
  url = path("empty.db");
  write("empty.db", "");
  auto x = records({"list"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(contains(x.err, "the file is empty"), x.err);
  BOOST_TEST(std::filesystem::file_size(url) == 0u);
  url = postgres_url();
  url += url.find('?') == url.npos ? '?' : '&';
  url += "options=-csearch_path%3Dnobody_made_this";
  auto y = records({"verify"});
  BOOST_TEST(y.status == 2);
  BOOST_TEST(contains(y.err, "there are none"), y.err);
}

BOOST_AUTO_TEST_CASE(who_cannot_be_reached_is_named_without_the_password) {
  for (auto* bad :
       {"postgresql://me:s3cret@127.0.0.1:1/db", "postgresql://me:s3cret@[::1",
        "postgresql://me@127.0.0.1:1/db?password=s3cret&connect_timeout=1"}) {
    url = bad;
    auto x = records({"list"});
    BOOST_TEST(x.status == 1);
    BOOST_TEST(lines_of(x.err) == 1u, x.err);
    write("x.csv", "time,key\n1,a\n");
    auto replay = run({"replay", "x.csv", "--records", bad});
    BOOST_TEST(replay.status == 1);
    BOOST_TEST(!contains(replay.out + replay.err, "s3cret"), replay.err);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_path_may_be_a_password) {
  for (auto* bad :
       {"postgresql:me:s3cret@h/db", "sqlite:postgresql://m:s3cret@h",
        "user=u password = s3cret host=h", "sqlite:password=s3cret",
        "me:s3cret@h/db", "//me:s3cret@h/db"}) {
    url = bad;
    auto x = records({"list"});
    BOOST_TEST(x.status == 2, x.err);
    BOOST_TEST(lines_of(x.err) == 1u, x.err);
    BOOST_TEST(!contains(x.out + x.err, "s3cret"), x.err);
  }
}

BOOST_AUTO_TEST_CASE(a_command_line_that_cannot_be_used_is_said_in_a_line) {
  url = "x.db";
  using words = std::vector<std::string>;
  for (const auto& [line, said] :
       {std::pair{words{}, "the command is missing"},
        {words{"nonsense"}, "unknown command nonsense"},
        {words{"show"}, "NAME is missing"},
        {words{"purge"}, "--older-than is required"},
        {words{"purge", "--older-than", "x"}, "--older-than is \"x\""},
        {words{"purge", "--older-than", "800000d"}, "up to 100000d"},
        {words{"purge", "--older-than", "100001d"}, "up to 100000d"},
        {words{"list", "--state", "x"}, "--state is \"x\""},
        {words{"list", "--limit", "-1"}, "--limit is \"-1\""},
        {words{"list", "--pool", ""}, "--pool"},
        {words{"export", "--jsonl", "-", "--owner", ""}, "--owner"},
        {words{"export"}, "--jsonl is required"}}) {
    auto x = records(line);
    BOOST_TEST(x.status == 2, x.err);
    BOOST_TEST(lines_of(x.err) == 1u, x.err);
    BOOST_TEST(contains(x.err, said), x.err);
  }
}

BOOST_AUTO_TEST_CASE(a_url_of_another_database_is_not_taken_for_a_path) {
  url = "mysql://me:s3cret@h/db";
  auto x = records({"list"});
  BOOST_TEST(x.status == 1);
  BOOST_TEST(contains(x.err, "unknown scheme 'mysql'"), x.err);
}

BOOST_AUTO_TEST_CASE(an_export_does_not_replace_the_database) {
  url = path("own.db");
  open_record_store(to_records_url(url), 20s).reset();
  auto x = records({"export", "--jsonl", url});
  BOOST_TEST(x.status == 2);
  BOOST_TEST(contains(x.err, "which is the database"), x.err);
  BOOST_TEST(records({"verify"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_password_is_taken_out_of_what_is_shown) {
  for (auto [word, shown] :
       {std::pair{"a.db", "a.db"},
        {"postgresql://me:pw@h/db", "postgresql://me@h/db"},
        {"postgresql://me@h/db?password=pw", "postgresql://me@h/db?password="},
        {"postgresql://me:p@w@h/db?x=y", "postgresql://me@h/db?x=y"},
        {"postgresql://h:5432/db", "postgresql://h:5432/db"},
        {"postgresql://u:ge?he/im@h/db", "postgresql://u@h/db"},
        {"postgresql://u:geheim", "postgresql://u"},
        {"postgresql://h/db?x=y&p%61ss%77ord=pw&z=1",
         "postgresql://h/db?x=y&p%61ss%77ord=&z=1"},
        {"postgresql://h/db?sslpassword=pw", "postgresql://h/db?sslpassword="},
        {"postgresql:u:geheim@h/db", "postgresql:u@h/db"},
        {"sqlite:postgresql://u:pw@h/db", "sqlite:postgresql://u@h/db"},
        {"/dir:with/a@b.db", "/dir:with/a@b.db"}})
    BOOST_TEST(without_password(word) == shown);
  BOOST_TEST(without_passwords("unknown 'postgresql://u:pw@h': host=h "
                               "password=pw user=u")
             == "unknown 'postgresql://u@h': host=h password= user=u");
}

BOOST_AUTO_TEST_SUITE_END()
