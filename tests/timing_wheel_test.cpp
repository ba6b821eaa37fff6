#include <boost/test/unit_test.hpp>

#include <steward/core/timing_wheel.hpp>

#include <map>
#include <random>
#include <set>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1000h};

struct fixture {
  timing_wheel<int> wheel{start};

  std::vector<int> pop(time_point now) {
    std::vector<int> result;
    wheel.pop_due(now, [&](time_point, int x) { result.push_back(x); });
    return result;
  }
};

using ints = std::vector<int>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(timing_wheel_, fixture)

BOOST_AUTO_TEST_CASE(an_empty_wheel_is_never_due) {
  BOOST_TEST((wheel.next() == never));
  BOOST_TEST(wheel.size() == 0u);
  BOOST_TEST(pop(start + 10000h).empty());
}

BOOST_AUTO_TEST_CASE(
  a_thing_comes_out_at_its_time_and_not_a_nanosecond_sooner) {
  for (duration d : {duration{1}, duration{1ms}, duration{64ms}, duration{1s},
                     duration{67108864}, duration{300s}, duration{24h},
                     duration{24h * 365 * 10}}) {
    timing_wheel<int> x{start};
    int out = 0;
    x.insert(start + d, 1);
    auto count = [&](time_point, int) { ++out; };
    x.pop_due(start + d - 1ns, count);
    BOOST_TEST(out == 0);
    BOOST_TEST((x.next() <= start + d));
    x.pop_due(start + d, count);
    BOOST_TEST(out == 1);
    x.pop_due(start + d, count);
    BOOST_TEST(out == 1);
    BOOST_TEST(x.size() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(things_within_one_bucket_keep_their_own_times) {
  wheel.insert(start + 300ns, 3);
  wheel.insert(start + 100ns, 1);
  wheel.insert(start + 200ns, 2);
  BOOST_TEST((wheel.next() == start + 100ns));
  BOOST_TEST((pop(start + 200ns) == ints{1, 2}));
  BOOST_TEST((wheel.next() == start + 300ns));
  BOOST_TEST((pop(start + 300ns) == ints{3}));
}

BOOST_AUTO_TEST_CASE(what_is_overdue_when_it_goes_in_comes_out_next) {
  pop(start + 1h);
  wheel.insert(start, 1);
  BOOST_TEST((wheel.next() == start));
  BOOST_TEST((pop(start + 1h) == ints{1}));
}

BOOST_AUTO_TEST_CASE(time_that_seems_to_go_back_loses_nothing) {
  pop(start + 1h);
  wheel.insert(start + 1h + 1s, 1);
  BOOST_TEST(pop(start).empty());
  BOOST_TEST((pop(start + 1h + 1s) == ints{1}));
}

BOOST_AUTO_TEST_CASE(never_is_a_time_like_any_other) {
  wheel.insert(never, 1);
  wheel.insert(start + 1s, 2);
  BOOST_TEST((pop(start + 24h * 365 * 100) == ints{2}));
  BOOST_TEST(wheel.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_comes_out_may_put_itself_in_again) {
  wheel.insert(start + 1s, 1);
  int times = 0;
  for (auto now = start; now <= start + 10s; now += 500ms)
    wheel.pop_due(now, [&](time_point at, int x) {
      ++times;
      wheel.insert(at + 1s, x);
    });
  BOOST_TEST(times == 10);
  BOOST_TEST(wheel.size() == 1u);
}

BOOST_AUTO_TEST_CASE(one_long_step_is_as_good_as_many_short_ones) {
  for (int i = 0; i < 1000; ++i)
    wheel.insert(start + i * 7777777us, i);
  auto all = pop(start + 24h);
  BOOST_REQUIRE(all.size() == 1000u);
  for (int i = 0; i < 1000; ++i)
    BOOST_TEST(all[static_cast<std::size_t>(i)] == i);
}

// Against a map, which is obviously right: random times, random steps, things
// that go in while others come out.
BOOST_AUTO_TEST_CASE(a_wheel_is_a_sorted_map_that_costs_less) {
  std::size_t popped = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random{seed};
    auto now = start + duration{static_cast<std::int64_t>(random() % 1000000)};
    timing_wheel<int> x{now};
    std::multimap<time_point, int> model;
    int names = 0;
    auto some_duration = [&] {
      auto scale = random() % 55; // up to about a year
      return duration{
        static_cast<std::int64_t>(random() % (std::uint64_t{1} << scale))};
    };
    auto insert = [&](time_point at) {
      x.insert(at, ++names);
      model.emplace(at, names);
    };
    for (int step = 0; step < 200; ++step) {
      for (auto n = random() % 4; n > 0; --n)
        insert(random() % 8 == 0 ? now - some_duration() % 1h
                                 : now + some_duration());
      // Often exactly at, or right before, what is due next.
      switch (random() % 4) {
        case 0: now += some_duration() / 64; break;
        case 1:
          if (!model.empty())
            now = std::max(now, model.begin()->first - 1ns);
          break;
        case 2:
          if (!model.empty())
            now = std::max(now, model.begin()->first);
          break;
        default:
          if (x.next() != never)
            now = std::max(now, x.next());
      }
      std::multiset<std::pair<time_point, int>> got;
      auto last = time_point::min();
      std::vector<time_point> again;
      x.pop_due(now, [&](time_point at, int name) {
        BOOST_REQUIRE((at >= last));
        last = at;
        got.emplace(at, name);
        if (random() % 8 == 0) {
          again.push_back(now + 1ns + some_duration());
          x.insert(again.back(), ++names);
          model.emplace(again.back(), names);
        }
      });
      std::multiset<std::pair<time_point, int>> want;
      for (auto i = model.begin(); i != model.end() && i->first <= now;
           i = model.erase(i))
        want.emplace(i->first, i->second);
      BOOST_REQUIRE_MESSAGE((got == want), "seed " << seed << " step " << step);
      BOOST_REQUIRE(x.size() == model.size());
      BOOST_REQUIRE(
        (x.next() <= (model.empty() ? never : model.begin()->first)));
      popped += want.size();
    }
    // Who follows the bounds gets there, and soon.
    for (int bounds = 0; !model.empty(); ++bounds) {
      BOOST_REQUIRE(bounds <= 8);
      if (x.next() < model.begin()->first) {
        now = std::max(now, x.next());
        x.pop_due(now, [](time_point, int) { BOOST_FAIL("too soon"); });
        continue;
      }
      bounds = -1;
      now = std::max(now, model.begin()->first);
      x.pop_due(now, [&](time_point, int) {});
      model.erase(model.begin(), model.upper_bound(now));
      BOOST_REQUIRE(x.size() == model.size());
    }
    BOOST_TEST((x.next() == never));
  }
  BOOST_TEST(popped > 50'000u);
}

BOOST_AUTO_TEST_CASE(what_became_useless_is_taken_out) {
  for (int i = 0; i < 1000; ++i)
    wheel.insert(start + i * 37ms, i);
  wheel.erase_if([](time_point at, int x) {
    BOOST_TEST((at == start + x * 37ms));
    return x % 10 != 3;
  });
  BOOST_TEST(wheel.size() == 100u);
  BOOST_TEST((wheel.next() <= start + 3 * 37ms));
  auto out = pop(start + 10h);
  BOOST_TEST(out.size() == 100u);
  BOOST_TEST(out.front() == 3);
  BOOST_TEST(out.back() == 993);
  BOOST_TEST((wheel.next() == never));
}

BOOST_AUTO_TEST_SUITE_END()
