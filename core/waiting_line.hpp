#pragma once

#include <steward/core/slot.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace steward {

/// Numbers the requests of one supervisor.
using request_id = std::uint64_t;

/// A request that waits. It is promised an open: one under way (`opening`), or
/// one that starts when there is room and a permit (`leader`). Where resources
/// are shared, others with equal params follow a leader without a promise of
/// their own, at most `holders_max` in all. Who is `patient` is promised nothing
/// but his turn.
struct waiter {
  request_id id;
  std::string params;
  std::uint64_t tag;
  time_point deadline;
  slot* opening = nullptr;
  bool leader = false;
  bool patient = false;
};

/// Those who wait for a key, in the order of arrival. What is asked of it after
/// every event does not cost more the longer it is. One thread at a time.
class waiting_line {
public:
  using iterator = std::list<waiter>::iterator;
  using const_iterator = std::list<waiter>::const_iterator;

  void push_back(waiter w) {
    deadlines_.insert(w.deadline);
    ++tags_[w.tag];
    count(w, 1);
    all_.push_back(std::move(w));
  }

  iterator erase(iterator i) {
    deadlines_.erase(deadlines_.find(i->deadline));
    auto same = tags_.find(i->tag);
    if (--same->second == 0)
      tags_.erase(same);
    count(*i, -1);
    return all_.erase(i);
  }

  /// All of them; then nobody waits here.
  std::list<waiter> take_all() {
    return std::exchange(*this, {}).all_;
  }

  // What is counted is changed here only.
  void set_leader(waiter& w, bool on) noexcept {
    count(w, -1);
    w.leader = on;
    count(w, 1);
  }

  void set_patient(waiter& w, bool on) noexcept {
    count(w, -1);
    w.patient = on;
    count(w, 1);
  }

  void put_off(waiter& w, time_point deadline) {
    deadlines_.erase(deadlines_.find(w.deadline));
    w.deadline = deadline;
    deadlines_.insert(deadline);
  }

  std::size_t leaders() const noexcept {
    return leaders_;
  }

  std::size_t patient() const noexcept {
    return patient_;
  }

  /// How many different params are waited for, as far as their tags tell.
  std::size_t kinds() const noexcept {
    return tags_.size();
  }

  /// `never` if nobody waits.
  time_point first_deadline() const noexcept {
    return deadlines_.empty() ? never : *deadlines_.begin();
  }

  bool empty() const noexcept {
    return all_.empty();
  }

  std::size_t size() const noexcept {
    return all_.size();
  }

  iterator begin() noexcept {
    return all_.begin();
  }

  iterator end() noexcept {
    return all_.end();
  }

  const_iterator begin() const noexcept {
    return all_.begin();
  }

  const_iterator end() const noexcept {
    return all_.end();
  }

  void reverse() noexcept {
    all_.reverse();
  }

private:
  void count(const waiter& w, int by) noexcept {
    leaders_ += w.leader ? static_cast<std::size_t>(by) : 0;
    patient_ += w.patient ? static_cast<std::size_t>(by) : 0;
  }

  std::list<waiter> all_;
  std::multiset<time_point> deadlines_;
  std::map<std::uint64_t, std::size_t> tags_; // how many wait for each
  std::size_t leaders_ = 0;
  std::size_t patient_ = 0;
};

} // namespace steward
