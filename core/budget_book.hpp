#pragma once

#include <steward/core/permits.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/slot.hpp>

#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <set>
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
    order_.insert({stamp, id});
    known_.insert({id, resource{&place, std::move(owner), stamp}});
  }

  void closed(std::uint64_t id, time_point now, effects& out) {
    if (auto i = known_.find(id); i != known_.end()) {
      order_.erase({i->second.stamp, id});
      known_.erase(i);
    }
    if (expected_.erase(id) > 0 && !queue_.empty())
      pump(now, out);
  }

  /// A supervisor did not give this resource up: somebody uses it.
  void kept(std::uint64_t id, time_point now, effects& out) {
    if (auto i = known_.find(id); i != known_.end())
      restamp(id, i->second, now);
    if (expected_.erase(id) > 0 && !queue_.empty())
      pump(now, out);
  }

  /// For somebody who makes room himself: the least recently used idle resource,
  /// which he has to close or to say `kept` of. If he closes it, its permit is
  /// his. Nothing if others wait for permits, or none may be evicted.
  std::optional<ask> claim(time_point now) {
    if (!queue_.empty() || policy_ != full_policy::evict_idle)
      return std::nullopt;
    for (;;) {
      auto i = find_spare(now);
      if (i == order_.end())
        return std::nullopt;
      auto& r = known_.find(i->second)->second;
      expected_.insert(i->second);
      if (is_open(i->second, r))
        return ask{r.owner, i->second};
    }
  }

  std::size_t waiting() const noexcept {
    return queue_.size();
  }

  std::size_t known() const noexcept {
    return known_.size();
  }

private:
  struct resource {
    slot* place;
    Owner owner;
    time_point stamp;
  };

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
    auto i = find_spare(now);
    if (i == order_.end())
      return false;
    auto& r = known_.find(i->second)->second;
    expected_.insert(i->second);
    if (is_open(i->second, r)) // else its permit is on the way
      out.push_back(ask{r.owner, i->second});
    return true;
  }

  static bool is_open(std::uint64_t id, const resource& r) {
    return r.place->id() == id && r.place->word().in() == phase::open;
  }

  // The least recently used resource that nobody holds, or one that is being
  // closed.
  auto find_spare(time_point now) {
    for (auto i = order_.begin(); i != order_.end();) {
      auto id = i->second;
      auto& r = known_.find(id)->second;
      auto next = std::next(i);
      if (expected_.contains(id)) {
        i = next;
        continue;
      }
      auto word = r.place->word();
      auto used = r.place->last_used();
      if (!is_open(id, r))
        return i;
      if (word.holders() > 0) {
        if (r.stamp < now) // it comes back now at the earliest
          restamp(id, r, now);
        i = next;
        continue;
      }
      if (used <= r.stamp)
        return i;
      restamp(id, r, used);
      // The place it moved to may be right behind.
      i = next == order_.end() || *next > std::pair{used, id}
            ? order_.find({used, id})
            : next;
    }
    return order_.end();
  }

  void restamp(std::uint64_t id, resource& r, time_point stamp) {
    if (stamp <= r.stamp)
      return;
    order_.erase({r.stamp, id});
    r.stamp = stamp;
    order_.insert({stamp, id});
  }

  permits& all_;
  full_policy policy_;
  std::deque<Owner> queue_;
  std::size_t spare_ = 0;
  std::set<std::pair<time_point, std::uint64_t>> order_;
  std::unordered_map<std::uint64_t, resource> known_;
  std::unordered_set<std::uint64_t> expected_; // asked for, or closing anyway
};

} // namespace steward
