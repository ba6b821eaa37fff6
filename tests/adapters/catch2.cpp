#if __has_include(<catch2/catch.hpp>) // version 2
#  define CATCH_CONFIG_MAIN
#endif
#include <steward/testkit/catch2.hpp>

#include "race.hpp"

using namespace adapted;

TEST_CASE("violated") {
  explore_as_test({.policies = {fair_random{}}},
                  [](world& w) { race(w, "ab"); });
}

TEST_CASE("holds") {
  CHECK(explore_as_test({.seeds = 20}, no_race).runs == 20u);
}

TEST_CASE("alone") {
  sim s;
  s.probe("p").expect<arrive>();
}
