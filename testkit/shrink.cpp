#include <steward/testkit/explore.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace steward::testkit {

namespace {

using steady = std::chrono::steady_clock;

// Takes deviations away in ever smaller pieces, then puts smaller ones in place
// of those that are left, and earlier, as long as the same thing is violated.
// Each success makes the list smaller, first in number, then in options, then
// in places: so it comes to an end.
class shrinker {
public:
  shrinker(const explore_options& o, const scenario& what,
           const run_result& failed)
    : options_(o), what_(what), failed_(failed) {
    if (o.shrink_time_max.count() > 0)
      until_ = steady::now() + o.shrink_time_max;
    for (auto d : failed.decisions)
      best_.push_back(d.taken);
  }

  shrunk_schedule run() {
    if (!try_list({}))
      do
        remove_all();
      while (replace_each());
    return {std::move(best_), !out_of_time_};
  }

private:
  using list = std::vector<std::uint16_t>;

  std::vector<std::size_t> positions() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < best_.size(); ++i)
      if (best_[i] != 0)
        result.push_back(i);
    return result;
  }

  void remove_all() {
    for (std::size_t pieces = 2;;) {
      auto deviations = positions();
      if (deviations.empty())
        return;
      pieces = std::min(pieces, deviations.size());
      if (remove_some(deviations, pieces))
        continue;
      if (pieces == deviations.size())
        return;
      pieces *= 2;
    }
  }

  bool remove_some(const std::vector<std::size_t>& deviations,
                   std::size_t pieces) {
    for (std::size_t p = 0; p < pieces; ++p) {
      auto next = best_;
      auto first = deviations.size() * p / pieces;
      auto last = deviations.size() * (p + 1) / pieces;
      for (auto i = first; i < last; ++i)
        next[deviations[i]] = 0;
      if (first != last && try_list(std::move(next)))
        return true;
    }
    return false;
  }

  // One pass: a pass of removals for each success would take too long.
  bool replace_each() {
    bool any = false;
    for (std::size_t i = 0; i < positions().size(); ++i) {
      any = try_smaller(positions()[i]) || any;
      auto all = positions();
      any = try_earlier(i == 0 ? 0 : all[i - 1] + 1, all[i]) || any;
    }
    return any;
  }

  // A timer that fires early is the largest.
  bool try_smaller(std::size_t place) {
    constexpr std::uint16_t tries_max = 16;
    auto last = std::min(best_[place], tries_max);
    for (std::uint16_t option = 1; option < last; ++option) {
      auto next = best_;
      next[place] = option;
      if (try_list(std::move(next)))
        return true;
    }
    return false;
  }

  bool try_earlier(std::size_t first, std::size_t place) {
    for (auto to : {first, first + (place - first) / 2, place - 1})
      if (place > first && to < place) {
        auto next = best_;
        std::swap(next[to], next[place]);
        if (try_list(std::move(next)))
          return true;
      }
    return false;
  }

  bool try_list(list listed) {
    out_of_time_ = out_of_time_ || steady::now() >= until_;
    if (out_of_time_)
      return false;
    auto r = run_once(options_, what_, {failed_.seed, &listed});
    if (r.violated != failed_.violated)
      return false;
    while (!listed.empty() && listed.back() == 0)
      listed.pop_back();
    best_ = std::move(listed);
    return true;
  }

  const explore_options& options_;
  const scenario& what_;
  const run_result& failed_;
  list best_;
  steady::time_point until_ = steady::time_point::max();
  bool out_of_time_ = false;
};

} // namespace

shrunk_schedule shrink(const explore_options& options, const scenario& what,
                       const run_result& failed) {
  return shrinker{options, what, failed}.run();
}

} // namespace steward::testkit
