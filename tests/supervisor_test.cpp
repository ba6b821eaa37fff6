// What a supervisor counts of its mail: alone, with a probe of a simulation for
// the clock.
#include "core_fixtures.hpp"

#include <steward/actors/supervisor.hpp>
#include <steward/testkit.hpp>

#include <boost/test/unit_test.hpp>

using namespace core_test;
using testkit::sim;

namespace {

class no_opener final : public any_opener {
public:
  outcome open(const open_request&) noexcept override {
    return {nullptr, "there is nothing to open"};
  }

  bool check(void*) noexcept override {
    return true;
  }

  void close(void*, close_reason) noexcept override {
  }

  void destroy(void*) noexcept override {
  }

  bool blocks() const noexcept override {
    return false;
  }

  bool checks() const noexcept override {
    return false;
  }
};

struct fixture {
  fixture() {
    pool->clock = clock.actor();
    pool->alarm_box = std::make_shared<alarms>();
  }

  sim s;
  std::shared_ptr<manual_time> time = std::make_shared<manual_time>();
  testkit::probe clock = s.probe("clock");
  std::shared_ptr<pool_context> pool = std::make_shared<pool_context>(
    pool_options{}, time, std::make_shared<no_opener>());
  std::shared_ptr<key_entry> key = std::make_shared<key_entry>("key", pool);
};

} // namespace

// As a network of nodes, or a campaign, may have it: also behind the next one.
BOOST_FIXTURE_TEST_CASE(a_tick_that_comes_twice_was_sent_once, fixture) {
  caf::actor who = s.spawn(supervisor, key, false);
  key->on_the_way = 3; // two ticks, and what keeps it awake
  for (std::uint64_t seq : {5u, 6u, 5u, 6u})
    cafx::send_anon(who, cleanup_tick{seq, time->at});
  s.settle();
  BOOST_TEST(key->on_the_way == 1u);
}
