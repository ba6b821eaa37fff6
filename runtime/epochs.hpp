#pragma once

#include <steward/actors/mutex.hpp>
#include <steward/core/atomic.hpp>
#include <steward/runtime/fences.hpp>
#include <steward/runtime/per_thread.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace steward {

/// Lets threads read without a lock what others take away: that is destroyed
/// when nobody reads any more who may have seen it. Epoch-based reclamation (K.
/// Fraser, Practical lock-freedom, 2004). To begin to read costs one store where
/// the kernel has membarrier(2), else a fence.
class epochs {
public:
  /// How much is taken away between two looks at what can be destroyed.
  explicit epochs(std::size_t garbage_max = 256) : garbage_max_(garbage_max) {
  }

  epochs(const epochs&) = delete;
  epochs& operator=(const epochs&) = delete;

  /// The calling thread reads, from here to the end. Not one inside another. Any
  /// thread.
  class reading {
  public:
    explicit reading(epochs& of) : me_(of.readers_.mine()) {
      me_.enter(of.now_.load(std::memory_order_acquire));
    }

    reading(const reading&) = delete;
    reading& operator=(const reading&) = delete;

    ~reading() {
      me_.leave();
    }

  private:
    friend class epochs;

    // Since which epoch a thread has been reading.
    class reader {
    public:
      // What this thread reads from now on it reads after `fence_for_all` of
      // others, or they see that it reads.
      void enter(std::uint64_t now) noexcept {
        if (light_fences()) {
          since_.store(now, std::memory_order_release);
          std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
          since_.exchange(now, std::memory_order_seq_cst);
          full_fence();
        }
      }

      // Not an exchange, and what was read before must not slip behind it.
      void leave() noexcept {
        since_.store(nobody, std::memory_order_release);
      }

      std::uint64_t since() const noexcept {
        return since_.load(std::memory_order_acquire);
      }

    private:
      atomic<std::uint64_t> since_{nobody};
    };

    reader& me_;
  };

  /// Drops `what` when nobody reads any more who may have found it. @pre nobody
  /// can find it from now on. May drop other things right away, which is no
  /// business of a `reading`. Any thread.
  void retire(std::shared_ptr<void> what);

  /// How many things are retired and not dropped yet.
  std::size_t left_over() const;

private:
  struct garbage {
    std::uint64_t epoch;
    std::shared_ptr<void> what;
  };

  static constexpr std::uint64_t nobody = ~std::uint64_t{0};

  std::uint64_t first_reader();
  void look_for_unseen();

  [[no_unique_address]] per_thread<reading::reader> readers_;
  atomic<std::uint64_t> now_{1};
  const std::size_t garbage_max_;
  mutable mutex guard_;
  std::vector<garbage> garbage_;              // in the order of the epochs
  std::vector<std::shared_ptr<void>> unseen_; // can be destroyed
  std::size_t look_at_ = garbage_max_;
};

} // namespace steward
