#include <boost/test/unit_test.hpp>

#include <steward/core/use_order.hpp>

#include <map>
#include <random>
#include <utility>

using namespace steward;

BOOST_AUTO_TEST_CASE(it_is_in_the_order_of_a_sorted_map) {
  std::mt19937 random{5};
  use_order<int> order;
  std::map<std::pair<time_point, std::uint64_t>, int> expected;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 5 < 3) {
      // Many at one instant, as a coarse clock has it.
      time_point stamp{duration{random() % 40}};
      order.insert(stamp, static_cast<std::uint64_t>(step), step);
      expected.emplace(std::pair{stamp, step}, step);
    } else if (order.size() > 0 && random() % 50 > 0) {
      auto x = order.pop();
      BOOST_REQUIRE((std::pair{x.stamp, x.id} == expected.begin()->first));
      BOOST_REQUIRE(x.what == expected.begin()->second);
      expected.erase(expected.begin());
    } else {
      auto digit = random() % 10;
      order.erase_if([=](std::uint64_t id) { return id % 10 == digit; });
      std::erase_if(expected, [=](const auto& x) {
        return x.first.second % 10 == digit;
      });
    }
    BOOST_REQUIRE(order.size() == expected.size());
  }
}
