#pragma once

#include <atomic>
#include <memory>

namespace steward {

/// A `T` for each thread that asked for its own; one for each type in the whole
/// process. They are never destroyed: a thread that ends leaves its own, as it
/// is, to the next one that is new. All functions: any thread.
template <class T>
class per_thread {
public:
  /// That of the calling thread. Throws `std::bad_alloc`, the first time only.
  static T& mine() {
    if (mine_ == nullptr)
      mine_ = take();
    return mine_->what;
  }

  /// Calls `f` for those of all threads, also of those that have ended.
  template <class F>
  static void for_each(F f) {
    for (auto* x = all_.load(std::memory_order_acquire); x != nullptr;
         x = x->next)
      f(x->what);
  }

private:
  struct place {
    T what{};
    std::atomic<bool> taken{true};
    place* next = nullptr;
  };

  struct tenancy {
    place* of = nullptr;

    ~tenancy() {
      mine_ = nullptr; // should the thread ask once more, it takes another one
      if (of != nullptr)
        of->taken.store(false, std::memory_order_release);
    }
  };

  static place* take() {
    static thread_local tenancy mine;
    for (auto* x = all_.load(std::memory_order_acquire); x != nullptr;
         x = x->next)
      if (!x->taken.load(std::memory_order_relaxed)
          && !x->taken.exchange(true, std::memory_order_acquire))
        return mine.of = x;
    auto fresh = std::make_unique<place>();
    fresh->next = all_.load(std::memory_order_relaxed);
    while (!all_.compare_exchange_weak(fresh->next, fresh.get(),
                                       std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      // `next` is fresh.
    }
    return mine.of = fresh.release();
  }

  static inline std::atomic<place*> all_{nullptr};
  static inline thread_local constinit place* mine_ = nullptr;
};

} // namespace steward
