// The fences that ship, which neither the stepper nor the thread sanitizer knows:
// with them nobody uses what is gone, and without them somebody does.
#include <boost/test/unit_test.hpp>

#include <steward/runtime/epochs.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

using namespace steward;
using namespace std::chrono_literals;

namespace {

bool fenced = true;

} // namespace

// The linker puts the first one where `epochs` calls the other: see
// CMakeLists.txt.
extern "C" bool __wrap__ZN7steward13fence_for_allEv() noexcept;
extern "C" bool __real__ZN7steward13fence_for_allEv() noexcept;

bool __wrap__ZN7steward13fence_for_allEv() noexcept {
  return !fenced || __real__ZN7steward13fence_for_allEv();
}

namespace {

struct place {
  std::atomic<bool> used{false};
};

struct sighting {
  std::uint64_t of_anything = 0;
  std::uint64_t of_what_is_gone = 0;
};

// One thread looks at what another one shows and takes away, until it has seen
// something that was gone, or time is over.
class play {
public:
  sighting run(std::chrono::seconds patience) {
    std::thread reader{[this] { look(); }};
    auto end = std::chrono::steady_clock::now() + patience;
    for (std::size_t i = 0; !over_; ++i) {
      show(stage_.emplace_back(), i % 32);
      if (i % 1024 == 0 && std::chrono::steady_clock::now() > end)
        over_ = true;
    }
    reader.join();
    return seen_;
  }

private:
  void look() {
    while (!over_) {
      epochs::reading here{retired_};
      auto* x = shown_.load(std::memory_order_acquire);
      if (x == nullptr)
        continue;
      ++seen_.of_anything;
      if (!x->used.load(std::memory_order_relaxed)) {
        ++seen_.of_what_is_gone;
        over_ = true;
      }
    }
  }

  void show(place& x, std::size_t moments) {
    x.used = true;
    shown_.store(&x, std::memory_order_release);
    for (std::atomic<std::size_t> i{0}; i < moments; ++i) {
      // Time to look.
    }
    shown_.store(nullptr, std::memory_order_release);
    retired_.retire({&x, [](place* gone) { gone->used = false; }});
  }

  std::deque<place> stage_; // each is shown once
  epochs retired_{1};
  std::atomic<place*> shown_{nullptr};
  std::atomic<bool> over_{false};
  sighting seen_;
};

} // namespace

BOOST_AUTO_TEST_CASE(nobody_uses_what_is_gone) {
  if (!light_fences())
    BOOST_TEST_MESSAGE("no membarrier: each reader has a fence of its own");
  auto seen = play{}.run(2s);
  BOOST_TEST(seen.of_anything > 0u);
  BOOST_TEST(seen.of_what_is_gone == 0u);
}

// Else the test above would not have seen it either.
BOOST_AUTO_TEST_CASE(without_the_fence_somebody_does) {
  if (!light_fences() || std::thread::hardware_concurrency() < 2) {
    BOOST_TEST_MESSAGE("not on this machine");
    return;
  }
  fenced = false;
  BOOST_TEST(play{}.run(40s).of_what_is_gone == 1u);
  fenced = true;
}
