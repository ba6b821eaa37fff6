#pragma once

#include <steward/runtime/replay.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace steward::test {

/// What a replay means, said once more and as simply as can be: one thread, one
/// list of open slots, every tick of the clock one by one. It shares no code
/// with core/, and is slow where a replay is fast.
class replay_model {
public:
  /// @pre `requests` are in the order of time, and not empty.
  static replay_result run(std::span<const timed_request> requests,
                           const replay_options& options) {
    replay_model model{requests.front().at, options};
    for (const auto& x : requests)
      model.on_request(x);
    return model.finish(requests.back().at);
  }

private:
  struct slot {
    std::uint64_t id; // counts up: a smaller one was opened first
    std::string key;
    std::string params;
    time_point opened_at;
    time_point returned_at;
    bool held;
  };

  struct hand_back {
    time_point at;
    std::uint64_t id;
  };

  replay_model(time_point start, const replay_options& options)
    : options_(options), start_(start), next_tick_(start + options.pool.tick) {
  }

  // At one instant: returns, then the tick, then requests.
  void advance(time_point now) {
    while (next_tick_ <= now) {
      take_back(next_tick_);
      on_tick(next_tick_);
      next_tick_ += options_.pool.tick;
    }
    take_back(now);
  }

  void take_back(time_point now) {
    for (; !held_.empty() && held_.front().at <= now; held_.pop_front())
      for (auto& x : open_)
        if (x.id == held_.front().id) {
          x.held = false;
          x.returned_at = held_.front().at;
        }
  }

  void on_tick(time_point now) {
    const auto& pool = options_.pool;
    for (std::size_t i = 0; i < open_.size();) {
      const auto& x = open_[i];
      if (!x.held && pool.idle_timeout != off
          && now - x.returned_at >= pool.idle_timeout)
        close(i, close_reason::idle);
      else if (!x.held && pool.max_lifetime != off
               && now - x.opened_at >= pool.max_lifetime)
        close(i, close_reason::lifetime);
      else
        ++i;
    }
  }

  void on_request(const timed_request& request) {
    advance(request.at);
    ++result_.requests;
    auto* lent = most_recently_used(request);
    if (lent != nullptr)
      ++result_.reused;
    else if (make_room(request))
      lent = &open(request);
    else
      ++result_.rejected;
    if (lent == nullptr)
      return;
    if (options_.hold == duration::zero()) {
      lent->returned_at = request.at;
      return;
    }
    lent->held = true;
    held_.push_back({request.at + options_.hold, lent->id});
  }

  slot* most_recently_used(const timed_request& request) {
    slot* best = nullptr;
    for (auto& x : open_)
      if (!x.held && x.key == request.key && x.params == request.params
          && (best == nullptr || x.returned_at > best->returned_at))
        best = &x;
    return best;
  }

  // Whether one more may be opened, after an eviction if need be.
  bool make_room(const timed_request& request) {
    const auto& pool = options_.pool;
    auto of_key = std::count_if(open_.begin(), open_.end(), [&](const auto& x) {
      return x.key == request.key;
    });
    auto key_full = static_cast<std::size_t>(of_key) >= pool.per_key_max;
    if (!key_full && open_.size() < pool.total_max)
      return true;
    if (pool.when_full == full_policy::reject)
      return false;
    auto victim = open_.size();
    for (std::size_t i = 0; i < open_.size(); ++i)
      if (!open_[i].held && (!key_full || open_[i].key == request.key)
          && (victim == open_.size()
              || open_[i].returned_at < open_[victim].returned_at))
        victim = i;
    if (victim == open_.size())
      return false;
    close(victim, close_reason::evicted);
    return true;
  }

  // The list stays in the order of opening, which settles every tie.
  slot& open(const timed_request& request) {
    ++result_.opened;
    open_.push_back({result_.opened, std::string{request.key},
                     std::string{request.params}, request.at, request.at,
                     false});
    result_.peak_open = std::max<std::uint64_t>(result_.peak_open,
                                                open_.size());
    return open_.back();
  }

  void close(std::size_t i, close_reason reason) {
    ++result_.closed[static_cast<std::size_t>(reason)];
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  replay_result finish(time_point last) {
    while (!open_.empty())
      close(open_.size() - 1, close_reason::drained);
    result_.virtual_time = last - start_;
    return result_;
  }

  const replay_options& options_;
  time_point start_;
  time_point next_tick_;
  std::vector<slot> open_;
  std::deque<hand_back> held_;
  replay_result result_;
};

} // namespace steward::test
