#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace stepper {

/// Names an object of a run: who made it, and the how manieth of that thread.
/// So it is the same in all runs in which that thread did the same.
using object_id = std::uint16_t;

/// What one step touched: the object of its operation, and all that the thread
/// touched from there to its next operation.
///
/// Two steps that are not dependent can change places: the same follows, and
/// every check sees the same. All of the reduction rests on that.
class footprint {
public:
  /// `checks`: which of the checks look at the object, a bit each.
  void add(object_id what, bool writes, std::uint32_t checks) {
    if (writes)
      seen_by_ |= checks;
    for (std::size_t i = 0; i < count_; ++i) {
      if (touched_[i].what == what) {
        touched_[i].written = touched_[i].written || writes;
        return;
      }
    }
    if (count_ < touched_.size())
      touched_[count_++] = {what, writes};
    else
      everything_ = true;
  }

  /// The operation can be one that has to wait.
  void waits() {
    waits_ = true;
  }

  bool may_wait() const {
    return waits_;
  }

  void add(const footprint& other) {
    for (std::size_t i = 0; i < other.count_; ++i)
      add(other.touched_[i].what, other.touched_[i].written, 0);
    seen_by_ |= other.seen_by_;
    everything_ = everything_ || other.everything_;
    waits_ = waits_ || other.waits_;
  }

  friend bool dependent(const footprint& a, const footprint& b) {
    // A check must see what it looks at change in every possible order.
    if (a.everything_ || b.everything_ || (a.seen_by_ & b.seen_by_) != 0)
      return true;
    for (std::size_t i = 0; i < a.count_; ++i)
      for (std::size_t k = 0; k < b.count_; ++k)
        if (a.touched_[i].what == b.touched_[k].what
            && (a.touched_[i].written || b.touched_[k].written))
          return true;
    return false;
  }

private:
  struct touch {
    object_id what;
    bool written;
  };

  std::array<touch, 14> touched_{};
  std::size_t count_ = 0;
  std::uint32_t seen_by_ = 0;
  bool everything_ = false; // more than there is room for
  bool waits_ = false;
};

} // namespace stepper
