#include <boost/test/unit_test.hpp>

#include <steward/core/use_order.hpp>

#include <map>
#include <random>
#include <utility>

using namespace steward;

namespace {

// Against a sorted map. `stamp_of(step, luck)`: when what is added was used.
template <class F>
void compare(int adds, F stamp_of) {
  std::mt19937 random{5};
  use_order<int> order;
  std::map<std::pair<time_point, std::uint64_t>, int> expected;
  for (int step = 0; step < 20'000; ++step) {
    if (static_cast<int>(random() % 100) < adds) {
      time_point stamp{
        duration{stamp_of(step, static_cast<int>(random() % 1000))}};
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
    auto* first = order.first();
    BOOST_REQUIRE((first == nullptr) == expected.empty());
    if (first != nullptr)
      BOOST_REQUIRE((std::pair{first->stamp, first->id}
                     == expected.begin()->first));
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(it_is_the_order_of_a_sorted_map) {
  // Many at one instant, as a coarse clock has it.
  compare(60, [](int, int luck) { return luck % 40; });
}

BOOST_AUTO_TEST_CASE(so_it_is_where_most_is_added_at_the_end) {
  compare(51, [](int step, int luck) { return step - luck % 3; });
}

BOOST_AUTO_TEST_CASE(so_it_is_where_old_and_new_are_mixed) {
  compare(70, [](int step, int luck) {
    return luck % 2 == 0 ? step / 50 : luck % (step / 50 + 1);
  });
}

BOOST_AUTO_TEST_CASE(so_it_is_where_much_is_added_and_some_of_it_is_old) {
  compare(98, [](int step, int luck) {
    return luck % 8 == 0 ? step - luck : step;
  });
}
