#include <boost/test/unit_test.hpp>

#include <steward/apps/bench/fairness.hpp>
#include <steward/apps/bench/histogram.hpp>
#include <steward/apps/bench/spread.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace steward::bench;

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

} // namespace

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_gap_from_0_to_the_end) {
  std::size_t index = 0;
  for (std::uint64_t first = 0;; ++index) {
    auto last = histogram::last_of(index);
    BOOST_REQUIRE(last >= first);
    BOOST_REQUIRE(histogram::index_of(first) == index);
    BOOST_REQUIRE(histogram::index_of(last) == index);
    if (last == largest)
      break;
    first = last + 1;
  }
  BOOST_TEST(index + 1 == 58u * 128u);
}

BOOST_AUTO_TEST_CASE(a_bucket_is_no_wider_than_a_128th_of_its_values) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 10'000; ++i) {
    auto value = random() >> (random() % 64);
    auto last = histogram::last_of(histogram::index_of(value));
    BOOST_REQUIRE(last >= value);
    BOOST_REQUIRE(last - value <= value / 128);
  }
}

BOOST_AUTO_TEST_CASE(quantiles_are_those_of_the_sorted_values_to_a_128th) {
  std::mt19937_64 random{2};
  histogram h;
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 5'000; ++i) {
    all.push_back(random() >> (random() % 50 + 10));
    h.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (auto share : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    auto rank = static_cast<std::size_t>(share * 5'000 + 0.5);
    auto exact = all[std::max<std::size_t>(rank, 1) - 1];
    BOOST_TEST(h.at(share) >= exact);
    BOOST_TEST(h.at(share) <= exact + exact / 128);
  }
  BOOST_TEST(h.max() == all.back());
  BOOST_TEST(h.at(1) == all.back());
}

BOOST_AUTO_TEST_CASE(an_empty_histogram_has_nothing_but_zeros) {
  histogram h;
  BOOST_TEST(h.count() == 0u);
  BOOST_TEST(h.max() == 0u);
  BOOST_TEST(h.at(0.99) == 0u);
}

BOOST_AUTO_TEST_CASE(a_quantile_is_never_beyond_the_largest_value) {
  histogram h;
  h.add(1'000'001);
  BOOST_TEST(h.at(0.5) == 1'000'001u);
  h.add(largest);
  BOOST_TEST(h.at(1) == largest);
}

BOOST_AUTO_TEST_CASE(merged_histograms_are_one_of_all_values) {
  histogram a;
  histogram b;
  histogram all;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    (i % 3 == 0 ? a : b).add(i * i);
    all.add(i * i);
  }
  a.merge(b);
  BOOST_TEST(a.count() == all.count());
  BOOST_TEST(a.max() == all.max());
  for (auto share : {0.1, 0.5, 0.99})
    BOOST_TEST(a.at(share) == all.at(share));
}

BOOST_AUTO_TEST_CASE(
  jain_is_1_for_equal_shares_and_1_of_n_for_one_who_has_all) {
  std::array<std::uint64_t, 4> equal{7, 7, 7, 7};
  std::array<std::uint64_t, 4> one{0, 9, 0, 0};
  std::array<std::uint64_t, 4> two{5, 5, 0, 0};
  BOOST_TEST(jain_index(equal).value() == 1.0);
  BOOST_TEST(jain_index(one).value() == 0.25);
  BOOST_TEST(jain_index(two).value() == 0.5);
  std::array<std::uint64_t, 3> mixed{1, 2, 3};
  BOOST_TEST(jain_index(mixed).value() == 36.0 / 42.0);
}

BOOST_AUTO_TEST_CASE(jain_is_1_where_nobody_has_anything) {
  std::array<std::uint64_t, 2> nothing{};
  BOOST_TEST(!jain_index(nothing).has_value());
}

BOOST_AUTO_TEST_CASE(a_spread_has_median_quartiles_and_ends) {
  auto x = spread_of({5, 1, 4, 2, 3});
  BOOST_TEST(x.count == 5u);
  BOOST_TEST(x.median == 3.0);
  BOOST_TEST(x.least == 1.0);
  BOOST_TEST(x.most == 5.0);
  BOOST_TEST(x.quartile_1 == 2.0);
  BOOST_TEST(x.quartile_3 == 4.0);
  BOOST_TEST(spread_of({1, 2}).median == 1.5);
  BOOST_TEST(spread_of({8}).quartile_3 == 8.0);
}

BOOST_AUTO_TEST_CASE(fewer_than_5_runs_say_nothing_for_certain) {
  BOOST_TEST(!spread_of({1, 1, 1, 1}).likely_most.has_value());
  // All five on one side by chance: 1 of 32.
  auto x = spread_of({1, 2, 3, 4, 5});
  BOOST_TEST(x.likely_least.value() == 1.0);
  BOOST_TEST(x.likely_most.value() == 5.0);
}

BOOST_AUTO_TEST_CASE(more_runs_let_outliers_go) {
  // At most one of eight on the other side by chance: 9 of 256.
  auto x = spread_of({1, 2, 3, 4, 5, 6, 7, 800});
  BOOST_TEST(x.likely_least.value() == 2.0);
  BOOST_TEST(x.likely_most.value() == 7.0);
  // At most one of seven: 8 of 128, which is too likely.
  BOOST_TEST(spread_of({1, 2, 3, 4, 5, 6, 700}).likely_most.value() == 700.0);
}

BOOST_AUTO_TEST_CASE(bounds_of_the_median_hold_as_often_as_they_say) {
  std::mt19937_64 random{3};
  std::exponential_distribution<double> draw{1};
  const auto median = std::log(2.0);
  for (std::size_t runs : {5U, 8U, 11U, 20U}) {
    int wrong = 0;
    for (int i = 0; i < 4'000; ++i) {
      std::vector<double> all(runs);
      for (auto& x : all)
        x = draw(random);
      wrong += spread_of(all).likely_most.value() < median ? 1 : 0;
    }
    BOOST_TEST(wrong <= 4'000 * 6 / 100);
  }
}

BOOST_AUTO_TEST_CASE(ratios_are_of_pairs_as_far_as_both_ran) {
  BOOST_TEST(ratios_of({2, 9, 5}, {1, 3}) == (std::vector<double>{2, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(ratios_of({1}, {0}).empty());
}
