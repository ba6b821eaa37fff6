#include <steward/testkit/gtest.hpp>

#include "race.hpp"

using namespace adapted;

TEST(adapter, violated) {
  explore_as_test({.policies = {fair_random{}}},
                  [](world& w) { race(w, "ab"); });
}

// [test]
TEST(adapter, holds) {
  EXPECT_EQ(explore_as_test({.seeds = 20}, no_race).runs, 20u);
}
// [test]

TEST(adapter, alone) {
  sim s;
  s.probe("p").expect<arrive>();
}
