#pragma once

#include <steward/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

namespace steward {

/// Things with ids, the one that was used longest ago first; of those with equal
/// stamps the one with the lowest id. Bags of things, each for a stretch of time
/// that begins where that of the one before ends, and sorted only when it is the
/// turn of the bag: mostly one adds what was just used. One thread at a time.
template <class T>
class use_order {
public:
  struct entry {
    time_point stamp;
    std::uint64_t id;
    T what;
  };

  std::size_t size() const noexcept {
    return size_;
  }

  /// Null if there is none.
  const entry* first() const noexcept {
    if (size_ == 0)
      return nullptr;
    return late_leads() ? &late_.front() : &front_.back();
  }

  static bool comes_later(const entry& a, const entry& b) noexcept {
    return a.stamp != b.stamp ? a.stamp > b.stamp : a.id > b.id;
  }

  void insert(time_point stamp, std::uint64_t id, T what) {
    entry x{stamp, id, std::move(what)};
    if (size_ == 0)
      front_end_ = time_point::min();
    if (stamp < front_end_) {
      late_.push_back(std::move(x));
      std::push_heap(late_.begin(), late_.end(), comes_later);
    } else {
      bag_for(stamp).push_back(std::move(x));
    }
    ++size_;
    refill();
  }

  /// Takes out the first one. @pre there is one
  entry pop() {
    auto& from = next_bag();
    auto result = std::move(from.back());
    from.pop_back();
    return_memory_of(from);
    --size_;
    refill();
    return result;
  }

  /// Takes out everything for whose id `useless(id)`; costs what there is.
  template <class F>
  void erase_if(F useless) {
    auto erase_from = [&](bag& x) {
      size_ -= std::erase_if(x, [&](const entry& y) { return useless(y.id); });
      return_memory_of(x);
    };
    erase_from(front_);
    erase_from(late_);
    std::make_heap(late_.begin(), late_.end(), comes_later);
    for (auto& x : rest_)
      erase_from(x.of);
    std::erase_if(rest_, [](const stretch& x) { return x.of.empty(); });
    refill();
  }

private:
  using bag = std::vector<entry>;

  struct stretch {
    time_point from; // to that of the next one
    bag of;          // never empty between two calls
  };

  // A bag that has so many is followed by another one. Few enough to be sorted
  // in the cache, and enough that bags are few.
  static constexpr std::size_t bag_full = 128;

  // Of one instant there may be a million.
  static void return_memory_of(bag& x) {
    if (x.capacity() > 4 * bag_full && x.size() < x.capacity() / 4)
      x.shrink_to_fit();
  }

  bool late_leads() const noexcept {
    return !late_.empty()
           && (front_.empty() || comes_later(front_.back(), late_.front()));
  }

  // At whose back the first one is.
  bag& next_bag() {
    if (!late_leads())
      return front_;
    std::pop_heap(late_.begin(), late_.end(), comes_later);
    return late_;
  }

  bag& bag_for(time_point stamp) {
    auto is_latest = rest_.empty() || stamp > latest_;
    if (rest_.empty() || (is_latest && rest_.back().of.size() >= bag_full))
      rest_.push_back({stamp, std::exchange(spare_, {})});
    if (is_latest)
      latest_ = stamp;
    if (stamp >= rest_.back().from)
      return rest_.back().of;
    auto after = std::upper_bound(rest_.begin(), rest_.end(), stamp,
                                  [](time_point x, const stretch& y) {
                                    return x < y.from;
                                  });
    if (after != rest_.begin())
      return std::prev(after)->of;
    after->from = stamp; // between the bag in front and all others
    return after->of;
  }

  // The next bag comes to the front when all before it is gone.
  void refill() {
    if (!front_.empty() || !late_.empty() || rest_.empty())
      return;
    std::swap(front_, rest_.front().of);
    std::sort(front_.begin(), front_.end(), comes_later);
    spare_ = std::move(rest_.front().of);
    rest_.pop_front();
    front_end_ = rest_.empty() ? latest_ + duration{1} : rest_.front().from;
  }

  bag front_;            // sorted, the first one at the back
  bag late_;             // what came for its stretch since then: a heap
  time_point front_end_; // what is used from here on is for the others
  std::deque<stretch> rest_;
  time_point latest_; // none of the last bag is later
  bag spare_;         // empty, for the next bag
  std::size_t size_ = 0;
};

} // namespace steward
