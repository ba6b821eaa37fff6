#pragma once

#include <steward/testkit/explore.hpp>

#include <gtest/gtest.h>

#include <string>

namespace steward::testkit {

/// `explore` as the whole of a test of GoogleTest, which gives it its name
/// unless it has one. A violation fails the test with the report.
inline campaign explore_as_test(explore_options options, const scenario& what) {
  if (options.name == explore_options{}.name) {
    auto& test = *testing::UnitTest::GetInstance()->current_test_info();
    options.name = std::string{test.test_suite_name()} + "." + test.name();
  }
  try {
    return explore(options, what);
  } catch (const failure& x) {
    ADD_FAILURE() << x.what();
    return {};
  }
}

} // namespace steward::testkit
