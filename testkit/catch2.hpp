#pragma once

#include <steward/testkit/explore.hpp>

#if __has_include(<catch2/catch.hpp>) // version 2
#  include <catch2/catch.hpp>
#else
#  include <catch2/catch_test_macros.hpp>
#  include <catch2/interfaces/catch_interfaces_capture.hpp>
#endif
#include <iostream>

namespace steward::testkit {

/// `explore` as the whole of a test case of Catch2, which gives it its name
/// unless it has one. A violation fails the case; the report goes to stderr.
inline campaign explore_as_test(explore_options options, const scenario& what) {
  if (options.name == explore_options{}.name)
    options.name = Catch::getResultCapture().getCurrentTestName();
  try {
    return explore(options, what);
  } catch (const failure& x) {
    std::cerr << x.what() << std::endl; // Catch2 would break its lines
    FAIL(x.headline());
    throw;
  }
}

} // namespace steward::testkit
