// A clock without a timer: time goes on when all have answered, also caretakers
// of those that sleep.
#include "plain_recipient.hpp"

#include <steward/actors/clock.hpp>
#include <steward/testkit/probe.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1'000'000s};

struct fixture {
  caf::actor made_clock() {
    clock_config how{s.time(), box, false};
    how.set_time = [this](time_point t) { set = t; };
    return s.spawn(clock_actor, std::move(how));
  }

  testkit::sim s{{.start = start}};
  std::shared_ptr<alarms> box = std::make_shared<alarms>();
  time_point set;
  caf::actor clock = made_clock();
  testkit::probe client = s.probe("client");
  testkit::probe caretaker = s.probe("caretaker");
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_crowd_that_sleeps_is_waited_for_in_all_its_parts,
                        fixture) {
  std::vector<std::shared_ptr<recipient>> crowd;
  for (int i = 0; i < 300; ++i) {
    crowd.push_back(std::make_shared<sleeping_recipient>(caretaker.actor()));
    box->leave(crowd.back(), start + 1s);
  }
  auto answer = client.request<advanced>(clock, advance{start + 1min});
  BOOST_TEST(caretaker.expect<attend>().whom.size() == 256u);
  BOOST_TEST(caretaker.expect<attend>().whom.size() == 44u);
  caretaker.expect_nothing();
  BOOST_TEST((set == start + 1s));
  caretaker.send(clock, attended{});
  s.settle();
  BOOST_TEST(!answer.answered());
  caretaker.send(clock, attended{});
  BOOST_TEST(answer.get().ticks == 1u);
  BOOST_TEST((set == start + 1min));
}
