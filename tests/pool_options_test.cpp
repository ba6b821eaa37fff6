#include <boost/test/unit_test.hpp>

#include <steward/core/pool_options.hpp>

#include <functional>
#include <string>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr duration day = 24h;
constexpr duration ten_years = 3650 * day;

pool_options good() {
  pool_options result;
  result.name = "sessions";
  return result;
}

using change = std::function<void(pool_options&)>;

void accepts(const change& f) {
  auto options = good();
  f(options);
  auto lines = check(options);
  BOOST_TEST(lines.empty(), (lines.empty() ? "" : lines.front()));
  BOOST_CHECK_NO_THROW(require_valid(options));
}

void refuses(const change& f, const std::string& expected) {
  auto options = good();
  f(options);
  auto lines = check(options);
  BOOST_REQUIRE_EQUAL(lines.size(), 1u);
  BOOST_TEST(lines.front() == expected);
  BOOST_CHECK_THROW(require_valid(options), invalid_options);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_defaults_are_valid_once_there_is_a_name) {
  accepts([](auto&) {});
  refuses([](auto& o) { o.name.clear(); },
          "name is \"\"; allowed: 1 to 64 of a-z A-Z 0-9 _ -, the first one "
          "a letter");
}

BOOST_AUTO_TEST_CASE(a_name_is_a_letter_and_up_to_63_more) {
  auto tail = std::string{"; allowed: 1 to 64 of a-z A-Z 0-9 _ -, the first "
                          "one a letter"};
  accepts([](auto& o) { o.name = "a"; });
  accepts([](auto& o) { o.name = "Zz09_-"; });
  accepts([](auto& o) { o.name = std::string(64, 'x'); });
  refuses([](auto& o) { o.name = std::string(65, 'x'); },
          "name is \"" + std::string(64, 'x') + "...\"" + tail);
  refuses([](auto& o) { o.name = "9a"; }, "name is \"9a\"" + tail);
  refuses([](auto& o) { o.name = "_a"; }, "name is \"_a\"" + tail);
  refuses([](auto& o) { o.name = "a b"; }, "name is \"a b\"" + tail);
  refuses([](auto& o) { o.name = "a\nb\xff"; }, "name is \"a?b?\"" + tail);
}

BOOST_AUTO_TEST_CASE(per_key_max_is_1_to_a_million) {
  accepts([](auto& o) { o.per_key_max = 1; });
  accepts([](auto& o) { o.per_key_max = 1'000'000; });
  refuses([](auto& o) { o.per_key_max = 0; },
          "per_key_max is 0; allowed: 1 to 1000000");
  refuses([](auto& o) { o.per_key_max = 1'000'001; },
          "per_key_max is 1000001; allowed: 1 to 1000000");
  refuses([](auto& o) { o.per_key_max = unlimited; },
          "per_key_max is unlimited; allowed: 1 to 1000000");
}

BOOST_AUTO_TEST_CASE(total_max_is_at_least_1) {
  accepts([](auto& o) { o.total_max = 1; });
  accepts([](auto& o) { o.total_max = unlimited - 1; });
  accepts([](auto& o) { o.total_max = unlimited; });
  refuses([](auto& o) { o.total_max = 0; },
          "total_max is 0; allowed: 1 or more, or unlimited");
}

BOOST_AUTO_TEST_CASE(holders_max_is_1_to_8191) {
  accepts([](auto& o) { o.holders_max = 1; });
  accepts([](auto& o) { o.holders_max = 8191; });
  refuses([](auto& o) { o.holders_max = 0; },
          "holders_max is 0; allowed: 1 to 8191");
  refuses([](auto& o) { o.holders_max = 8192; },
          "holders_max is 8192; allowed: 1 to 8191");
}

BOOST_AUTO_TEST_CASE(idle_timeout_is_tick_to_ten_years_or_off) {
  accepts([](auto& o) { o.idle_timeout = 1s; });
  accepts([](auto& o) { o.idle_timeout = ten_years; });
  accepts([](auto& o) { o.idle_timeout = off; });
  auto range = std::string{"; allowed: tick (1s) to 10 years, or off"};
  refuses([](auto& o) { o.idle_timeout = 500ms; },
          "idle_timeout is 500ms" + range);
  refuses([](auto& o) { o.idle_timeout = 1s - 1ns; },
          "idle_timeout is 999ms999us999ns" + range);
  refuses([](auto& o) { o.idle_timeout = 0s; }, "idle_timeout is 0s" + range);
  refuses([](auto& o) { o.idle_timeout = -5s; }, "idle_timeout is -5s" + range);
  refuses([](auto& o) { o.idle_timeout = ten_years + 1ns; },
          "idle_timeout is 3650d1ns" + range);
  refuses([](auto& o) { o.idle_timeout = duration::min(); },
          "idle_timeout is -106751d23h47min16s854ms775us807ns" + range);
}

BOOST_AUTO_TEST_CASE(max_lifetime_is_tick_to_ten_years_or_off) {
  accepts([](auto& o) { o.max_lifetime = 1s; });
  accepts([](auto& o) { o.max_lifetime = ten_years; });
  accepts([](auto& o) { o.max_lifetime = off; });
  auto range = std::string{"; allowed: tick (1s) to 10 years, or off"};
  refuses([](auto& o) { o.max_lifetime = 1s - 1ns; },
          "max_lifetime is 999ms999us999ns" + range);
  refuses([](auto& o) { o.max_lifetime = ten_years + 1ns; },
          "max_lifetime is 3650d1ns" + range);
}

BOOST_AUTO_TEST_CASE(tick_is_1_ms_to_1_day) {
  accepts([](auto& o) { o.tick = 1ms; });
  accepts([](auto& o) { o.tick = o.idle_timeout = o.linger = day; });
  refuses([](auto& o) { o.tick = 1ms - 1ns; },
          "tick is 999us999ns; allowed: 1ms to 1 day");
  refuses([](auto& o) { o.tick = 0s; }, "tick is 0s; allowed: 1ms to 1 day");
  // One line only, though idle_timeout and linger are below this tick.
  refuses([](auto& o) { o.tick = day + 1ns; },
          "tick is 1d1ns; allowed: 1ms to 1 day");
  refuses([](auto& o) { o.tick = off; }, "tick is off; allowed: 1ms to 1 day");
}

BOOST_AUTO_TEST_CASE(linger_is_tick_to_1_day) {
  accepts([](auto& o) { o.linger = 1s; });
  accepts([](auto& o) { o.linger = day; });
  refuses([](auto& o) { o.linger = 1s - 1ns; },
          "linger is 999ms999us999ns; allowed: tick (1s) to 1 day");
  refuses([](auto& o) { o.linger = day + 1ns; },
          "linger is 1d1ns; allowed: tick (1s) to 1 day");
  refuses([](auto& o) { o.linger = off; },
          "linger is off; allowed: tick (1s) to 1 day");
}

BOOST_AUTO_TEST_CASE(open_timeout_is_1_ms_to_1_day) {
  accepts([](auto& o) { o.open_timeout = 1ms; });
  accepts([](auto& o) { o.open_timeout = day; });
  refuses([](auto& o) { o.open_timeout = 1ms - 1ns; },
          "open_timeout is 999us999ns; allowed: 1ms to 1 day");
  refuses([](auto& o) { o.open_timeout = day + 1ns; },
          "open_timeout is 1d1ns; allowed: 1ms to 1 day");
}

BOOST_AUTO_TEST_CASE(waiters_max_may_be_0) {
  accepts([](auto& o) { o.waiters_max = 0; });
  accepts([](auto& o) { o.waiters_max = 1'000'000; });
  refuses([](auto& o) { o.waiters_max = 1'000'001; },
          "waiters_max is 1000001; allowed: 0 to 1000000");
}

BOOST_AUTO_TEST_CASE(when_full_is_one_of_its_enumerators) {
  accepts([](auto& o) { o.when_full = full_policy::reject; });
  refuses([](auto& o) { o.when_full = static_cast<full_policy>(7); },
          "when_full is 7; allowed: evict_idle or reject");
}

BOOST_AUTO_TEST_CASE(every_wrong_option_has_its_own_line) {
  pool_options options;
  options.name = "1";
  options.per_key_max = options.total_max = options.holders_max = 0;
  options.idle_timeout = options.max_lifetime = options.tick = 0s;
  options.linger = options.open_timeout = 0s;
  options.when_full = static_cast<full_policy>(2);
  auto lines = check(options);
  BOOST_TEST(lines.size() == 10u);
  BOOST_TEST(lines[5]
             == "idle_timeout is 0s; allowed: tick to 10 years, "
                "or off");
  try {
    require_valid(options);
    BOOST_FAIL("accepted");
  } catch (const invalid_options& error) {
    std::string joined;
    for (const auto& line : lines)
      joined += (joined.empty() ? "" : "\n") + line;
    BOOST_TEST(error.what() == joined);
  }
}
