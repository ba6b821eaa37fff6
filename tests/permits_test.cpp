#include <boost/test/unit_test.hpp>

#include <steward/core/permits.hpp>
#include <steward/core/pool_options.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace steward;

BOOST_AUTO_TEST_SUITE(permits_)

BOOST_AUTO_TEST_CASE(there_are_as_many_permits_as_the_limit_says) {
  permits all{3};
  BOOST_TEST(all.limited());
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(all.try_take());
  BOOST_TEST(!all.try_take());
  BOOST_TEST(all.try_put());
  BOOST_TEST(all.try_take());
  BOOST_TEST(!all.try_take());
}

BOOST_AUTO_TEST_CASE(without_a_limit_there_is_always_one) {
  permits all{unlimited};
  BOOST_TEST(!all.limited());
  BOOST_TEST(!all.queued());
  for (int i = 0; i < 1000; ++i)
    BOOST_TEST(all.try_take());
  BOOST_TEST(all.try_put());
}

BOOST_AUTO_TEST_CASE(a_queue_is_seen_until_it_ends) {
  permits all{2};
  BOOST_TEST(!all.queued());
  auto found = all.start_queue();
  BOOST_TEST(found == 2u);
  BOOST_TEST(all.queued());
  all.end_queue(found);
  BOOST_TEST(!all.queued());
}

BOOST_AUTO_TEST_CASE(a_very_large_limit_is_one_or_none_but_never_wraps) {
  for (auto total : {unlimited, unlimited - 1, unlimited >> 1, unlimited >> 2,
                     unlimited >> 3}) {
    permits all{total};
    BOOST_TEST(all.try_take());
    BOOST_TEST(all.try_take());
    BOOST_TEST(all.try_put());
    BOOST_TEST(all.limited() == (total <= unlimited >> 2));
  }
}

BOOST_AUTO_TEST_CASE(while_some_wait_everybody_goes_to_the_budget) {
  permits all{3};
  BOOST_TEST(all.try_take());
  BOOST_TEST(all.start_queue() == 2u); // the budget has them now
  BOOST_TEST(!all.try_take());
  BOOST_TEST(!all.try_put());
  all.end_queue(2);
  BOOST_TEST(all.try_take());
  BOOST_TEST(all.try_take());
  BOOST_TEST(!all.try_take());
}

BOOST_AUTO_TEST_CASE(a_queue_that_ends_with_nothing_left_leaves_nothing) {
  permits all{1};
  BOOST_TEST(all.start_queue() == 1u);
  all.end_queue(0);
  BOOST_TEST(!all.try_take());
  BOOST_TEST(all.try_put());
  BOOST_TEST(all.try_take());
}

BOOST_AUTO_TEST_CASE(threads_never_have_more_permits_than_there_are) {
  constexpr std::size_t total = 3;
  permits all{total};
  std::atomic<std::size_t> out{0};
  std::atomic<std::size_t> most{0};
  std::atomic<std::size_t> spare{0}; // came back in a "message"
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n)
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        if (!all.try_take())
          continue;
        auto now = ++out;
        auto seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
          // `seen` is fresh.
        }
        --out;
        if (!all.try_put())
          ++spare;
      }
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 5'000; ++i) {
      auto found = all.start_queue();
      all.end_queue(found + spare.exchange(0));
    }
  });
  for (auto& x : threads)
    x.join();
  BOOST_TEST(most <= total); // I2
  BOOST_TEST(most > 0u);
  BOOST_TEST(all.start_queue() + spare == total);
}

BOOST_AUTO_TEST_SUITE_END()
