#include <boost/test/unit_test.hpp>

#include <steward/apps/bench/key_sources.hpp>
#include <steward/apps/bench/measurement.hpp>
#include <steward/apps/bench/workload.hpp>

#include <list>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

using namespace steward::bench;

namespace {

run_options parsed(std::vector<const char*> words) {
  return parse_run(static_cast<int>(words.size()), words.data());
}

void check_refused(std::vector<const char*> words, const std::string& why) {
  BOOST_CHECK_EXCEPTION(parsed(words), unusable_run, [&](const auto& e) {
    BOOST_TEST(std::string{e.what()}.find(why) != std::string::npos, e.what());
    return true;
  });
}

} // namespace

BOOST_AUTO_TEST_CASE(a_workload_brings_its_own_numbers) {
  auto w2 = parsed({"W2"});
  BOOST_TEST(w2.keys == 1'000'000u);
  BOOST_TEST(w2.total.value() == 100'000u);
  BOOST_TEST(w2.limit == 4u);
  BOOST_TEST(parsed({"W1"}).limit == 8u);
  BOOST_TEST(parsed({"W3"}).limit == 1u);
  BOOST_TEST(parsed({"W5"}).clients == 64u);
}

BOOST_AUTO_TEST_CASE(options_win_over_what_a_workload_brings) {
  auto x = parsed({"W2", "--clients", "8", "--from", "actors", "--keys", "99",
                   "--seconds", "0.5", "--limit", "3", "--total", "50",
                   "--seed", "7", "--pace", "1000"});
  BOOST_TEST(x.clients == 8u);
  BOOST_TEST((x.from == origin::actors));
  BOOST_TEST(x.keys == 99u);
  BOOST_TEST(x.seconds == 0.5);
  BOOST_TEST(x.limit == 3u);
  BOOST_TEST(x.total.value() == 50u);
  BOOST_TEST(x.seed == 7u);
  BOOST_TEST(x.pace.value() == 1000.0);
}

BOOST_AUTO_TEST_CASE(the_words_of_a_run_are_read_back_as_the_same_run) {
  auto x = parsed({"W2", "--seconds", "0.1", "--operations", "12"});
  auto text = to_words(x);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::vector<const char*> pointers;
  for (const auto& word : words)
    pointers.push_back(word.c_str());
  BOOST_TEST(to_words(parsed(pointers)) == text);
}

BOOST_AUTO_TEST_CASE(words_that_name_no_run_are_refused_with_what_is_allowed) {
  check_refused({}, "WORKLOAD is missing");
  check_refused({"W6"}, "allowed: W1, W2, W3, W4, W5");
  check_refused({"W1", "--clients", "0"}, "1 to 1024");
  check_refused({"W1", "--clients", "1025"}, "1 to 1024");
  check_refused({"W1", "--clients"}, "its value is missing");
  check_refused({"W1", "--seconds", "nan"}, "0.001 to 3600");
  check_refused({"W1", "--from", "space"}, "threads, actors");
  check_refused({"W1", "--bogus", "1"}, "unknown option --bogus");
  check_refused({"W1", "--pace", "1", "--operations", "1"}, "exclude");
  check_refused({"W4", "--pace", "1"}, "W4 has no --pace");
  check_refused({"W2", "--total", "1"}, "--total is less than --clients");
}

BOOST_AUTO_TEST_CASE(a_measurement_is_one_line_and_read_back_as_it_was) {
  measurement x;
  x.driver = "some \"driver\"\n";
  x.run = parsed({"W5", "--from", "actors"});
  x.operations = 12;
  x.rate = 1.5;
  x.p99_ns = 99;
  x.jain = 0.75;
  x.stopped = true;
  auto line = to_line(x);
  BOOST_TEST(line.find('\n') == std::string::npos);
  auto y = parse_line(line);
  BOOST_TEST(y.driver == x.driver);
  BOOST_TEST((y.run.what == workload::w5));
  BOOST_TEST((y.run.from == origin::actors));
  BOOST_TEST(y.operations == 12u);
  BOOST_TEST(y.rate.value() == 1.5);
  BOOST_TEST(y.p99_ns.value() == 99u);
  BOOST_TEST(y.jain.value() == 0.75);
  BOOST_TEST(!y.p50_ns.has_value());
  BOOST_TEST(y.stopped);
  BOOST_TEST(to_line(y) == line);
}

BOOST_AUTO_TEST_CASE(a_driver_may_leave_fields_out_and_write_numbers_its_way) {
  auto x = parse_line(R"({"driver":"d","workload":"W1","operations":3,
                          "rate":1000000,"p50_ns":1.5e3,"jain":null})");
  BOOST_TEST(x.rate.value() == 1e6);
  BOOST_TEST(x.p50_ns.value() == 1'500u);
  BOOST_TEST(!x.jain.has_value());
  BOOST_TEST(x.run.clients == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_no_measurement_is_refused) {
  for (const auto* line : {"", "{}", "[]", "oops", R"({"driver":"d"})",
                           R"({"driver":"d","workload":"W7","operations":1})",
                           R"({"driver":"d","workload":"W1","operations":"x"})",
                           R"({"driver":"d","workload":"W1","operations":1,
                               "rate":-1})"})
    BOOST_CHECK_THROW(parse_line(line), std::runtime_error);
}
