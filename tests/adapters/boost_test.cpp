#define BOOST_TEST_MODULE adapter
#include <steward/testkit/boost_test.hpp>

#include "race.hpp"

using namespace adapted;

BOOST_AUTO_TEST_CASE(violated) {
  explore_as_test({.policies = {fair_random{}}},
                  [](world& w) { race(w, "ab"); });
}

BOOST_AUTO_TEST_CASE(holds) {
  BOOST_TEST(explore_as_test({.seeds = 20}, no_race).runs == 20u);
}

BOOST_AUTO_TEST_CASE(alone) {
  sim s;
  s.probe("p").expect<arrive>();
}
