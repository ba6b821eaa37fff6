#include <boost/test/unit_test.hpp>

#include <steward/core/duration_text.hpp>

#include <random>
#include <string>

using namespace steward;
using namespace std::chrono_literals;

namespace {

void reads(std::string_view text, duration expected) {
  BOOST_TEST_CONTEXT("text: " << text) {
    auto x = parse_duration(text);
    BOOST_REQUIRE(x.has_value());
    BOOST_TEST(x->count() == expected.count());
  }
}

void refuses(std::string_view text) {
  BOOST_TEST_CONTEXT("text: " << text) {
    BOOST_TEST(!parse_duration(text).has_value());
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(every_unit_is_read) {
  reads("7ns", 7ns);
  reads("7us", 7us);
  reads("7ms", 7ms);
  reads("7s", 7s);
  reads("7m", 7min);
  reads("7min", 7min);
  reads("7h", 7h);
  reads("7d", 168h);
}

BOOST_AUTO_TEST_CASE(zero_needs_no_unit) {
  reads("0", 0ns);
  reads("0s", 0ns);
  reads("0.0h", 0ns);
  refuses("00");
  refuses("0.0");
}

BOOST_AUTO_TEST_CASE(a_space_may_stand_before_the_unit_and_between_parts) {
  reads("90 s", 90s);
  reads("1 h 30 min", 90min);
  reads("1h 30min", 90min);
  refuses(" 90s");
  refuses("90s ");
  refuses("90\ts");
}

BOOST_AUTO_TEST_CASE(fractions_are_exact) {
  reads("1.5ms", 1500us);
  reads("0.25d", 6h);
  reads("2.000000001s", 2s + 1ns);
  reads("1.50000000000000000000s", 1500ms);
  reads("0.000000000005h", 18ns);
  refuses("0.5ns");
  refuses("1.0000000001s");
  refuses("0.33333333333333333h");
}

BOOST_AUTO_TEST_CASE(parts_go_from_the_largest_unit_down) {
  reads("1h30min", 90min);
  reads("1d2h3min4s5ms6us7ns", 24h + 2h + 3min + 4s + 5ms + 6us + 7ns);
  refuses("30min1h");
  refuses("1h1h");
  refuses("1m1min");
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
  for (auto text : {"", " ", "5", "s", "-5s", "+5s", "5.s", ".5s", "5,5s", "5S",
                    "5sec", "1e3s", "5s!", "0x5s", "five", "1h30", "1..5s"})
    refuses(text);
  refuses(std::string_view{"5s\0", 3});
}

BOOST_AUTO_TEST_CASE(the_range_of_a_duration_is_not_left) {
  reads("9223372036854775807ns", duration::max());
  refuses("9223372036854775808ns");
  reads("106751d", 106751 * 24h);
  refuses("106752d");
  refuses("106751d23h47min16s854ms775us808ns");
  refuses("99999999999999999999999999s");
}

BOOST_AUTO_TEST_CASE(text_has_whole_parts_from_the_largest_unit_down) {
  BOOST_TEST(to_text(90s) == "1min30s");
  BOOST_TEST(to_text(5min) == "5min");
  BOOST_TEST(to_text(1500us) == "1ms500us");
  BOOST_TEST(to_text(24h) == "1d");
  BOOST_TEST(to_text(0s) == "0s");
  BOOST_TEST(to_text(duration::max()) == "106751d23h47min16s854ms775us807ns");
}

BOOST_AUTO_TEST_CASE(text_is_read_back_as_the_same_duration) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 10'000; ++i) {
    // Shifted, so that short durations are as likely as long ones.
    auto ns = static_cast<std::int64_t>(random() >> (1 + random() % 62));
    auto read = parse_duration(to_text(duration{ns}));
    BOOST_REQUIRE(read.has_value());
    BOOST_REQUIRE(read->count() == ns);
  }
}
