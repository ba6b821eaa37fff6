#pragma once

#include <steward/core/idle_stripes.hpp>
#include <steward/core/permits.hpp>
#include <steward/core/pool_options.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace steward {

/// All decisions of a pool's budget. Pure: events go in, effects come out.
/// `Owner` names a supervisor and keeps the slots alive that it told about. Who
/// makes room himself may do so beside all others, if `Lock` is a lock; what has
/// effects is for one thread at a time.
template <class Owner, class Lock = no_lock>
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

  budget_book(permits& all, full_policy policy, std::size_t total_max = 1)
    : all_(all), policy_(policy),
      resources_(total_max < shared_min ? 1 : stripes) {
  }

  // -- one thread at a time ---------------------------------------------------

  /// A supervisor needs a permit and found none.
  void wanted(Owner who, effects& out) {
    if (queue_.empty())
      spare_ = all_.start_queue();
    queue_.push_back(std::move(who));
    pump(out);
  }

  /// A permit came back in a message.
  void returned(effects& out) {
    if (queue_.empty()) { // the queue ended while it was on its way
      spare_ = all_.start_queue() + 1;
      return end_queue();
    }
    ++spare_;
    pump(out);
  }

  /// A hope is gone: what was expected is closed, or was kept.
  void look_again(effects& out) {
    if (!queue_.empty())
      pump(out);
  }

  std::size_t waiting() const noexcept {
    return queue_.size();
  }

  /// Nobody waits any more, and nothing is known from now on. The result has
  /// what there was.
  auto stop() {
    return std::pair{std::exchange(queue_, {}), resources_.stop()};
  }

  // -- any thread -------------------------------------------------------------

  void opened(std::uint64_t id, slot& place, Owner owner, time_point stamp) {
    resources_.insert({std::move(owner), &place, id}, stamp);
  }

  /// True if it has to `look_again`.
  bool closed(std::uint64_t id) {
    return resources_.closed(id);
  }

  /// A supervisor did not give this resource up: somebody uses it. True if it
  /// has to `look_again`.
  bool kept(std::uint64_t id) {
    return resources_.kept(id);
  }

  /// Its last holder gives this resource back, who found that it was missed.
  void idle_again(std::uint64_t id) {
    resources_.idle_again(id);
  }

  /// What somebody closes who makes room himself.
  using claimed = owned_slot<Owner>;

  /// For him: the least recently used idle resource, which is forgotten here. If
  /// he closes it, its permit is his. Nothing if others wait for permits, or none
  /// may be evicted. Of equally old ones those with `luck` differ.
  std::optional<claimed> claim(std::size_t luck = 0) {
    if (all_.queued() || policy_ != full_policy::evict_idle)
      return std::nullopt;
    return resources_.claim(luck);
  }

  /// He could not close it: somebody uses it. Nobody was promised its permit.
  void put_back(claimed x) {
    resources_.put_back(std::move(x));
  }

  /// Its owner closes it instead: `closed` or `kept` will be said of it.
  void left_to_owner(claimed x) {
    resources_.expect(std::move(x));
  }

  std::size_t known() const {
    return resources_.known();
  }

private:
  // Below so many resources nobody could tell what a lock costs, and users of
  // few can tell in which order they go, though their stamps be equal.
  static constexpr std::size_t shared_min = 1024;
  static constexpr std::size_t stripes = 8;

  void pump(effects& out) {
    while (spare_ > 0 && !queue_.empty()) {
      --spare_;
      out.push_back(grant{std::move(queue_.front())});
      queue_.pop_front();
    }
    // One that waits, one that is on its way: as many as are missing.
    auto expected = resources_.expected();
    while (expected < queue_.size() && policy_ == full_policy::evict_idle
           && expect_one(out)) {
      ++expected;
    }
    // Who came last is turned away first: the others were promised theirs.
    while (expected < queue_.size()) {
      out.push_back(deny{std::move(queue_.back())});
      queue_.pop_back();
    }
    if (queue_.empty())
      end_queue();
  }

  void end_queue() {
    all_.end_queue(std::exchange(spare_, 0));
  }

  bool expect_one(effects& out) {
    auto next = resources_.expect_next();
    if (next && next->ask)
      out.push_back(ask{std::move(next->from.owner), next->from.id});
    return next.has_value();
  }

  permits& all_;
  full_policy policy_;
  std::deque<Owner> queue_;
  std::size_t spare_ = 0;
  idle_stripes<Owner, Lock> resources_;
};

} // namespace steward
