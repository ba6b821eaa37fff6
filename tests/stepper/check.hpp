#pragma once

#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/explore.hpp>

#include <initializer_list>
#include <string_view>

namespace stepper {

/// Every way, but one of those that differ in independent steps only.
inline constexpr bounds reduced{method::reduced};

/// Every way.
inline constexpr bounds everything{method::all};

/// Checks that nothing broke, that nothing was left out, and that all this
/// happened: what was never reached was not explored.
inline void check_proved(const findings& x,
                         std::initializer_list<std::string_view> reached) {
  BOOST_TEST(x.proved(), x.trace);
  for (auto what : reached)
    BOOST_TEST(x.reached.contains(what), what << " was never reached");
}

/// Checks that it broke, and in this way.
inline void check_broken(const findings& x, std::string_view failure) {
  BOOST_TEST(x.failure == failure, x.trace);
  BOOST_TEST(!x.trace.empty());
}

} // namespace stepper
