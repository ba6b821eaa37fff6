#pragma once

#include <steward/core/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace steward {

/// Keeps things by the time at which they are due, so that moving on costs what
/// is due and not how many there are: a hierarchical timing wheel (Varghese and
/// Lauck 1987), 8 levels of 64 buckets, about a millisecond at the bottom.
/// Times within a bucket stay exact. One thing cannot be taken out early: let it
/// know by itself whether it still is due then. One thread at a time.
template <class T>
class timing_wheel {
public:
  explicit timing_wheel(time_point start) : now_(unit_of(start)) {
  }

  std::size_t size() const noexcept {
    return size_;
  }

  /// Puts `x` in; it comes out of the first `pop_due` at or after `at`.
  void insert(time_point at, T x) {
    ++size_;
    place(entry{at, std::move(x)});
  }

  /// Nothing is due before this; `never` if the wheel is empty. A lower bound:
  /// `pop_due` at it may find nothing, and the next bound is later.
  time_point next() const noexcept {
    for (std::size_t level = 0; level < levels; ++level) {
      if (occupied_[level] == 0)
        continue;
      auto i = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
      const auto& first = *buckets_[level][i];
      if (level == 0)
        return std::min_element(first.begin(), first.end(),
                                [](const entry& a, const entry& b) {
                                  return a.at < b.at;
                                })
          ->at;
      return time_point{duration{start_of(level, i) << unit_bits}};
    }
    return never;
  }

  /// Calls `f(time_point, T)` for everything that is due at `now`, the earlier
  /// buckets first. `f` may insert.
  template <class F>
  void pop_due(time_point now, F&& f) {
    auto target = std::max(unit_of(now), now_);
    for (;;) {
      std::size_t level = 0;
      while (level < levels && occupied_[level] == 0)
        ++level;
      if (level == levels)
        break;
      auto i = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
      auto start = start_of(level, i);
      if (start > target)
        break;
      occupied_[level] &= ~(std::uint64_t{1} << i);
      auto all = std::move(buckets_[level][i]);
      now_ = std::max(now_, start);
      if (level > 0) { // its things are close enough now to be told apart
        for (; !all->empty(); all->pop_front())
          place(std::move(all->front()));
        continue;
      }
      if (!fire(*all, now, f))
        break; // only what is due later within the last bucket is left of it
    }
    now_ = std::max(now_, target);
  }

  /// Takes out everything for which `useless(time_point, const T&)`; costs what
  /// there is.
  template <class F>
  void erase_if(F useless) {
    size_ = 0;
    for (std::size_t level = 0; level < levels; ++level)
      for (std::size_t i = 0; i < buckets_[level].size(); ++i) {
        auto& all = buckets_[level][i];
        if (!all)
          continue;
        std::erase_if(*all,
                      [&](const entry& x) { return useless(x.at, x.what); });
        size_ += all->size();
        if (!all->empty()) {
          all->shrink_to_fit();
          continue;
        }
        all.reset();
        occupied_[level] &= ~(std::uint64_t{1} << i);
      }
  }

private:
  static constexpr std::size_t levels = 8;
  static constexpr unsigned unit_bits = 20; // 2^20 ns = 1.05 ms

  struct entry {
    time_point at;
    T what;
  };

  // In small pieces: an allocator keeps what a million entries in one took.
  using bucket = std::deque<entry>;

  static std::int64_t unit_of(time_point t) noexcept {
    return std::max<std::int64_t>(t.time_since_epoch().count(), 0) >> unit_bits;
  }

  // The buckets of a level that are before `now_` are empty, so the first
  // occupied bit is the next bucket.
  std::int64_t start_of(std::size_t level, std::size_t i) const noexcept {
    auto shift = 6 * level;
    auto block = (now_ >> shift >> 6) << 6;
    return (block | static_cast<std::int64_t>(i)) << shift;
  }

  void place(entry x) {
    auto unit = std::max(unit_of(x.at), now_);
    auto differs = static_cast<std::uint64_t>(unit ^ now_) | 1;
    auto level = std::min<std::size_t>(
      static_cast<std::size_t>(63 - std::countl_zero(differs)) / 6, levels - 1);
    auto i = static_cast<std::size_t>(unit >> (6 * level)) & 63;
    auto& all = buckets_[level][i];
    if (!all)
      all = std::make_unique<bucket>();
    all->push_back(std::move(x));
    occupied_[level] |= std::uint64_t{1} << i;
  }

  // Whether all of it was due.
  template <class F>
  bool fire(bucket& all, time_point now, F& f) {
    auto due_end = std::stable_partition(
      all.begin(), all.end(), [&](const entry& x) { return x.at <= now; });
    bool complete = due_end == all.end();
    for (auto i = due_end; i != all.end(); ++i)
      place(std::move(*i));
    all.erase(due_end, all.end());
    auto is_before = [](const entry& a, const entry& b) { return a.at < b.at; };
    // Most often they are: what is due at one time was put in at one time.
    if (!std::is_sorted(all.begin(), all.end(), is_before))
      std::stable_sort(all.begin(), all.end(), is_before);
    for (; !all.empty(); all.pop_front()) {
      --size_;
      f(all.front().at, std::move(all.front().what));
    }
    return complete;
  }

  // Those that are empty take no memory: an empty deque would, 300 KB in all.
  std::array<std::array<std::unique_ptr<bucket>, 64>, levels> buckets_;
  std::array<std::uint64_t, levels> occupied_{};
  std::int64_t now_;
  std::size_t size_ = 0;
};

} // namespace steward
