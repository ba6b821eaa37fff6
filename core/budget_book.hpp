#pragma once

#include <steward/core/permits.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/slot.hpp>
#include <steward/core/use_order.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace steward {

/// All decisions of a pool's budget. Pure: events and the time go in, effects
/// come out; one thread at a time. `Owner` names a supervisor and keeps the
/// slots alive that it told about.
///
/// Knows each open resource by a stamp that is never later than its last use:
/// uses send no messages, so a stamp is corrected when it comes first. The
/// first one that is still right is the least recently used of all.
template <class Owner>
class budget_book {
public:
  struct grant { // one permit is yours
    Owner to;
  };
  struct deny { // there is none, and nobody has one to spare
    Owner to;
  };
  struct ask { // please give this resource up
    Owner to;
    std::uint64_t id;
  };
  using any_effect = std::variant<grant, deny, ask>;
  using effects = std::vector<any_effect>;

  budget_book(permits& all, full_policy policy) : all_(all), policy_(policy) {
  }

  /// A supervisor needs a permit and found none.
  void wanted(Owner who, time_point now, effects& out) {
    if (queue_.empty())
      spare_ = all_.start_queue();
    queue_.push_back(std::move(who));
    pump(now, out);
  }

  /// A permit came back in a message.
  void returned(time_point now, effects& out) {
    if (queue_.empty()) { // the queue ended while it was on its way
      spare_ = all_.start_queue() + 1;
      return end_queue();
    }
    ++spare_;
    pump(now, out);
  }

  void opened(std::uint64_t id, slot& place, Owner owner, time_point stamp) {
    order_.insert(stamp, id, {&place, std::move(owner)});
  }

  void closed(std::uint64_t id, time_point now, effects& out) {
    if (expected_.erase(id) > 0) {
      if (!queue_.empty())
        pump(now, out);
      return;
    }
    gone_.insert(id);
    if (2 * gone_.size() < order_.size() + gone_min)
      return;
    order_.erase_if([this](std::uint64_t x) { return gone_.contains(x); });
    gone_.clear();
  }

  /// A supervisor did not give this resource up: somebody uses it.
  void kept(std::uint64_t id, time_point now, effects& out) {
    auto back = expected_.extract(id);
    if (back.empty())
      return;
    auto& [place, owner] = back.mapped();
    put_back({std::move(owner), place, id}, now);
    if (!queue_.empty())
      pump(now, out);
  }

  /// What somebody closes who makes room himself.
  struct claimed {
    Owner owner;
    slot* place;
    std::uint64_t id;
  };

  /// For him: the least recently used idle resource, which is forgotten here. If
  /// he closes it, its permit is his. Nothing if others wait for permits, or none
  /// may be evicted.
  std::optional<claimed> claim(time_point now) {
    if (!queue_.empty() || policy_ != full_policy::evict_idle)
      return std::nullopt;
    while (auto next = take_next(now)) {
      if (next->is_open)
        return claimed{std::move(next->what.owner), next->what.place, next->id};
      expect(std::move(*next));
    }
    return std::nullopt;
  }

  /// He could not close it: somebody uses it. Nobody was promised its permit.
  void put_back(claimed x, time_point now) {
    order_.insert(now, x.id, {x.place, std::move(x.owner)});
  }

  /// Its owner closes it instead: `closed` or `kept` will be said of it.
  void left_to_owner(claimed x) {
    expected_.emplace(x.id, resource{x.place, std::move(x.owner)});
  }

  std::size_t waiting() const noexcept {
    return queue_.size();
  }

  std::size_t known() const noexcept {
    return order_.size() - gone_.size() + expected_.size();
  }

private:
  struct resource {
    slot* place;
    Owner owner;
  };

  struct candidate {
    std::uint64_t id;
    resource what;
    bool is_open; // else it is being closed: its permit is on the way
  };

  static constexpr std::size_t gone_min = 64;

  void pump(time_point now, effects& out) {
    while (spare_ > 0 && !queue_.empty()) {
      --spare_;
      out.push_back(grant{std::move(queue_.front())});
      queue_.pop_front();
    }
    // One that waits, one that is on its way: as many as are missing.
    while (expected_.size() < queue_.size()
           && policy_ == full_policy::evict_idle && expect_one(now, out)) {
      // more
    }
    // Who came last is turned away first: the others were promised theirs.
    while (expected_.size() < queue_.size()) {
      out.push_back(deny{std::move(queue_.back())});
      queue_.pop_back();
    }
    if (queue_.empty())
      end_queue();
  }

  void end_queue() {
    all_.end_queue(std::exchange(spare_, 0));
  }

  bool expect_one(time_point now, effects& out) {
    auto next = take_next(now);
    if (!next)
      return false;
    if (next->is_open)
      out.push_back(ask{next->what.owner, next->id});
    expect(std::move(*next));
    return true;
  }

  void expect(candidate x) {
    expected_.emplace(x.id, std::move(x.what));
  }

  // Takes the least recently used resource that nobody holds, or one that is
  // being closed, out of the order.
  std::optional<candidate> take_next(time_point now) {
    std::optional<candidate> result;
    std::vector<typename use_order<resource>::first> held;
    while (!result && order_.size() > 0) {
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
        result = candidate{x.id, std::move(x.what), is_open};
      }
    }
    for (auto& x : held)
      order_.insert(x.stamp, x.id, std::move(x.what));
    return result;
  }

  permits& all_;
  full_policy policy_;
  std::deque<Owner> queue_;
  std::size_t spare_ = 0;
  use_order<resource> order_;
  std::unordered_set<std::uint64_t> gone_; // closed, but still in the order
  // Asked for, or closing anyway; not in the order.
  std::unordered_map<std::uint64_t, resource> expected_;
};

} // namespace steward
