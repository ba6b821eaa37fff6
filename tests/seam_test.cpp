// The stepper explores what is shipped, with other atomics and locks in it. What
// is shipped has those of the standard library, and pays for nothing.
#include <boost/test/unit_test.hpp>

#include <steward/actors/mutex.hpp>
#include <steward/core/atomic.hpp>
#include <steward/core/shelf.hpp>

#include <cstdint>
#include <type_traits>

using namespace steward;

static_assert(
  std::is_same_v<atomic<std::uint64_t>, std::atomic<std::uint64_t>>);

BOOST_AUTO_TEST_CASE(a_lock_is_one_of_the_system) {
  BOOST_TEST(sizeof(mutex) == sizeof(pthread_mutex_t));
}

BOOST_AUTO_TEST_CASE(a_slot_is_lock_free_and_small) {
  BOOST_TEST(atomic<std::uint64_t>::is_always_lock_free);
  BOOST_TEST(sizeof(slot) <= 80u); // a million idle keys have as many
}
