// Readers in one thread and in virtual time, on real databases: who asks before
// they run shares a read.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "persistence_fixtures.hpp"
#include "postgres_server.hpp"

#include <steward/actors/record_reader.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <functional>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace steward;
using namespace record_test;

namespace {

// A store that counts reads, and that a test can make fail.
class watched_store final : public forwarding_store {
public:
  struct log {
    std::vector<std::size_t> finds; ///< names of each call, failed ones too
    std::function<void()> before;
  };

  watched_store(std::unique_ptr<record_store> inner, std::shared_ptr<log> seen)
    : forwarding_store(std::move(inner)), seen_(std::move(seen)) {
  }

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override {
    seen_->finds.push_back(names.size());
    if (seen_->before)
      seen_->before();
    return inner().find(names, wait_max);
  }

private:
  std::shared_ptr<log> seen_;
};

struct fixture {
  using answer = std::future<records_found>;

  temp_dir dir;
  std::string file = (dir / "records.db").string();
  caf::actor_system_config cfg;
  caf::actor_system sys{make_virtual(cfg)};
  caf::scheduler::test_coordinator& scheduler
    = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  std::shared_ptr<watched_store::log> seen
    = std::make_shared<watched_store::log>();
  caf::actor reader;

  ~fixture() {
    if (reader)
      cafx::send_anon(reader, stop_reader{});
    reader = nullptr;
    scheduler.run();
  }

  void start(const std::string& url, const batch& rows) {
    open_record_store(url, 30s)->write(rows, 30s);
    reader = spawn_record_reader(
      sys,
      [url, log = seen] {
        return std::make_unique<watched_store>(open_record_store(url, 30s),
                                               log);
      },
      run_on::shared_threads);
  }

  // Asked together; the answers are there.
  std::vector<records_found>
  find(const std::vector<std::vector<std::string>>& asks) {
    std::vector<answer> coming;
    for (auto& names : asks) {
      auto reply = std::make_shared<std::promise<records_found>>();
      coming.push_back(reply->get_future());
      cafx::send_anon(reader, find_records_blocking{names, reply});
    }
    scheduler.run();
    std::vector<records_found> result;
    for (auto& x : coming) {
      BOOST_REQUIRE((x.wait_for(0s) == std::future_status::ready));
      result.push_back(x.get());
    }
    return result;
  }

  static void is_found(const records_found& x, const std::string& name) {
    BOOST_TEST(x.cause == "");
    BOOST_REQUIRE_EQUAL(x.rows.size(), 1u);
    BOOST_REQUIRE(x.rows[0].has_value());
    BOOST_TEST(x.rows[0]->name == name);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(record_reader, fixture)

BOOST_AUTO_TEST_CASE(names_that_are_asked_for_together_are_read_once) {
  start("sqlite:" + file, {create("a"), create("b")});
  auto found = find({{"a"}, {"none", "b"}, {}, {"b"}});
  BOOST_TEST(seen->finds == std::vector<std::size_t>{4},
             boost::test_tools::per_element());
  is_found(found[0], "a");
  BOOST_REQUIRE_EQUAL(found[1].rows.size(), 2u);
  BOOST_TEST(!found[1].rows[0].has_value());
  BOOST_TEST(found[1].rows[1]->name == "b");
  BOOST_TEST(found[2].rows.empty());
  is_found(found[3], "b");
}

BOOST_DATA_TEST_CASE_F(fixture, what_is_too_much_at_once_is_read_in_parts,
                       boost::unit_test::data::make(both), kind) {
  std::optional<postgres_server> server;
  if (kind == std::string{"postgresql"})
    server.emplace();
  batch rows;
  for (auto* name : {"a", "b", "c", "d", "e"}) {
    auto row = draft(name);
    row.attributes.assign(page_bytes_max / 5, 'x');
    row.journal.assign(page_bytes_max / 5, 'y');
    rows.push_back(create_record{row});
  }
  start(server ? server->url() : "sqlite:" + file, rows);
  auto found = find({{"a"}, {"c", "none", "b", "d"}, {}, {"a", "e"}});
  // The row that goes beyond the limit is still in a part, as in a page.
  BOOST_TEST(seen->finds == (std::vector<std::size_t>{7, 3}),
             boost::test_tools::per_element());
  is_found(found[0], "a");
  std::string names;
  for (auto& x : found)
    for (auto& row : x.rows)
      names += row ? row->name : "-";
  BOOST_TEST(names == "ac-bdae");
  BOOST_TEST(found[1].cause == "");
  BOOST_TEST(found[2].rows.empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_row_fails_only_those_who_asked_for_it) {
  start("sqlite:" + file, {create("a"), create("b"), create("damaged")});
  SQLite::Database{file, SQLite::OPEN_READWRITE}.exec(
    "UPDATE record SET opened_at = 'soon' WHERE name = 'damaged'");
  auto found = find({{"a"}, {"b", "damaged"}, {"b"}, {"damaged"}, {"a"}});
  is_found(found[0], "a");
  BOOST_TEST(contains(found[1].cause, "a time that is none"), found[1].cause);
  BOOST_TEST(found[1].rows.empty());
  is_found(found[2], "b");
  BOOST_TEST(contains(found[3].cause, "a time that is none"), found[3].cause);
  is_found(found[4], "a");
}

BOOST_AUTO_TEST_CASE(a_page_names_what_it_cannot_show) {
  start("sqlite:" + file, {create("a"), create("damaged"), create("c")});
  SQLite::Database{file, SQLite::OPEN_READWRITE}.exec(
    "UPDATE record SET opened_at = 'soon' WHERE name = 'damaged'");
  auto reply = std::make_shared<std::promise<page_found>>();
  auto coming = reply->get_future();
  cafx::send_anon(reader, page_records_blocking{{}, reply});
  scheduler.run();
  BOOST_REQUIRE((coming.wait_for(0s) == std::future_status::ready));
  auto [page, cause] = coming.get();
  BOOST_TEST(cause == "");
  BOOST_REQUIRE_EQUAL(page.rows.size(), 2u);
  BOOST_TEST(page.rows[1].name == "c");
  BOOST_TEST(page.last == page.rows[1].id);
  BOOST_REQUIRE_EQUAL(page.unreadable.size(), 1u);
  BOOST_TEST(contains(page.unreadable[0], "'damaged' has a time that is none"),
             page.unreadable[0]);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_text_fails_only_who_asked_for_it) {
  postgres_server server;
  start(server.url(), {create("good")});
  auto found = find({{"good"}, {"\xff"}, {"good"}, {"good"}});
  is_found(found[0], "good");
  BOOST_TEST(contains(found[1].cause, "22021"), found[1].cause);
  is_found(found[2], "good");
  is_found(found[3], "good");
}

// Else each asker would wait for the same dead server once more.
BOOST_AUTO_TEST_CASE(what_is_no_fault_of_a_row_is_not_asked_one_by_one) {
  start("sqlite:" + file, {create("a")});
  seen->before = [] { fail_with(store_errc::io); };
  for (auto& x : find({{"a"}, {"a"}, {"a"}}))
    BOOST_TEST(x.cause == "planted io");
  BOOST_TEST(seen->finds == (std::vector<std::size_t>{3, 3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
