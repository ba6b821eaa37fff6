#pragma once

#include <steward/core/slot.hpp>
#include <steward/core/use_order.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace steward {

/// A resource by its slot; `Owner` names its supervisor and keeps the slot alive.
template <class Owner>
struct owned_slot {
  Owner owner;
  slot* place;
  std::uint64_t id;
};

/// Open resources in the order of their last use. Knows each by a stamp that is
/// never later than that: uses send no messages, so a stamp is corrected when it
/// comes first. The first one that is still right is the least recently used.
/// Pure; one thread at a time.
template <class Owner>
class idle_order {
public:
  using resource = owned_slot<Owner>;

  /// Takes none in any more after `stop`, and none that was closed meanwhile.
  void insert(resource x, time_point stamp) {
    auto id = x.id;
    if (!stopped_ && gone_.erase(id) == 0)
      order_.insert(stamp, id, std::move(x));
  }

  /// Takes out the least recently used one that nobody holds; none if there is
  /// none up to the stamp `last`. What is being closed is expected.
  std::optional<resource> claim(time_point now, time_point last) {
    while (auto next = take_next(now, last)) {
      if (next->is_open)
        return std::move(next->what);
      expect(std::move(next->what));
    }
    return std::nullopt;
  }

  struct hope {
    resource from;
    bool ask; // else it is being closed: its permit is on the way
  };

  /// The same, or one that is being closed; it is expected.
  std::optional<hope> expect_next(time_point now, time_point last) {
    auto next = take_next(now, last);
    if (!next)
      return std::nullopt;
    expect(next->what);
    return hope{std::move(next->what), next->is_open};
  }

  /// It was claimed, and will be heard of once more.
  void expect(resource x) {
    auto id = x.id;
    if (!stopped_ && gone_.erase(id) == 0)
      expected_.emplace(id, std::move(x));
  }

  /// One that was expected; it is not any more.
  std::optional<resource> expected(std::uint64_t id) {
    auto x = expected_.extract(id);
    if (x.empty())
      return std::nullopt;
    return std::move(x.mapped());
  }

  /// It is closed, wherever it is: in the order, or in the hands of a claimer.
  void forget(std::uint64_t id) {
    if (stopped_)
      return;
    gone_.insert(id);
    if (2 * gone_.size() < order_.size() + gone_min)
      return;
    // What is claimed right now keeps its mark, and may yet be put back.
    order_.erase_if([this](std::uint64_t x) { return gone_.erase(x) > 0; });
  }

  time_point first_stamp() const noexcept {
    return order_.first_stamp();
  }

  std::size_t expected() const noexcept {
    return expected_.size();
  }

  std::size_t known() const noexcept {
    return order_.size() - gone_.size() + expected_.size();
  }

  /// Empty from now on; the result has what there was.
  idle_order stop() {
    idle_order empty;
    empty.stopped_ = true;
    return std::exchange(*this, std::move(empty));
  }

private:
  struct candidate {
    resource what;
    bool is_open;
  };

  static constexpr std::size_t gone_min = 64;

  std::optional<candidate> take_next(time_point now, time_point last) {
    std::optional<candidate> result;
    std::vector<typename use_order<resource>::entry> held;
    while (!result && order_.size() > 0 && order_.first_stamp() <= last) {
      auto x = order_.pop();
      if (gone_.erase(x.id) > 0)
        continue;
      auto& place = *x.what.place;
      auto word = place.word();
      auto used = place.last_used();
      auto is_open = place.id() == x.id && word.in() == phase::open;
      if (is_open && word.holders() > 0) {
        if (x.stamp < now) // it comes back now at the earliest
          order_.insert(now, x.id, std::move(x.what));
        else
          held.push_back(std::move(x));
      } else if (is_open && used > x.stamp) {
        order_.insert(used, x.id, std::move(x.what));
      } else {
        result = candidate{std::move(x.what), is_open};
      }
    }
    for (auto& x : held)
      order_.insert(x.stamp, x.id, std::move(x.what));
    return result;
  }

  use_order<resource> order_;
  std::unordered_set<std::uint64_t> gone_; // closed, but not taken out yet
  // Asked for, or closing anyway; not in the order.
  std::unordered_map<std::uint64_t, resource> expected_;
  bool stopped_ = false;
};

} // namespace steward
