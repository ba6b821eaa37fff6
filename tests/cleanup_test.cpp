#include <boost/test/unit_test.hpp>

#include <steward/core/cleanup.hpp>

#include <chrono>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point origin{1000h};
const cleanup_grid grid{origin, 1s};

} // namespace

BOOST_AUTO_TEST_CASE(what_is_due_is_cleaned_up_at_the_next_point) {
  BOOST_TEST((grid.next(origin + 1s, origin) == origin + 1s));
  BOOST_TEST((grid.next(origin + 1s + 1ns, origin) == origin + 2s));
  BOOST_TEST((grid.next(origin + 2s - 1ns, origin) == origin + 2s));
}

BOOST_AUTO_TEST_CASE(what_was_due_in_use_has_its_turn_at_the_next_point) {
  BOOST_TEST((grid.next(origin + 1s, origin + 3s) == origin + 4s));
  BOOST_TEST((grid.next(origin + 1s, origin + 4s - 1ns) == origin + 4s));
}

BOOST_AUTO_TEST_CASE(nothing_is_cleaned_up_before_the_origin_or_after_never) {
  BOOST_TEST((grid.next(origin - 2s, origin - 3s) == origin));
  BOOST_TEST((grid.next(origin, origin - 1ns) == origin));
  BOOST_TEST((grid.next(never, origin) == never));
}
