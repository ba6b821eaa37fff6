// Whatever is done to a pool, all at once and in any order, no invariant breaks
// and what clients saw makes sense.
#include <steward/tests/model/overlapped.hpp>
#include <steward/tests/model/property.hpp>

using namespace modelled;

BOOST_AUTO_TEST_SUITE(model_overlapped)

BOOST_AUTO_TEST_CASE(no_commands_in_any_order_break_an_invariant) {
  tally seen;
  if (must_hold({.cases = 3000, .size = 60}, keeps_invariants(seen))) {
    BOOST_TEST(seen.missing({"fresh",
                             "reused",
                             "key_full",
                             "total_full",
                             "open_failed",
                             "open_timed_out",
                             "deadline_exceeded",
                             "draining",
                             "requested",
                             "idle",
                             "lifetime",
                             "evicted",
                             "unhealthy",
                             "stalled",
                             "drained",
                             "revoked",
                             "widowed",
                             "waiting together",
                             "drained with requests",
                             "in line together",
                             "served in line",
                             "too late in line"})
               == "");
    BOOST_TEST(seen.percent("asleep") > 25);
  }
  BOOST_TEST_MESSAGE(seen.text());
}

BOOST_AUTO_TEST_SUITE_END()
