#include <boost/test/unit_test.hpp>

#include <steward/apps/log_line.hpp>

#include <string>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

namespace {

// 17 May 2015, 10:05:03 UTC.
constexpr time_point may_17{1'431'857'103s};

using fields = std::vector<std::string_view>;

} // namespace

BOOST_AUTO_TEST_CASE(time_zones_and_calendar_are_understood) {
  auto at = [](const char* text) { return parse_clf_time(text); };
  BOOST_TEST((at("17/May/2015:10:05:03 +0000") == may_17));
  BOOST_TEST((at("17/May/2015:12:05:03 +0200") == may_17));
  BOOST_TEST((at("17/May/2015:04:35:03 -0530") == may_17));
  BOOST_TEST((at("18/May/2015:00:05:03 +1400") == may_17));
  BOOST_TEST((at("17/May/2015:10:05:03.250 +0000") == may_17 + 250ms));
  BOOST_TEST((at("29/Feb/2024:00:00:00 +0000") == time_point{1709164800s}));
  BOOST_TEST((at("31/Dec/2016:23:59:60 +0000") == time_point{1483228800s}));
  for (auto text : {"29/Feb/2023:00:00:00 +0000", "00/May/2015:10:05:03 +0000",
                    "17/Mai/2015:10:05:03 +0000", "17/May/2015:24:05:03 +0000",
                    "17/May/2015:10:60:03 +0000", "17/May/2015:10:05:61 +0000",
                    "17/May/2015:10:05:03", "17/May/2015:10:05:03 0000",
                    "17/May/2015:10:05:03 +00", "17/May/2015:10:05:03. +0000",
                    "17/May/2015:10:05:03 +0000 ", "17/May/1969:10:05:03 +0000",
                    "17/May/2200:10:05:03 +0000", "17/May/20x5:10:05:03 +0000",
                    "17-May-2015:10:05:03 +0000", ""})
    BOOST_TEST(!at(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(csv_times_are_seconds_or_rfc_3339) {
  auto at = [](const char* text) { return parse_csv_time(text); };
  BOOST_TEST((at("0") == time_point{}));
  BOOST_TEST((at("1431857103") == may_17));
  BOOST_TEST((at(" 1431857103.000000001 ") == may_17 + 1ns));
  BOOST_TEST((at("1431857103.0000000019") == may_17 + 1ns));
  BOOST_TEST((at("2015-05-17T10:05:03Z") == may_17));
  BOOST_TEST((at("2015-05-17t10:05:03z") == may_17));
  BOOST_TEST((at("2015-05-17 10:05:03+00:00") == may_17));
  BOOST_TEST((at("2015-05-17T12:35:03.5+02:30") == may_17 + 500ms));
  BOOST_TEST((at("2015-05-17T02:05:03-08:00") == may_17));
  BOOST_TEST((at("7258118399.999999999").has_value()));
  for (auto text : {"",
                    "-1",
                    "+1",
                    "1.",
                    ".5",
                    "1e9",
                    "1,5",
                    "five",
                    "7258118400",
                    "1431857103000",
                    "99999999999999999999999999",
                    "2015-05-17T10:05:03",
                    "2015-05-17",
                    "2015-05-17T10:05:03+0000",
                    "2015-02-29T10:05:03Z",
                    "2015-05-17T10:05Z",
                    "2015-5-17T10:05:03Z",
                    "2015-05-17T10:05:03.Z",
                    "1960-05-17T10:05:03Z",
                    "2015-05-17T10:05:03Zulu"})
    BOOST_TEST(!at(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_csv_record_is_split_at_commas_outside_of_quotes) {
  csv_record x;
  using outcome = csv_record::outcome;
  auto split = [&](std::string_view text, const fields& expected) {
    BOOST_TEST((x.split(text) == outcome::complete), text);
    BOOST_TEST((x.fields() == expected), text);
  };
  split("", {""});
  split(",", {"", ""});
  split("a,b", {"a", "b"});
  split(" a , b", {" a ", " b"});
  split("\"a,b\",\"\"", {"a,b", ""});
  split("\"a\"\"b\",\"\"\"\",c", {"a\"b", "\"", "c"});
  split("a\"b,c\"", {"a\"b", "c\""});
  split("\"a\nb\",c", {"a\nb", "c"});
  BOOST_TEST((x.split("\"a") == outcome::open_quote));
  BOOST_TEST((x.split("a,\"b\"\"") == outcome::open_quote));
  BOOST_TEST((x.split("\"a\"b,c") == outcome::malformed));
}

BOOST_AUTO_TEST_CASE(a_csv_header_has_time_and_key_once) {
  for (auto text : {"time,key", "key,time", "KEY , Time,other", "\"time\",key"})
    BOOST_TEST(csv_layout::from_header(text).has_value(), text);
  BOOST_TEST((csv_layout::from_header("params,x,key,time")->params == 0u));
  for (auto text : {"", "time", "key", "time;key", "time,key,time",
                    "time,key,params,params", "\"time,key"})
    BOOST_TEST(!csv_layout::from_header(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(csv_lines_need_the_columns_of_the_header) {
  auto layout = csv_layout::from_header("time,key,params");
  BOOST_REQUIRE(layout.has_value());
  csv_record record;
  log_line line;
  record.split("5,a,p,more");
  BOOST_TEST((layout->parse(record, line) == nullptr));
  BOOST_TEST((line.at == time_point{5s}));
  BOOST_TEST(line.key == "a");
  BOOST_TEST(line.params == "p");
  record.split("5,a");
  BOOST_TEST(std::string{layout->parse(record, line)}
             == "fewer columns than the header");
  record.split(std::string_view{"5,a,p\0q", 7});
  BOOST_TEST(std::string{layout->parse(record, line)}
             == "a NUL byte in the params");
  record.split(std::string_view{"5,a\0b,p", 7});
  BOOST_TEST(std::string{layout->parse(record, line)}
             == "a NUL byte in the key");
}
