#pragma once

#include <steward/testkit/history.hpp>
#include <steward/testkit/history_models.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace steward::testkit {

/// What is to be thought of a history.
enum class judgement : unsigned char {
  right,
  wrong,
  undecided, ///< too much overlaps for the steps allowed
};

std::string_view to_string(judgement x);

/// How a search ended.
struct search_result {
  judgement what = judgement::right;
  std::string why;       ///< what was in the way, where it got furthest
  std::size_t steps = 0; ///< operations tried
};

/// Searches for an order of operations on one object that keeps who was ended
/// before another began, and in which the model gives every result. Operations
/// in doubt may take part at any time after their start, or not at all. Where
/// it has been, it does not go again (Wing and Gong, Lowe). Pure; takes
/// `steps_max` steps at most, then it is undecided.
///
/// A model may have `reads(op)`: if so, an `op` that changes nothing now would
/// change nothing later.
template <sequential_model Model>
class history_search {
public:
  using state = typename Model::state;

  history_search(const Model& model, std::span<const operation> what,
                 std::size_t steps_max)
    : model_(model), steps_max_(steps_max) {
    for (const auto& x : what)
      if (x.end == ending::ok)
        all_.push_back(&x);
    sure_ = all_.size();
    for (const auto& x : what)
      if (x.end == ending::in_doubt)
        all_.push_back(&x);
    auto earlier = [](const operation* a, const operation* b) {
      return a->invoked < b->invoked;
    };
    auto middle = all_.begin() + static_cast<std::ptrdiff_t>(sure_);
    std::stable_sort(all_.begin(), middle, earlier);
    std::stable_sort(middle, all_.end(), earlier);
    done_.resize(all_.size());
  }

  search_result run() {
    search_result result;
    enter(model_.initial(), none);
    while (!path_.empty() && sure_done_ < sure_) {
      auto& here = path_.back();
      if (here.next == here.candidates.size()) {
        leave();
        continue;
      }
      if (++result.steps > steps_max_) {
        result.what = judgement::undecided;
        result.why = "gave up after " + std::to_string(steps_max_) + " steps";
        return result;
      }
      attempt(here.candidates[here.next++]);
    }
    if (path_.empty()) {
      result.what = judgement::wrong;
      result.why = std::move(why_);
    }
    return result;
  }

private:
  static constexpr auto none = static_cast<std::uint32_t>(-1);

  // A state, by what it was reached, and what may come next.
  struct point {
    state now;
    std::uint32_t by;
    std::vector<std::uint32_t> candidates;
    std::size_t next = 0;
  };

  bool is_sure(std::uint32_t i) const {
    return i < sure_;
  }

  bool reads(std::uint32_t i) const {
    if constexpr (requires(const operation& x) { model_.reads(x); })
      return model_.reads(*all_[i]);
    else
      return false;
  }

  void enter(state now, std::uint32_t by) {
    point here{std::move(now), by, {}};
    auto soonest = stamp_max; // end of what is not done
    for (auto i = low_; i < sure_ && all_[i]->invoked <= soonest; ++i)
      if (!done_[i]) {
        here.candidates.push_back(i);
        soonest = std::min(soonest, all_[i]->completed);
      }
    // What ended first was mostly first: most searches never turn back.
    std::stable_sort(here.candidates.begin(), here.candidates.end(),
                     [this](std::uint32_t a, std::uint32_t b) {
                       return all_[a]->completed < all_[b]->completed;
                     });
    for (auto i = static_cast<std::uint32_t>(sure_);
         i < all_.size() && all_[i]->invoked <= soonest; ++i)
      if (!done_[i])
        here.candidates.push_back(i);
    path_.push_back(std::move(here));
  }

  void leave() {
    auto by = path_.back().by;
    path_.pop_back();
    if (by != none)
      undo(by);
  }

  void attempt(std::uint32_t i) {
    auto& here = path_.back();
    auto next = here.now;
    auto objection = model_.apply(next, *all_[i]);
    if (!objection.empty())
      return note(i, std::move(objection));
    auto unchanged = next == here.now;
    if (unchanged && !is_sure(i)) // as if it never took effect
      return;
    if (unchanged && reads(i)) // now is as good as ever: none need come first
      here.next = here.candidates.size();
    done_[i] = true;
    sure_done_ += is_sure(i) ? 1u : 0u;
    while (low_ < sure_ && done_[low_])
      ++low_;
    if (seen_.emplace(place(), next).second)
      enter(std::move(next), i);
    else
      undo(i);
  }

  void undo(std::uint32_t i) {
    done_[i] = false;
    sure_done_ -= is_sure(i) ? 1u : 0u;
    if (is_sure(i))
      low_ = std::min(low_, i);
  }

  // Which operations are done: all before the first that is not, and these.
  std::vector<std::uint32_t> place() const {
    std::vector<std::uint32_t> result{low_};
    auto left = sure_done_ - low_;
    for (auto i = low_; left > 0; ++i)
      if (done_[i]) {
        result.push_back(i);
        --left;
      }
    for (auto i = sure_; i < all_.size(); ++i)
      if (done_[i])
        result.push_back(static_cast<std::uint32_t>(i));
    return result;
  }

  // Of all that is in the way where most is done, what should have ended first.
  void note(std::uint32_t i, std::string objection) {
    if (!is_sure(i))
      return;
    auto better = why_.empty() || path_.size() > why_depth_
                  || (path_.size() == why_depth_
                      && all_[i]->completed < why_completed_);
    if (!better)
      return;
    why_ = std::move(objection);
    why_depth_ = path_.size();
    why_completed_ = all_[i]->completed;
  }

  const Model& model_;
  std::size_t steps_max_;
  std::vector<const operation*> all_; // those that are sure, then in doubt
  std::size_t sure_ = 0;
  std::vector<bool> done_;
  std::size_t sure_done_ = 0;
  std::uint32_t low_ = 0; // all before it are done
  std::vector<point> path_;
  std::set<std::pair<std::vector<std::uint32_t>, state>> seen_;
  std::string why_;
  std::size_t why_depth_ = 0;
  stamp why_completed_ = stamp_max;
};

/// The same in one call.
template <sequential_model Model>
search_result search_history(const Model& model,
                             std::span<const operation> what,
                             std::size_t steps_max) {
  return history_search<Model>{model, what, steps_max}.run();
}

/// Makes a wrong history of one object shorter, and it stays wrong: cuts off
/// its end, then what the model says may go. Takes `steps_max` steps at most.
///
/// A model may have `group(op)`: what is of one group, if not empty, may be left
/// out together, and what was right stays so.
template <sequential_model Model>
std::vector<operation> shorten_history(const Model& model,
                                       std::vector<operation> what,
                                       std::size_t steps_max) {
  std::size_t left = steps_max;
  auto still_wrong = [&](std::span<const operation> part) {
    auto found = search_history(model, part, left);
    left -= std::min(left, found.steps);
    return found.what == judgement::wrong;
  };
  std::vector<stamp> ends;
  for (const auto& x : what)
    if (x.end == ending::ok)
      ends.push_back(x.completed);
  std::sort(ends.begin(), ends.end());
  // A history that is right is so at every moment: so cuts can be halved.
  for (std::size_t low = 0, high = ends.size(); low < high;) {
    auto middle = low + (high - low) / 2;
    auto part = history_until(what, ends[middle]);
    if (still_wrong(part)) {
      what = std::move(part);
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if constexpr (requires(const operation& x) { model.group(x); }) {
    std::set<std::string> groups;
    for (const auto& x : what)
      groups.insert(model.group(x));
    for (const auto& group : groups) {
      if (group.empty())
        continue;
      auto part = what;
      std::erase_if(part, [&](auto& x) { return model.group(x) == group; });
      if (still_wrong(part))
        what = std::move(part);
    }
  }
  return what;
}

} // namespace steward::testkit
