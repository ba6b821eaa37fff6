#include <steward/testkit/failure.hpp>
#include <steward/testkit/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace steward::testkit;

namespace {

const std::vector<std::uint64_t> three{7, 8, 9}; // ids of actors

// What a schedule decides if the same actors are always ready.
std::vector<std::size_t> decide(schedule s, std::size_t count, bool timer,
                                const std::vector<std::uint64_t>& ready
                                = three) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(s.choose(ready, timer));
  return result;
}

std::vector<std::size_t> decide(const schedule::options& how, std::size_t count,
                                bool timer = false) {
  return decide(schedule{how}, count, timer);
}

std::size_t times(const std::vector<std::size_t>& all, std::size_t what) {
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), what));
}

std::string text_of(const schedule::options& how, std::size_t count) {
  schedule s{how};
  for (std::size_t i = 0; i < count; ++i)
    s.choose(three, true);
  return schedule_text(s.taken());
}

} // namespace

// -- policies -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_same_seed_decides_the_same) {
  for (const policy& how : {policy{fair_random{}}, policy{pct{3}}}) {
    schedule::options one{.how = how, .seed = 1, .early_timers = 0.2};
    auto two = one;
    two.seed = 2;
    BOOST_TEST(decide(one, 200, true) == decide(one, 200, true),
               boost::test_tools::per_element());
    BOOST_TEST((decide(one, 200, true) != decide(two, 200, true)),
               to_string(how) << ": seeds 1 and 2 decide the same");
  }
}

BOOST_AUTO_TEST_CASE(fifo_takes_the_first_and_lets_time_wait) {
  auto all = decide({.how = fifo{}}, 100, true);
  BOOST_TEST(times(all, 0) == 100u);
}

BOOST_AUTO_TEST_CASE(fifo_can_be_told_to_fire_timers_early) {
  auto all = decide({.how = fifo{}, .early_timers = 0.3}, 1000, true);
  BOOST_TEST(times(all, 3) > 200u);
  BOOST_TEST(times(all, 3) < 400u);
  BOOST_TEST(times(all, 0) + times(all, 3) == 1000u);
}

BOOST_AUTO_TEST_CASE(random_takes_each_with_equal_odds_and_no_timer) {
  auto all = decide({.how = fair_random{}, .seed = 5}, 3000, true);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(times(all, i) > 900u);
    BOOST_TEST(times(all, i) < 1100u);
  }
  BOOST_TEST(times(all, 3) == 0u);
}

BOOST_AUTO_TEST_CASE(a_timer_fires_early_about_as_often_as_told) {
  auto all = decide({.how = fair_random{}, .seed = 5, .early_timers = 0.1},
                    3000, true);
  BOOST_TEST(times(all, 3) > 200u);
  BOOST_TEST(times(all, 3) < 400u);
}

BOOST_AUTO_TEST_CASE(no_timer_fires_where_there_is_none) {
  auto all = decide({.how = fair_random{}, .seed = 5, .early_timers = 1}, 100);
  BOOST_TEST(times(all, 3) == 0u);
}

BOOST_AUTO_TEST_CASE(pct_prefers_one_until_it_changes_its_mind) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (unsigned depth = 1; depth <= 3; ++depth) {
      auto all = decide({.how = pct{depth}, .seed = seed, .horizon = 100}, 150);
      std::size_t changes = 0;
      for (std::size_t i = 1; i < all.size(); ++i)
        changes += all[i] != all[i - 1] ? 1u : 0u;
      // Two changes may fall on one decision, and one on the first.
      BOOST_TEST(changes <= depth - 1);
    }
}

BOOST_AUTO_TEST_CASE(pct_changes_anywhere_within_the_horizon) {
  std::set<std::size_t> where;
  std::set<std::size_t> first;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    auto all = decide({.how = pct{2}, .seed = seed, .horizon = 10}, 20);
    first.insert(all[0]);
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i] != all[i - 1])
        where.insert(i);
  }
  BOOST_TEST(where.size() == 9u); // at 0 nobody was preferred before
  BOOST_TEST(*where.rbegin() == 9u);
  BOOST_TEST(first.size() == 3u); // priorities are drawn
}

BOOST_AUTO_TEST_CASE(pct_prefers_the_same_actor_wherever_it_stands) {
  schedule s{{.how = pct{1}, .seed = 3}};
  auto liked = three[s.choose(three, false)];
  auto turned = three;
  for (int i = 0; i < 5; ++i) {
    std::next_permutation(turned.begin(), turned.end());
    BOOST_TEST(turned[s.choose(turned, false)] == liked);
  }
}

BOOST_AUTO_TEST_CASE(pct_lowers_whom_it_preferred_below_all_others) {
  std::size_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    schedule s{{.how = pct{2}, .seed = seed, .horizon = 2}};
    auto first = s.choose(three, false);
    auto second = s.choose(three, false);
    if (first == second) // changed at the very first decision
      continue;
    ++seen;
    for (auto other : three)
      if (other != three[first])
        BOOST_TEST(
          s.choose(std::vector<std::uint64_t>{three[first], other}, false)
          == 1u);
  }
  BOOST_TEST(seen > 10u);
}

BOOST_AUTO_TEST_CASE(a_fair_schedule_takes_the_first_and_notes_nothing) {
  schedule s{{.how = fair_random{}, .seed = 1, .early_timers = 0.5}};
  s.choose(three, true);
  s.be_fair();
  for (int i = 0; i < 100; ++i)
    BOOST_TEST(s.choose(three, true) == 0u);
  BOOST_TEST(s.taken().size() == 1u);
}

// -- lists --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_list_is_followed_and_then_the_order_is_plain) {
  auto all = decide(schedule{{2, 0, early_timer, 1}}, 6, true);
  BOOST_TEST(all == (std::vector<std::size_t>{2, 0, 3, 1, 0, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_that_does_not_fit_takes_the_first) {
  BOOST_TEST(decide(schedule{{3}}, 1, true)[0] == 0u);
  BOOST_TEST(decide(schedule{{early_timer}}, 1, false)[0] == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_taken_can_be_taken_again) {
  for (const policy& how : {policy{fair_random{}}, policy{pct{4}}}) {
    schedule s{{.how = how, .seed = 9, .early_timers = 0.2}};
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < 300; ++i)
      all.push_back(s.choose(three, i % 2 == 0));
    schedule again{parse_schedule(schedule_text(s.taken()))};
    for (std::size_t i = 0; i < 300; ++i)
      BOOST_TEST(again.choose(three, i % 2 == 0) == all[i]);
    BOOST_TEST(schedule_text(again.taken()) == schedule_text(s.taken()));
  }
}

// -- text ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(so_many_actors_can_be_numbered_and_no_more) {
  std::vector<std::uint64_t> most(ready_max);
  schedule random{{.how = fair_random{}}};
  BOOST_TEST(random.choose(most, true) <= most.size());
  BOOST_TEST(random.taken().back().options == most.size() + 1);
  schedule last{{ready_max - 1}};
  BOOST_TEST(last.choose(most, true) == most.size() - 1);
  BOOST_TEST(last.taken().back().taken == most.size() - 1); // and no timer
  auto more = most;
  more.push_back(1);
  for (auto* s : {&random, &last})
    BOOST_CHECK_EXCEPTION(s->choose(more, false), misuse, [](const misuse& x) {
      return std::string{x.what()}
             == "too many actors: 65535 are ready at once; allowed: 65534 "
                "where a schedule decides";
    });
  // Who just takes turns needs no numbers.
  schedule plain{schedule::options{}};
  BOOST_TEST(plain.choose(more, true) == 0u);
  BOOST_TEST(schedule_text(plain.taken()) == "");
}

BOOST_AUTO_TEST_CASE(policies_have_names) {
  BOOST_TEST(to_string(fifo{}) == "fifo");
  BOOST_TEST(to_string(fair_random{}) == "random");
  BOOST_TEST(to_string(pct{4}) == "pct4");
}

BOOST_AUTO_TEST_CASE(a_schedule_is_written_as_what_deviates) {
  std::vector<decision> all{{0, 2}, {1, 2}, {0, 3}, {early_timer, 3, true}};
  BOOST_TEST(schedule_text(all) == "1:1,3:t");
  BOOST_TEST(schedule_text({}) == "");
  BOOST_TEST(text_of({.how = fifo{}}, 50) == "");
}

BOOST_AUTO_TEST_CASE(a_schedule_is_read_as_it_is_written) {
  BOOST_TEST(parse_schedule("").empty());
  BOOST_TEST(parse_schedule("0:2") == (std::vector<std::uint16_t>{2}));
  BOOST_TEST(parse_schedule("1:1,3:t")
             == (std::vector<std::uint16_t>{0, 1, 0, early_timer}));
}

BOOST_AUTO_TEST_CASE(a_bad_schedule_is_refused_with_what_is_allowed) {
  for (const auto* bad : {"1",          "1:",       ":1",
                          "a:1",        "1:a",      "1:1,",
                          ",1:1",       "1:1,,2:1", "2:1,1:1",
                          "1:1,1:2",    "1:1 ",     " 1:1",
                          "-1:1",       "1:-1",     "1:tt",
                          "1:65535",    "1:70000",  "99999999999:1",
                          "10000001:1", "1:1;2:1"})
    BOOST_CHECK_EXCEPTION(
      parse_schedule(bad), std::invalid_argument, [&](const auto& x) {
        auto text = std::string{x.what()};
        return text.find('"' + std::string{bad} + '"') != std::string::npos
               && text.find("allowed: decision:option") != std::string::npos;
      });
}

// -- random numbers -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(random_numbers_are_the_same_everywhere) {
  // Worked out by another program, which knows the published numbers.
  random_stream r{1, "x"};
  BOOST_TEST(r() == 0x567dbb1a67b6b6a3u);
  BOOST_TEST(r() == 0x603fce8d10246dd1u);
  random_stream other{1, "y"};
  BOOST_TEST(other() != 0x567dbb1a67b6b6a3u);
  BOOST_TEST(random_stream::fold("") == 0xcbf29ce484222325u);
  BOOST_TEST(random_stream::fold("a") == 0xaf63dc4c8601ec8cu); // published
}

BOOST_AUTO_TEST_CASE(random_numbers_stay_in_their_range) {
  random_stream r{1, "range"};
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST(r.below(3) < 3u);
    auto n = r.between(-2, 2);
    BOOST_REQUIRE(n >= -2);
    BOOST_REQUIRE(n <= 2);
    ++seen[static_cast<std::size_t>(n + 2)];
  }
  for (auto n : seen)
    BOOST_TEST(n > 150);
  BOOST_TEST(!r.chance(0));
  BOOST_TEST(r.chance(1));
}
