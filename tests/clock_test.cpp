#include "plain_recipient.hpp"

#include <steward/actors/clock.hpp>
#include <steward/runtime/config.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace steward;

constexpr time_point start{1'000'000s};

// A clock on the wall that a test can turn. What is left out is left out.
class turned_timepiece final : public timepiece {
public:
  time_point now() const noexcept override {
    return start + duration{now_.load() - lost_.load()};
  }

  time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(duration lost) noexcept override {
    lost_ += lost.count();
  }

  void turn(duration by) {
    now_ += by.count();
  }

  duration lost() const {
    return duration{lost_.load()};
  }

private:
  std::atomic<std::int64_t> now_{0};
  std::atomic<std::int64_t> lost_{0};
};

// The ticks that an actor got, for the thread of the test.
class tick_list {
public:
  void push(const cleanup_tick& x) {
    std::lock_guard lock{guard_};
    ticks_.push_back(x);
    came_.notify_all();
  }

  // The next tick; a test that gets none fails.
  cleanup_tick pop() {
    std::unique_lock lock{guard_};
    if (!came_.wait_for(lock, 10s, [this] { return !ticks_.empty(); }))
      BOOST_FAIL("no tick came");
    auto result = ticks_.front();
    ticks_.pop_front();
    return result;
  }

  bool empty() {
    std::lock_guard lock{guard_};
    return ticks_.empty();
  }

private:
  std::mutex guard_;
  std::condition_variable came_;
  std::deque<cleanup_tick> ticks_;
};

caf::behavior listener(caf::event_based_actor*, tick_list* to) {
  return {[to](const cleanup_tick& x) { to->push(x); }};
}

struct fixture {
  fixture() {
    cafx::send_anon(clock, clock_pool{100ms});
  }

  ~fixture() {
    cafx::send_anon(clock, stop_clock{});
    caf::anon_send_exit(ear, caf::exit_reason::user_shutdown);
  }

  std::shared_ptr<recipient> arm_at(time_point at) {
    auto whom = std::make_shared<plain_recipient>(ear);
    arm(whom, at);
    return whom;
  }

  void arm(std::shared_ptr<recipient> whom, time_point at) {
    if (box->leave(std::move(whom), at))
      cafx::send_anon(clock, collect_alarms{});
  }

  tick_list ticks;
  config cfg;
  caf::actor_system sys{cfg};
  std::shared_ptr<turned_timepiece> time = std::make_shared<turned_timepiece>();
  std::shared_ptr<alarms> box = std::make_shared<alarms>();
  caf::actor clock = sys.spawn(clock_actor, clock_config{time, box});
  caf::actor ear = sys.spawn(listener, &ticks);
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(clock_with_a_timer, fixture)

BOOST_AUTO_TEST_CASE(who_is_due_is_woken_and_who_is_not_is_not) {
  arm_at(start + 1h);
  arm_at(start);
  auto tick = ticks.pop();
  BOOST_TEST(tick.seq == 1u);
  BOOST_TEST((tick.now == start));
  arm_at(start); // would come after an early tick of the other one
  BOOST_TEST(ticks.pop().seq == 2u);
  BOOST_TEST(ticks.empty());
}

BOOST_AUTO_TEST_CASE(an_earlier_alarm_replaces_a_later_one) {
  auto whom = arm_at(start + 500ms);
  arm(whom, start);
  BOOST_TEST(ticks.pop().seq == 1u);
  time->turn(500ms); // now the later one comes up in the wheel, too
  arm_at(start + 500ms);
  BOOST_TEST(ticks.pop().seq == 2u);
  BOOST_TEST(ticks.empty());
}

BOOST_AUTO_TEST_CASE(what_needs_no_message_is_heard_of_at_the_next_beat) {
  arm_at(start + 150ms);
  arm_at(start);
  ticks.pop(); // the next beat is planned, at most a tick of 100 ms away
  auto whom = std::make_shared<plain_recipient>(ear);
  BOOST_TEST(!box->leave(whom, start + 120ms));
  time->turn(150ms);
  BOOST_TEST(ticks.pop().seq == 2u);
  BOOST_TEST(ticks.pop().seq == 2u);
}

BOOST_AUTO_TEST_CASE(time_during_which_nothing_ran_is_left_out) {
  arm_at(start + 20ms);
  arm_at(start); // its tick shows that the first one has its timer
  ticks.pop();
  time->turn(1h); // as if the process had been stopped meanwhile
  auto tick = ticks.pop();
  BOOST_TEST((tick.now == start + 20ms));
  BOOST_TEST((time->lost() == 1h - 20ms));
}

BOOST_AUTO_TEST_CASE(an_ordinary_delay_counts) {
  arm_at(start + 20ms);
  arm_at(start);
  ticks.pop();
  time->turn(500ms);
  auto tick = ticks.pop();
  BOOST_TEST((tick.now == start + 500ms));
  BOOST_TEST((time->lost() == 0s));
}

BOOST_AUTO_TEST_CASE(
  the_shortest_tick_of_all_pools_says_what_an_ordinary_delay_is) {
  cafx::send_anon(clock, clock_pool{10s}); // would take 21 s for ordinary
  arm_at(start + 20ms);
  arm_at(start);
  ticks.pop();
  time->turn(5s);
  BOOST_TEST((ticks.pop().now == start + 20ms));
  BOOST_TEST((time->lost() == 5s - 20ms));
}

BOOST_AUTO_TEST_CASE(who_has_left_is_not_kept_until_he_would_be_due) {
  std::vector<std::weak_ptr<recipient>> left;
  for (int i = 0; i < 10'000; ++i) {
    auto whom = arm_at(start + 1h);
    whom->over = true;
    left.push_back(whom);
  }
  arm_at(start);
  ticks.pop(); // by now the clock has heard of all
  auto kept = std::count_if(left.begin(), left.end(),
                            [](const auto& x) { return !x.expired(); });
  BOOST_TEST(kept <= 2048);
}

BOOST_AUTO_TEST_SUITE_END()
