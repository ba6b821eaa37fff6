// The stepper explores what is shipped, with other atomics and locks in it. What
// is shipped has those of the standard library, and pays for nothing.
#include <boost/test/unit_test.hpp>

#include <steward/actors/mutex.hpp>
#include <steward/core/atomic.hpp>
#include <steward/core/shelf.hpp>

#include <cerrno>
#include <cstdint>
#include <type_traits>

using namespace steward;

static_assert(
  std::is_same_v<atomic<std::uint64_t>, std::atomic<std::uint64_t>>);

static_assert(std::is_same_v<condition_variable, std::condition_variable_any>);

// It has nothing but that, so a pointer to it is one to that.
static_assert(std::is_standard_layout_v<mutex>);
static_assert(sizeof(mutex) == sizeof(pthread_mutex_t));

BOOST_AUTO_TEST_CASE(a_lock_is_one_of_the_system) {
  mutex guard;
  auto& of_system = reinterpret_cast<pthread_mutex_t&>(guard);
  guard.lock();
  BOOST_TEST(pthread_mutex_trylock(&of_system) == EBUSY);
  guard.unlock();
  BOOST_TEST(pthread_mutex_trylock(&of_system) == 0);
  pthread_mutex_unlock(&of_system);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
  BOOST_TEST(of_system.__data.__kind == PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
}

BOOST_AUTO_TEST_CASE(a_slot_is_lock_free_and_small) {
  BOOST_TEST(atomic<std::uint64_t>::is_always_lock_free);
  BOOST_TEST(sizeof(slot) <= 80u); // a million idle keys have as many
}
