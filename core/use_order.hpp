#pragma once

#include <steward/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace steward {

/// Things with ids, the one that was used longest ago first; of those with equal
/// stamps the one with the lowest id. As stamps of the coarse clock are alike
/// for milliseconds, a few heaps, one for each stamp, are quicker than a tree of
/// all. One thread at a time.
template <class T>
class use_order {
public:
  std::size_t size() const noexcept {
    return size_;
  }

  void insert(time_point stamp, std::uint64_t id, T what) {
    auto& heap = heap_of(stamp);
    heap.push_back({id, std::move(what)});
    std::push_heap(heap.begin(), heap.end(), comes_later);
    ++size_;
  }

  struct first {
    time_point stamp;
    std::uint64_t id;
    T what;
  };

  /// Takes out the first one. @pre there is one
  first pop() {
    auto at = by_stamp_.begin();
    auto& heap = at->second;
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    first result{at->first, heap.back().id, std::move(heap.back().what)};
    heap.pop_back();
    if (heap.empty())
      by_stamp_.erase(at);
    --size_;
    return result;
  }

  /// Takes out everything for whose id `useless(id)`; costs what there is.
  template <class F>
  void erase_if(F useless) {
    size_ = 0;
    for (auto i = by_stamp_.begin(); i != by_stamp_.end();) {
      auto& heap = i->second;
      std::erase_if(heap, [&](const entry& x) { return useless(x.id); });
      std::make_heap(heap.begin(), heap.end(), comes_later);
      size_ += heap.size();
      i = heap.empty() ? by_stamp_.erase(i) : std::next(i);
    }
  }

private:
  struct entry {
    std::uint64_t id;
    T what;
  };

  // Mostly the last one: that of now.
  std::vector<entry>& heap_of(time_point stamp) {
    if (auto last = by_stamp_.rbegin();
        last != by_stamp_.rend() && last->first == stamp)
      return last->second;
    return by_stamp_.try_emplace(by_stamp_.end(), stamp)->second;
  }

  static bool comes_later(const entry& a, const entry& b) noexcept {
    return a.id > b.id;
  }

  std::map<time_point, std::vector<entry>> by_stamp_;
  std::size_t size_ = 0;
};

} // namespace steward
