// What keys take, by the heap of this program: nobody has to be believed.
#include "pool_fixture.hpp"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

using namespace pool_test;

namespace {

std::atomic<std::ptrdiff_t> in_use;

void count(void* what, int sign) noexcept {
  in_use += sign * static_cast<std::ptrdiff_t>(::malloc_usable_size(what));
}

} // namespace

void* operator new(std::size_t n) {
  auto* result = std::malloc(n);
  if (result == nullptr)
    throw std::bad_alloc{};
  count(result, 1);
  return result;
}

void operator delete(void* what) noexcept {
  count(what, -1);
  std::free(what);
}

void operator delete(void* what, std::size_t) noexcept {
  operator delete(what);
}

namespace {

constexpr std::ptrdiff_t keys = 8'000;

struct number_opener {
  static int open(const open_request&) {
    return 1;
  }
};

struct quick_opener : number_opener {
  static constexpr bool blocks = false;
};

struct fixture : world {
  template <class Opener>
  void expect_memory_back(Opener opener, std::size_t awake_max) {
    auto all = rt->make_pool<int>({.name = "numbers",
                                   .idle_timeout = 10s,
                                   .linger = 10s,
                                   .awake_max = awake_max},
                                  opener);
    // What is taken once for all keys is there after the first ones.
    use_each(all, "first ");
    BOOST_TEST(comes_to_rest(all));
    auto before = in_use.load();
    use_each(all, "second ");
    BOOST_TEST(in_use - before > keys * 300); // or this would not see a thing
    BOOST_TEST(comes_to_rest(all));
    // The last few that left are kept until more of them have.
    auto left = [&] { return in_use - before; };
    BOOST_TEST(truth::waits_until([&] { return left() < keys * 16; }),
               left() << " bytes of " << keys << " keys are left");
  }

  static void use_each(pool<int>& in, const std::string& name) {
    for (int i = 0; i < keys; ++i)
      need(in.acquire(name + std::to_string(i))).give_back();
  }

  // Nobody has anything left of the keys, and the clock nothing to come.
  bool comes_to_rest(const pool<int>& in) {
    auto is_empty = [&] { // an actor ends some time after its last work
      pass(1s);
      return in.stats().keys == 0 && sys->registry().running() < 10;
    };
    auto result = truth::waits_until(is_empty);
    pass(1min);
    return result;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(keys_that_sleep_give_their_memory_back,
                        fixture) { // I12
  expect_memory_back(number_opener{}, 0);
}

BOOST_FIXTURE_TEST_CASE(keys_that_are_awake_give_their_memory_back, fixture) {
  expect_memory_back(number_opener{}, keys);
}

BOOST_FIXTURE_TEST_CASE(keys_opened_by_who_asks_give_their_memory_back,
                        fixture) {
  expect_memory_back(quick_opener{}, 0);
}
