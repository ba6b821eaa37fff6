#include <boost/test/unit_test.hpp>

#include "core_fixtures.hpp"

#include <steward/core/idle_stripes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

using namespace core_test;

namespace {

// What is open, and when it was used: as a list.
struct fixture {
  explicit fixture(std::size_t stripes) : all(stripes) {
  }

  idle_stripes<char> all;
  time_point now = start;
  std::vector<std::unique_ptr<slot>> open;
  std::vector<std::unique_ptr<slot>> gone; // the order may still point to them
  std::uint64_t ids = 0;

  slot& open_one() {
    auto& s = *open.emplace_back(std::make_unique<slot>());
    s.begin_open(++ids, "", now);
    s.opened(this, now, 0, false);
    all.insert({'a', &s, ids}, now);
    return s;
  }

  void give_back(slot& s) {
    core_test::give_back(s, now, [&] { all.idle_again(s.id()); });
  }

  void forget(const slot& s) {
    auto at = std::find_if(open.begin(), open.end(),
                           [&](const auto& x) { return x.get() == &s; });
    gone.push_back(std::move(*at));
    open.erase(at);
  }

  void close(slot& s) {
    BOOST_REQUIRE(s.try_take(s.word()));
    s.finish_close();
    forget(s);
  }

  // When that was used that has to go next.
  time_point oldest() const {
    auto result = never;
    for (const auto& x : open)
      if (x->word().holders() == 0)
        result = std::min(result, x->last_used());
    return result;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(idle_stripes_)

BOOST_AUTO_TEST_CASE(the_least_recently_used_of_all_stripes_is_claimed) {
  std::size_t claimed = 0;
  std::size_t none = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random{seed};
    fixture f{1 + seed % 4};
    for (int step = 0; step < 200; ++step) {
      f.now += 1s * static_cast<int>(random() % 3);
      auto* some = f.open.empty() ? nullptr
                                  : f.open[random() % f.open.size()].get();
      switch (random() % 6) {
        case 0: f.open_one(); break;
        case 1:
          if (some != nullptr && some->word().holders() == 0) {
            auto id = some->id();
            f.close(*some);
            BOOST_REQUIRE(!f.all.closed(id)); // nobody asked for it
          }
          break;
        case 2:
        case 3:
          if (some == nullptr)
            break;
          if (some->word().holders() > 0)
            f.give_back(*some);
          else
            BOOST_REQUIRE(some->try_hold(some->word()));
          break;
        default:
          auto expected = f.oldest();
          auto x = f.all.claim(random());
          BOOST_REQUIRE_MESSAGE(x.has_value() == (expected != never),
                                "seed " << seed);
          if (!x) {
            ++none;
            break;
          }
          ++claimed;
          BOOST_REQUIRE_MESSAGE(x->place->last_used() == expected,
                                "seed " << seed);
          f.close(*x->place);
      }
      BOOST_REQUIRE(f.all.known() == f.open.size());
    }
  }
  BOOST_TEST(claimed > 1000u);
  BOOST_TEST(none > 100u);
}

BOOST_AUTO_TEST_CASE(of_stripes_that_begin_alike_the_first_to_look_at_is_taken) {
  fixture f{3};
  for (int i = 0; i < 3; ++i)
    f.open_one();
  f.now += 1s;
  for (std::size_t from : {2u, 0u, 1u}) {
    auto x = f.all.claim(from);
    BOOST_REQUIRE(x.has_value());
    BOOST_TEST(x->id % 3 == from);
  }
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_expected_until_it_is_heard_of) {
  fixture f{2};
  auto& first = f.open_one();
  f.now += 1s;
  auto& second = f.open_one();
  auto x = f.all.expect_next();
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->ask);
  BOOST_TEST(x->from.place == &first);
  BOOST_REQUIRE(second.try_take(second.word()));
  auto y = f.all.expect_next(); // its permit comes by itself
  BOOST_REQUIRE(y.has_value());
  BOOST_TEST(!y->ask);
  BOOST_TEST(f.all.expected() == 2u);
  BOOST_TEST(!f.all.expect_next().has_value());
  BOOST_TEST(f.all.closed(2));
  BOOST_TEST(f.all.kept(1));
  BOOST_TEST(!f.all.kept(1));
  BOOST_TEST(f.all.expected() == 0u);
  BOOST_TEST(f.all.known() == 1u);
}

BOOST_AUTO_TEST_CASE(what_closes_by_itself_leaves_no_trace_in_the_order) {
  fixture f{2};
  auto& last = f.open_one();
  for (int i = 0; i < 500; ++i) {
    f.now += 1s;
    auto& s = f.open_one();
    auto id = s.id();
    f.close(s);
    BOOST_TEST(!f.all.closed(id));
    BOOST_TEST(f.all.known() == 1u);
  }
  auto x = f.all.claim(0);
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->place == &last);
  BOOST_TEST(f.all.known() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_being_closed_is_passed_over_and_expected) {
  fixture f{1};
  auto& first = f.open_one();
  auto& second = f.open_one();
  BOOST_REQUIRE(first.try_take(first.word()));
  auto x = f.all.claim(0);
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->place == &second);
  BOOST_TEST(f.all.expected() == 1u);
  BOOST_TEST(f.all.closed(1));
}

// However much closes until the claimer finds that out.
BOOST_AUTO_TEST_CASE(what_closes_while_it_is_claimed_is_no_hope_later) {
  for (auto left_to_owner : {false, true}) {
    fixture f{1};
    auto& victim = f.open_one();
    auto x = f.all.claim(0);
    BOOST_REQUIRE(x.has_value());
    f.close(victim); // its time was over
    BOOST_TEST(!f.all.closed(x->id));
    for (int i = 0; i < 500; ++i) {
      auto& s = f.open_one();
      auto id = s.id();
      f.close(s);
      f.all.closed(id);
    }
    f.now += 1s;
    auto& idle = f.open_one();
    if (left_to_owner)
      f.all.expect(*x);
    else
      f.all.put_back(*x);
    BOOST_TEST(f.all.expected() == 0u);
    BOOST_TEST(f.all.known() == 1u);
    auto next = f.all.expect_next();
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->ask);
    BOOST_TEST(next->from.place == &idle);
  }
}

BOOST_AUTO_TEST_CASE(what_is_in_use_is_looked_at_once) {
  fixture f{1};
  constexpr std::size_t many = 3000; // more than are looked at in one go
  for (std::size_t i = 0; i < many; ++i) {
    auto& s = f.open_one();
    BOOST_REQUIRE(s.try_hold(s.word()));
  }
  auto missed = [&] {
    return std::count_if(f.open.begin(), f.open.end(),
                         [](const auto& x) { return x->word().missed(); });
  };
  BOOST_TEST(!f.all.claim(0).has_value());
  BOOST_TEST(static_cast<std::size_t>(missed()) == many);
  BOOST_TEST(f.all.known() == many);
  auto& back = *f.open[many / 2];
  f.give_back(back);
  BOOST_TEST(!back.word().missed());
  auto x = f.all.claim(0);
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->place == &back);
  BOOST_TEST(!f.all.claim(0).has_value());
  BOOST_TEST(static_cast<std::size_t>(missed()) == many - 1);
}

BOOST_AUTO_TEST_CASE(what_closes_while_it_is_missed_is_forgotten) {
  fixture f{1};
  auto& s = f.open_one();
  BOOST_REQUIRE(s.try_hold(s.word()));
  BOOST_TEST(!f.all.claim(0).has_value());
  BOOST_TEST(s.revoke(nullptr) == 1u);
  BOOST_TEST(!f.all.closed(s.id()));
  BOOST_TEST(f.all.known() == 0u);
  f.all.idle_again(s.id());
  BOOST_TEST(!f.all.claim(0).has_value());
}

// One goes through no more stamps than that; the next ones go on.
BOOST_AUTO_TEST_CASE(after_a_million_uses_a_claim_corrects_a_part_of_all) {
  fixture f{1};
  constexpr std::size_t many = 5000;
  for (std::size_t i = 0; i < many; ++i)
    f.open_one();
  for (auto i = f.open.rbegin(); i != f.open.rend(); ++i) {
    f.now += 1s;
    BOOST_REQUIRE((*i)->try_hold((*i)->word()));
    f.give_back(**i);
  }
  auto x = f.all.claim(0); // of the first 1,024, which were used last
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->id == 1024u);
  for (std::size_t i = 1; i < 5; ++i)
    BOOST_REQUIRE(f.all.claim(0).has_value());
  x = f.all.claim(0);
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->id == many - 1); // from here on it is the first of all
  x = f.all.claim(0);
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->id == many - 2);
}

BOOST_AUTO_TEST_CASE(after_a_stop_it_is_empty_and_stays_so) {
  fixture f{2};
  f.open_one();
  f.all.expect_next();
  f.open_one();
  auto left = f.all.stop();
  BOOST_TEST(left.size() == 2u);
  BOOST_TEST(left[0].known() + left[1].known() == 2u);
  auto& s = f.open_one();
  f.all.expect({'a', &s, 99});
  BOOST_TEST(!f.all.closed(98));
  BOOST_TEST(f.all.known() == 0u);
  BOOST_TEST(!f.all.claim(0).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
