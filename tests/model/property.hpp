#pragma once

// Properties as tests of Boost.Test. The seed is fixed, so that every run is the
// same, unless RC_PARAMS says otherwise: `seed=7 max_success=100000`, or the
// `reproduce=...` of a failure.

#include <boost/test/unit_test.hpp>

#include <rapidcheck.h>

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>

namespace modelled {

inline constexpr std::uint64_t usual_seed = 1;

/// How many cases are tried, and how large they are.
struct effort {
  int cases = 1000;
  int size = 50;
};

namespace detail {

struct silent_listener final : rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {
  }
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {
  }
  void onTestFinished(const rc::detail::TestMetadata&,
                      const rc::detail::TestResult&) override {
  }
};

} // namespace detail

/// Tries a property, which RC_PARAMS knows by `name`.
template <class Property>
rc::detail::TestResult try_property(const std::string& name, effort how_much,
                                    const std::string& rc_params,
                                    Property&& holds) {
  rc::detail::Configuration usual;
  usual.testParams.seed = usual_seed;
  usual.testParams.maxSuccess = how_much.cases;
  usual.testParams.maxSize = how_much.size;
  auto used = rc::detail::configFromString(rc_params, usual);
  detail::silent_listener nobody;
  return rc::detail::checkTestable(std::forward<Property>(holds),
                                   rc::detail::TestMetadata{name, name},
                                   used.testParams, nobody, used.reproduce);
}

/// What to put into RC_PARAMS to see this one failure again.
inline std::string params_of(const std::string& name,
                             const rc::detail::FailureResult& x) {
  rc::detail::Configuration result;
  result.testParams.seed = usual_seed;
  result.reproduce.emplace(name, x.reproduce);
  return rc::detail::configToMinimalString(result);
}

/// Fails the test with a counterexample, as simple as can be, if there is one.
/// Whether all the usual cases were tried, and none is one.
template <class Property>
bool must_hold(effort how_much, Property&& holds) {
  auto name = boost::unit_test::framework::current_test_case().full_name();
  const auto* given = std::getenv("RC_PARAMS");
  auto result = try_property(name, how_much, given == nullptr ? "" : given,
                             std::forward<Property>(holds));
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  rc::detail::FailureResult failed;
  if (result.match(failed))
    text << "\nOnce more: RC_PARAMS='" << params_of(name, failed) << "'";
  auto success = result.template is<rc::detail::SuccessResult>();
  BOOST_TEST(success, text.str());
  BOOST_TEST_MESSAGE(text.str());
  return success && given == nullptr;
}

/// The counterexample of a property that does not hold; fails the test if none
/// is found.
template <class Property>
rc::detail::FailureResult must_fail(const std::string& name, effort how_much,
                                    Property&& holds,
                                    const std::string& rc_params = {}) {
  auto result = try_property(name, how_much, rc_params,
                             std::forward<Property>(holds));
  rc::detail::FailureResult failed;
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  BOOST_REQUIRE_MESSAGE(result.match(failed),
                        name << " was not refuted: " << text.str());
  return failed;
}

} // namespace modelled
