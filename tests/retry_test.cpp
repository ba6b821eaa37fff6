#include <boost/test/unit_test.hpp>

#include <steward/core/retry.hpp>

#include <limits>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point t0{1000s};
constexpr retry policy{5ms, 500ms};

} // namespace

BOOST_AUTO_TEST_CASE(longest_wait_doubles_up_to_the_cap) {
  BOOST_TEST((backoff_max(policy, 1) == 5ms));
  BOOST_TEST((backoff_max(policy, 2) == 10ms));
  BOOST_TEST((backoff_max(policy, 7) == 320ms));
  BOOST_TEST((backoff_max(policy, 8) == 500ms));
  BOOST_TEST(
    (backoff_max(policy, std::numeric_limits<unsigned>::max()) == 500ms));
}

BOOST_AUTO_TEST_CASE(a_cap_near_the_end_of_time_does_not_overflow) {
  BOOST_TEST((backoff_max({1h, duration::max()}, 100) == duration::max()));
  BOOST_TEST((backoff_max({duration::max(), 1s}, 1) == 1s));
}

BOOST_AUTO_TEST_CASE(the_wait_is_anything_from_nothing_to_the_longest) {
  auto max = static_cast<std::uint64_t>(backoff_max(policy, 3).count());
  BOOST_TEST((next_attempt(policy, 3, 0, t0, never) == t0));
  BOOST_TEST((next_attempt(policy, 3, 7, t0, never) == t0 + 7ns));
  BOOST_TEST((next_attempt(policy, 3, max, t0, never) == t0 + 20ms));
  BOOST_TEST((next_attempt(policy, 3, max + 1, t0, never) == t0));
}

BOOST_AUTO_TEST_CASE(no_attempt_is_planned_after_the_deadline_or_in_the_past) {
  BOOST_TEST((next_attempt(policy, 8, 499'000'000, t0, t0 + 3ms) == t0 + 3ms));
  BOOST_TEST((next_attempt(policy, 8, 499'000'000, t0, t0) == t0));
  BOOST_TEST((next_attempt(policy, 8, 499'000'000, t0, t0 - 1s) == t0));
}

BOOST_AUTO_TEST_CASE(no_base_means_no_wait) {
  BOOST_TEST((next_attempt({0ms, 500ms}, 9, 123'456, t0, never) == t0));
}
