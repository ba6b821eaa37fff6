#include <boost/test/unit_test.hpp>

#include <steward/storage/record_store.hpp>
#include <steward/tests/command_runner.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;
using nlohmann::json;
using std::string;

namespace {

struct fixture : test::scratch_folder {
  fixture() {
    string log = "time,key\n";
    for (int i = 0; i < 400; ++i)
      log += std::to_string(i) + ",k" + std::to_string(i * i % 17) + '\n';
    write("x.csv", log);
  }

  json replay(const std::vector<string>& more) const {
    std::vector<string> args{"replay", "x.csv",       "--idle-timeout",
                             "10s",    "--total-max", "5",
                             "--json", "-",           "--quiet"};
    args.insert(args.end(), more.begin(), more.end());
    auto x = run(args);
    BOOST_REQUIRE_MESSAGE(x.status == 0, x.err);
    return json::parse(x.out);
  }

  // The rows of a run are exactly what its report says.
  void check_rows(const string& file, const json& report) const {
    auto store = open_record_store("sqlite:" + path(file), 5s);
    auto rows = store->list(report.at("owner").get<string>(), 5s);
    std::array<std::uint64_t, close_reason_count> closed{};
    std::set<string> names;
    for (const auto& row : rows) {
      BOOST_TEST(!row.open);
      BOOST_TEST((row.closed_at >= row.opened_at));
      ++closed[static_cast<std::size_t>(row.reason)];
      names.insert(row.name);
    }
    BOOST_TEST(rows.size() == report.at("opened").get<std::size_t>());
    BOOST_TEST(rows.size() == report.at("records_written").get<std::size_t>());
    BOOST_TEST(names.size() == rows.size());
    for (std::size_t i = 0; i < close_reason_count; ++i)
      BOOST_TEST(closed[i]
                 == report.at("closed").value(string{close_reason_names[i]},
                                              std::uint64_t{0}));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cli_records, fixture)

BOOST_AUTO_TEST_CASE(every_opened_resource_has_one_row_closed_with_its_reason) {
  auto report = replay({"--records", "run.db"});
  BOOST_TEST(report.at("opened") > 50);
  BOOST_TEST(report.at("closed").at("evicted") > 0);
  check_rows("run.db", report);
}

BOOST_AUTO_TEST_CASE(records_go_to_the_working_directory_unless_told) {
  check_rows("steward.db", replay({}));
  BOOST_TEST(replay({"--records", "none"}).at("records_written") == 0);
}

BOOST_AUTO_TEST_CASE(runs_share_a_database_without_mixing) {
  auto first = replay({"--records", "sqlite:run.db"});
  auto second = replay({"--records", "run.db"});
  BOOST_TEST(first.at("owner") != second.at("owner"));
  check_rows("run.db", first);
  check_rows("run.db", second);
}

BOOST_AUTO_TEST_CASE(records_that_cannot_be_kept_are_an_error_in_one_line) {
  write("text.db", "this is no database, but somebody's letter");
  for (auto file : {"none/run.db", "text.db", "."}) {
    auto x = run({"replay", "x.csv", "--records", file});
    BOOST_TEST(x.status == 1);
    BOOST_TEST(x.out == "");
    BOOST_TEST(x.err.starts_with("steward: "), x.err);
    BOOST_TEST(x.err.find('\n') + 1 == x.err.size(), x.err);
    BOOST_TEST(x.err.find(file) != string::npos, x.err);
  }
  BOOST_TEST(read("text.db") == "this is no database, but somebody's letter");
}

BOOST_AUTO_TEST_SUITE_END()
