#include <boost/test/unit_test.hpp>

#include <steward/apps/bench/key_sources.hpp>
#include <steward/apps/bench/zipf.hpp>

#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace steward::bench;

namespace {

std::string formatted(std::uint32_t n) {
  char text[16];
  std::snprintf(text, sizeof(text), "key-%08x", n);
  return text;
}

run_options small_run(workload what, std::uint32_t keys, std::size_t clients) {
  auto result = defaults_of(what);
  result.keys = keys;
  result.clients = clients;
  return result;
}

const std::atomic<bool> false_now{false};

} // namespace

BOOST_AUTO_TEST_CASE(a_key_is_its_number_in_hexadecimal) {
  for (std::uint32_t n : {0U, 1U, 9U, 10U, 15U, 16U, 255U, 999'999U,
                          0x12345678U, 0x9abcdef0U, 0xffffffffU})
    BOOST_TEST(key_text{n}.view() == formatted(n));
}

BOOST_AUTO_TEST_CASE(who_is_stopped_prepares_no_hundred_million_keys) {
  const std::atomic<bool> stop{true};
  zipf law{100'000'000, 0.99, stop};
  random_bits random{7};
  BOOST_TEST(law(random) == 0u);
}

BOOST_AUTO_TEST_CASE(zipf_has_the_exact_probabilities) {
  zipf law{1'000, 0.99, false_now};
  double sum = 0;
  for (int i = 1; i <= 1'000; ++i)
    sum += std::pow(i, -0.99);
  for (std::uint32_t rank : {0U, 1U, 10U, 500U, 999U})
    BOOST_TEST(law.probability(rank) == std::pow(rank + 1, -0.99) / sum,
               boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(zipf_draws_as_often_as_its_probabilities_say) {
  constexpr std::uint32_t ranks = 50;
  constexpr int draws = 200'000;
  zipf law{ranks, 0.99, false_now};
  random_bits random{7};
  std::vector<int> seen(ranks);
  for (int i = 0; i < draws; ++i)
    ++seen[law(random)];
  double chi_squared = 0;
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    auto expected = law.probability(rank) * draws;
    chi_squared += std::pow(seen[rank] - expected, 2) / expected;
  }
  // 49 degrees of freedom: above 85.4 once in a thousand seeds.
  BOOST_TEST(chi_squared < 85.4);
}

BOOST_AUTO_TEST_CASE(a_seed_gives_the_same_keys_and_another_one_others) {
  auto run = small_run(workload::w1, 1'000, 2);
  uniform_keys a{run, 0};
  uniform_keys same{run, 0};
  uniform_keys other{run, 1};
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    auto key = std::string{a().key.view()};
    BOOST_TEST(same().key.view() == key);
    different += other().key.view() == key ? 0 : 1;
  }
  BOOST_TEST(different > 90);
}

BOOST_AUTO_TEST_CASE(uniform_keys_are_all_drawn_about_equally_often) {
  auto run = small_run(workload::w1, 10, 1);
  uniform_keys keys{run, 0};
  std::map<std::string, int> seen;
  for (int i = 0; i < 10'000; ++i)
    ++seen[std::string{keys().key.view()}];
  BOOST_TEST(seen.size() == 10u);
  for (const auto& [key, n] : seen)
    BOOST_TEST((n > 850 && n < 1'150), key << ' ' << n);
}

BOOST_AUTO_TEST_CASE(each_round_of_alternating_keys_has_every_key_once) {
  for (std::uint32_t count : {1U, 2U, 3U, 10U, 1'000U}) {
    alternating_keys keys{small_run(workload::w3, count, 2), 1};
    for (int round = 0; round < 3; ++round) {
      std::set<std::string> seen;
      for (std::uint32_t i = 0; i < count; ++i)
        seen.emplace(keys().key.view());
      BOOST_TEST(seen.size() == count);
    }
  }
}

BOOST_AUTO_TEST_CASE(whoever_comes_to_an_alternating_key_has_other_params) {
  constexpr std::uint32_t count = 100;
  auto run = small_run(workload::w3, count, 3);
  std::vector<alternating_keys> clients;
  for (std::size_t i = 0; i < run.clients; ++i)
    clients.emplace_back(run, i);
  std::map<std::string, std::string> last;
  // Clients that go at different speeds.
  random_bits random{1};
  for (int i = 0; i < 10'000; ++i) {
    auto x = clients[random.below(3)]();
    auto& before = last[std::string{x.key.view()}];
    BOOST_REQUIRE(before != x.params);
    before = x.params;
  }
}
