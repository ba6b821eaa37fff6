#pragma once

#include <steward/core/atomic.hpp>
#include <steward/runtime/epochs.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace steward {

/// Finds things by the hash of their key, in a flat table with linear probing
/// (D. Knuth, The Art of Computer Programming 3, section 6.4, algorithm L). One
/// thread at a time changes it; any number find in it meanwhile, without a lock.
/// Its memory follows the number of things, up and down. Owns none of them.
template <class T>
class key_table {
public:
  /// The thing with this hash for which `fits(const T&)`, or null. Whoever does
  /// not change it must be `reading`; then what is put in or taken out meanwhile
  /// may be found or not.
  template <class Fits>
  T* find(std::size_t hash, Fits fits) const noexcept {
    const auto* in = cells_.load(std::memory_order_acquire);
    if (in == nullptr)
      return nullptr;
    for (auto i = in->home(hash);; i = in->after(i)) {
      auto* what = in->all[i].what.load(std::memory_order_acquire);
      if (what == nullptr)
        return nullptr;
      // The hash may be that of what comes next to this place: `fits` decides.
      if (what != gone()
          && in->all[i].hash.load(std::memory_order_relaxed) == hash
          && fits(*static_cast<const T*>(what)))
        return static_cast<T*>(what);
    }
  }

  // -- who changes it ---------------------------------------------------------

  /// Retires to `old` what readers may still use. @pre it is not there
  void insert(std::size_t hash, T& what, epochs& old) {
    if (mine_ == nullptr || (used_ + 1) * 4 > mine_->size() * 3)
      rebuild(size_ + 1, old);
    put(*mine_, hash, &what);
    ++size_;
  }

  /// The same. @pre it is there
  void erase(std::size_t hash, const T& what, epochs& old) {
    auto i = mine_->home(hash);
    while (mine_->all[i].what.load(std::memory_order_relaxed) != &what)
      i = mine_->after(i);
    // A gap would hide what was put behind it.
    auto& next = mine_->all[mine_->after(i)].what;
    auto last = next.load(std::memory_order_relaxed) == nullptr;
    mine_->all[i].what.store(last ? nullptr : gone(),
                             std::memory_order_release);
    used_ -= last ? 1u : 0u;
    --size_;
    if (size_ * 8 < mine_->size() && mine_->size() > least)
      rebuild(size_, old);
  }

  /// That what has this hash will soon be taken out: of a million cells, one is
  /// seldom in the cache.
  void prepare_erase(std::size_t hash) const noexcept {
    if (mine_ != nullptr)
      __builtin_prefetch(&mine_->all[mine_->home(hash)], 1);
  }

  std::size_t size() const noexcept {
    return size_;
  }

  /// Calls `f` for each thing.
  template <class F>
  void for_each(F f) const {
    for (std::size_t i = 0; mine_ != nullptr && i < mine_->size(); ++i) {
      auto* what = mine_->all[i].what.load(std::memory_order_relaxed);
      if (what != nullptr && what != gone())
        f(*static_cast<T*>(what));
    }
  }

private:
  struct cell {
    atomic<std::size_t> hash{0};
    atomic<void*> what{nullptr};
  };

  struct cells {
    explicit cells(std::size_t n) : last(n - 1), all(new cell[n]) {
    }

    std::size_t size() const noexcept {
      return last + 1;
    }

    std::size_t home(std::size_t hash) const noexcept {
      return hash & last;
    }

    std::size_t after(std::size_t i) const noexcept {
      return (i + 1) & last;
    }

    const std::size_t last; // the size is a power of two
    const std::unique_ptr<cell[]> all;
  };

  static constexpr std::size_t least = 4;

  // Stands where something was.
  static void* gone() noexcept {
    static char mark;
    return &mark;
  }

  void put(cells& in, std::size_t hash, T* what) {
    auto i = in.home(hash);
    for (;; i = in.after(i)) {
      auto* old = in.all[i].what.load(std::memory_order_relaxed);
      if (old == nullptr)
        ++used_;
      if (old == nullptr || old == gone())
        break;
    }
    in.all[i].hash.store(hash, std::memory_order_relaxed);
    in.all[i].what.store(what, std::memory_order_release);
  }

  // Half full at most, and without marks of what is gone.
  void rebuild(std::size_t expected, epochs& old) {
    auto size = least;
    while (size < expected * 2)
      size *= 2;
    auto next = std::make_shared<cells>(size);
    used_ = 0;
    for (std::size_t i = 0; mine_ != nullptr && i < mine_->size(); ++i) {
      auto& from = mine_->all[i];
      auto* what = from.what.load(std::memory_order_relaxed);
      if (what != nullptr && what != gone())
        put(*next, from.hash.load(std::memory_order_relaxed),
            static_cast<T*>(what));
    }
    cells_.store(next.get(), std::memory_order_release);
    if (auto before = std::exchange(mine_, std::move(next)))
      old.retire(std::move(before));
  }

  atomic<cells*> cells_{nullptr}; // what readers see of `mine_`
  std::shared_ptr<cells> mine_;
  std::size_t size_ = 0;
  std::size_t used_ = 0; // with the marks
};

} // namespace steward
