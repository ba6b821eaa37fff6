#include <boost/test/unit_test.hpp>

#include <steward/runtime/epochs.hpp>
#include <steward/runtime/key_table.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <thread>

using namespace steward;

namespace {

struct thing {
  std::size_t number;
};

struct fixture {
  epochs retired{1};
  key_table<thing> table;
  std::deque<thing> things;

  // So that places collide and neighbours differ.
  static std::size_t hash(std::size_t n) {
    return n / 3;
  }

  thing* find(std::size_t n) {
    epochs::reading here{retired};
    return table.find(hash(n), [n](const thing& x) { return x.number == n; });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(key_table_)

BOOST_FIXTURE_TEST_CASE(an_empty_one_has_nothing, fixture) {
  BOOST_TEST(table.size() == 0);
  BOOST_TEST(find(0) == nullptr);
  table.for_each([](thing&) { BOOST_TEST(false); });
}

BOOST_FIXTURE_TEST_CASE(it_finds_what_a_set_has, fixture) {
  std::mt19937 random{7};
  std::set<std::size_t> expected;
  for (std::size_t i = 0; i < 400; ++i)
    things.push_back({i});
  for (int step = 0; step < 20'000; ++step) {
    // Grows to most of them, then shrinks to few, and so on.
    auto growing = step / 2'000 % 2 == 0;
    auto n = random() % things.size();
    if (expected.contains(n) && (!growing || random() % 4 == 0)) {
      table.erase(hash(n), things[n], retired);
      expected.erase(n);
    } else if (!expected.contains(n) && (growing || random() % 8 == 0)) {
      table.insert(hash(n), things[n], retired);
      expected.insert(n);
    }
    auto asked = random() % things.size();
    auto* found = find(asked);
    BOOST_REQUIRE((found != nullptr) == expected.contains(asked));
    BOOST_REQUIRE((found == nullptr || found == &things[asked]));
  }
  BOOST_TEST(table.size() == expected.size());
  std::set<std::size_t> all;
  table.for_each([&](thing& x) { all.insert(x.number); });
  BOOST_TEST(all == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(epochs_)

BOOST_AUTO_TEST_CASE(what_is_retired_goes_when_nobody_reads) {
  epochs all{1};
  auto what = std::make_shared<int>(1);
  std::weak_ptr<int> seen = what;
  all.retire(std::move(what));
  BOOST_TEST(seen.expired());
  BOOST_TEST(all.left_over() == 0);
}

BOOST_AUTO_TEST_CASE(who_reads_keeps_what_was_retired_since) {
  epochs all{1};
  std::weak_ptr<int> seen;
  {
    epochs::reading here{all};
    std::thread{[&] {
      auto what = std::make_shared<int>(1);
      seen = what;
      all.retire(std::move(what));
    }}.join();
    BOOST_TEST(!seen.expired());
    BOOST_TEST(all.left_over() == 1);
  }
  all.retire(std::make_shared<int>(2)); // who comes next clears up
  all.retire(std::make_shared<int>(3));
  BOOST_TEST(seen.expired());
}

BOOST_AUTO_TEST_CASE(a_reader_of_something_else_delays_but_keeps_nothing) {
  epochs mine{1};
  epochs other{1};
  {
    epochs::reading here{other};
    mine.retire(std::make_shared<int>(1));
  }
  mine.retire(std::make_shared<int>(2));
  mine.retire(std::make_shared<int>(3));
  BOOST_TEST(mine.left_over() <= 1);
}

BOOST_AUTO_TEST_CASE(garbage_waits_for_company_but_not_for_ever) {
  epochs all{4};
  for (int i = 0; i < 100; ++i) {
    all.retire(std::make_shared<int>(i));
    BOOST_TEST(all.left_over() < 4);
  }
}

BOOST_AUTO_TEST_SUITE_END()
