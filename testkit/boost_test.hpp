#pragma once

#include <steward/testkit/explore.hpp>

#include <boost/test/unit_test.hpp>

#include <iostream>

namespace steward::testkit {

/// `explore` as the whole of a test case of Boost.Test, which gives it its name
/// unless it has one. A violation fails the case; the report goes to stderr.
inline campaign explore_as_test(explore_options options, const scenario& what) {
  if (options.name == explore_options{}.name)
    options.name = boost::unit_test::framework::current_test_case().p_name;
  try {
    return explore(options, what);
  } catch (const failure& x) {
    std::cerr << x.what() << std::endl; // too long for Boost.Test
    BOOST_FAIL(x.headline());
    throw;
  }
}

} // namespace steward::testkit
