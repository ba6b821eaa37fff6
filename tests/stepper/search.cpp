#include <steward/tests/stepper/search.hpp>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace stepper {

namespace {

std::size_t first_of(thread_set set) {
  return static_cast<std::size_t>(std::countr_zero(set));
}

} // namespace

search::search(method how, std::size_t preemptions_max)
  : how_(how), preemptions_max_(preemptions_max) {
}

// -- from run to run ----------------------------------------------------------

bool search::next() {
  position_ = 0;
  redundant_ = false;
  if (!begun_) {
    begun_ = true;
    return true;
  }
  for (; !nodes_.empty(); nodes_.pop_back()) {
    if (go_on_with(nodes_.back())) {
      fresh_ = nodes_.size() - 1;
      return true;
    }
  }
  return false;
}

// Whether there is another choice to try here.
bool search::go_on_with(node& n) {
  auto& thread = n.chosen.thread;
  if (!n.chosen.fails && contains(n.at.may_fail, thread)) {
    n.chosen.fails = true;
    return true;
  }
  n.done |= only(thread);
  if (how_ == method::reduced)
    n.sleepers.push_back({thread, n.touched});
  n.touched = {};
  auto left = static_cast<thread_set>(n.todo & ~n.done & ~n.asleep);
  if (left == 0)
    return false;
  n.chosen = {first_of(left), false};
  return true;
}

// -- within a run -------------------------------------------------------------

choice search::pick(const crossroads& at) {
  auto here = position_++;
  choice result;
  if (here < nodes_.size()) {
    const auto& known = nodes_[here].at;
    if (known.ready != at.ready || known.may_fail != at.may_fail)
      throw std::logic_error("the same choices led elsewhere: the program "
                             "depends on something that is not a step");
    result = nodes_[here].chosen;
  } else if (!redundant_) {
    auto n = make_node(at);
    if ((at.ready & ~n.asleep) == 0) {
      redundant_ = true;
    } else {
      result = n.chosen = first_choice(n);
      nodes_.push_back(std::move(n));
    }
  }
  if (redundant_) // to its end, so that nothing is left behind
    result = {contains(at.ready, at.running) ? at.running : first_of(at.ready),
              false};
  return result;
}

search::node search::make_node(const crossroads& at) const {
  node result;
  result.at = at;
  if (nodes_.empty())
    return result;
  const auto& last = nodes_.back();
  result.preemptions = last.preemptions
                       + (is_preemption(last, last.chosen.thread) ? 1 : 0);
  for (const auto& x : last.sleepers) {
    if (x.thread != last.chosen.thread && !dependent(x.what, last.step)) {
      result.sleepers.push_back(x);
      result.asleep |= only(x.thread);
    }
  }
  return result;
}

choice search::first_choice(node& n) const {
  auto awake = static_cast<thread_set>(n.at.ready & ~n.asleep);
  auto goes_on = contains(awake, n.at.running);
  auto thread = goes_on ? n.at.running : first_of(awake);
  if (how_ == method::reduced
      || (how_ == method::bounded && goes_on
          && n.preemptions == preemptions_max_))
    n.todo = only(thread);
  else
    n.todo = n.at.ready;
  return {thread, false};
}

bool search::is_preemption(const node& n, std::size_t thread) const {
  return contains(n.at.ready, n.at.running) && thread != n.at.running;
}

void search::took(const footprint& what) {
  if (redundant_ || how_ != method::reduced)
    return;
  auto here = position_ - 1;
  nodes_[here].step = what;
  nodes_[here].touched.add(what);
  if (here >= fresh_)
    look_for_races(here);
}

// -- reduction ----------------------------------------------------------------

std::size_t search::last_of(std::size_t thread, std::size_t before) const {
  for (auto i = before; i-- > 0;)
    if (nodes_[i].chosen.thread == thread)
      return i;
  return none;
}

// Finds the earlier steps that could as well have come after the one at `at`,
// and sees to it that they will.
void search::look_for_races(std::size_t at) {
  auto& now = nodes_[at];
  auto self = now.chosen.thread;
  auto last = last_of(self, at);
  clock before = last == none ? clock{} : nodes_[last].before;
  now.before = before;
  std::vector<std::size_t> conflicts;
  for (std::size_t i = 0; i < at; ++i) {
    const auto& x = nodes_[i];
    if (x.chosen.thread == self || !dependent(x.step, now.step))
      continue;
    if (before[x.chosen.thread] <= i)
      conflicts.push_back(i);
    for (std::size_t t = 0; t < threads_max; ++t)
      now.before[t] = std::max(now.before[t], x.before[t]);
  }
  now.before[self] = static_cast<std::uint32_t>(at + 1);
  for (auto i : conflicts) {
    auto& x = nodes_[i];
    if (x.step.may_wait() || now.step.may_wait()) {
      x.todo |= x.at.ready;
    } else if (at_once(i, at)) {
      auto first = could_go_first(i, at);
      if ((first & (x.todo | x.done)) != 0)
        continue;
      auto ready = static_cast<thread_set>(first & x.at.ready);
      x.todo |= ready != 0 ? only(first_of(ready)) : x.at.ready;
    }
  }
}

// Whether nothing between the two depends on the one and leads to the other.
bool search::at_once(std::size_t earlier, std::size_t later) const {
  auto who = nodes_[earlier].chosen.thread;
  for (auto i = earlier + 1; i < later; ++i) {
    const auto& x = nodes_[i];
    if (x.before[who] > earlier && nodes_[later].before[x.chosen.thread] > i)
      return false;
  }
  return true;
}

// Of the steps that need not come after `earlier`, `later` among them: whose
// thread can be the first.
thread_set search::could_go_first(std::size_t earlier,
                                  std::size_t later) const {
  auto who = nodes_[earlier].chosen.thread;
  thread_set result = 0;
  thread_set seen = 0;
  std::vector<std::size_t> free;
  for (auto i = earlier + 1; i <= later; ++i) {
    const auto& x = nodes_[i];
    if (i != later && x.before[who] > earlier)
      continue;
    auto thread = x.chosen.thread;
    if (!contains(seen, thread)) {
      seen |= only(thread);
      if (std::none_of(free.begin(), free.end(), [&](std::size_t k) {
            return x.before[nodes_[k].chosen.thread] > k;
          }))
        result |= only(thread);
    }
    free.push_back(i);
  }
  return result;
}

} // namespace stepper
