#pragma once

#include <steward/core/slot.hpp>
#include <steward/core/use_order.hpp>

#include <algorithm>
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
/// What is in use then leaves the order until its last holder brings it back.
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

  /// The same with its last use for a stamp.
  void insert_as_used(resource x) {
    auto stamp = x.place->last_used();
    insert(std::move(x), stamp);
  }

  /// Takes out the least recently used one that nobody holds; none if there is
  /// none up to the stamp `last`, or none among the first `looks_max`: then one
  /// asks again. What is being closed is expected.
  std::optional<resource> claim(time_point last) {
    // unreached: the end of `next` if something is thrown
    while (auto next = take_next(last)) {
      if (next->is_open)
        return std::move(next->what);
      // unreached: the end of what is passed if something is thrown
      expect(std::move(next->what));
    }
    return std::nullopt;
  }

  struct hope {
    resource from;
    bool ask; // else it is being closed: its permit is on the way
  };

  /// The same, or one that is being closed; it is expected.
  std::optional<hope> expect_next(time_point last) {
    auto next = take_next(last);
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

  /// It was in use when somebody looked; that ends.
  void idle_again(std::uint64_t id) {
    if (auto x = in_use_.extract(id))
      insert_as_used(std::move(x.mapped()));
  }

  /// It is closed, wherever it is: in use, in the order, or in the hands of a
  /// claimer.
  void forget(std::uint64_t id) {
    if (stopped_ || in_use_.erase(id) > 0)
      return;
    gone_.insert(id);
    if (2 * gone_.size() < order_.size() + gone_min)
      return;
    // What is claimed right now keeps its mark, and may yet be put back.
    order_.erase_if([this](std::uint64_t x) { return gone_.erase(x) > 0; });
    gone_.rehash(0); // a million may have gone at once
  }

  time_point first_stamp() const noexcept {
    return order_.first() == nullptr ? never : order_.first()->stamp;
  }

  std::size_t expected() const noexcept {
    return expected_.size();
  }

  std::size_t known() const noexcept {
    return order_.size() - gone_.size() + in_use_.size() + expected_.size();
  }

  /// Empty from now on; the result has what there was.
  idle_order stop() {
    idle_order empty;
    empty.stopped_ = true;
    return std::exchange(*this, std::move(empty));
  }

private:
  using entry = typename use_order<resource>::entry;

  struct candidate {
    resource what;
    bool is_open;
  };

  enum class state { idle, in_use, closing };

  static constexpr std::size_t gone_min = 64;

  // So many stamps are corrected at once: a claim may come after a million uses.
  // Then the least recently used one of these is as good as that of all.
  static constexpr std::size_t looks_max = 1024;

  // Who holds it was told that it is missed.
  static state look_at(const resource& x) noexcept {
    auto word = x.place->word();
    while (x.place->id() == x.id && word.in() == phase::open) {
      if (word.holders() == 0)
        return state::idle;
      // unreached: it fails if another thread came first, which the stepper tries
      if (x.place->try_miss(word))
        return state::in_use;
      word = x.place->word();
    }
    return state::closing;
  }

  std::optional<candidate> take_next(time_point last) {
    std::optional<entry> best; // idle, and its stamp is right
    std::size_t looks = 0;
    // unreached: the end of `best` if something is thrown
    while (looks < looks_max && order_.size() > 0 && first_stamp() <= last
           && !leads(best)) {
      auto x = order_.pop();
      ++looks;
      if (gone_.erase(x.id) > 0)
        continue;
      auto found = look_at(x.what);
      if (found == state::in_use) {
        in_use_.emplace(x.id, std::move(x.what));
      } else if (found == state::closing) {
        put_back(std::move(best));
        return candidate{std::move(x.what), false};
      } else {
        x.stamp = std::max(x.stamp, x.what.place->last_used());
        if (best && order_.comes_later(x, *best))
          put_back(std::move(x));
        else
          put_back(std::exchange(best, std::move(x)));
      }
    }
    auto is_first = best && best->stamp <= last && leads(best);
    if (is_first || (best && looks == looks_max))
      return candidate{std::move(best->what), true};
    put_back(std::move(best));
    return std::nullopt;
  }

  bool leads(const std::optional<entry>& x) const noexcept {
    auto* first = order_.first();
    return x && (first == nullptr || order_.comes_later(*first, *x));
  }

  void put_back(std::optional<entry> x) {
    if (x)
      order_.insert(x->stamp, x->id, std::move(x->what));
  }

  use_order<resource> order_;
  std::unordered_set<std::uint64_t> gone_; // closed, but not taken out yet
  // Not in the order: in use when somebody looked, and whose holders tell.
  std::unordered_map<std::uint64_t, resource> in_use_;
  // Neither are these: asked for, or closing anyway.
  std::unordered_map<std::uint64_t, resource> expected_;
  bool stopped_ = false;
};

} // namespace steward
