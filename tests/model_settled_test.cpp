// Whatever is done to a pool that then comes to rest, all there is to be seen
// is as a simple model says.
#include <steward/tests/model/property.hpp>
#include <steward/tests/model/settled.hpp>

using namespace modelled;

BOOST_AUTO_TEST_SUITE(model_settled)

BOOST_AUTO_TEST_CASE(a_pool_does_what_its_model_says) {
  tally seen;
  if (must_hold({.cases = 3000, .size = 60}, agrees(kind::settled, seen))) {
    BOOST_TEST(
      seen.missing({"fresh", "reused", "key_full", "total_full", "open_failed",
                    "draining", "requested", "idle", "lifetime", "evicted",
                    "unhealthy", "drained", "in line fresh", "in line reused",
                    "in line open_failed", "in line deadline_exceeded",
                    "in line draining"})
      == "");
    BOOST_TEST(seen.percent("asleep") > 25);
  }
  BOOST_TEST_MESSAGE(seen.text());
}

BOOST_AUTO_TEST_CASE(a_pool_whose_opens_wait_does_what_its_model_says) {
  tally seen;
  if (must_hold({.cases = 3000, .size = 60}, agrees(kind::waiting, seen))) {
    BOOST_TEST(
      seen.missing({"fresh", "reused", "key_full", "total_full", "open_failed",
                    "open_timed_out", "deadline_exceeded", "draining",
                    "requested", "idle", "lifetime", "evicted", "unhealthy",
                    "stalled", "drained", "in line reused",
                    "in line deadline_exceeded", "in line draining"})
      == "");
    BOOST_TEST(seen.percent("asleep") > 25);
  }
  BOOST_TEST_MESSAGE(seen.text());
}

BOOST_AUTO_TEST_SUITE_END()
