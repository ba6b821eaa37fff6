#include <steward/runtime/epochs.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>
#include <utility>

namespace steward {

void epochs::retire(std::shared_ptr<void> what) {
  // One for one, so that what is freed is at hand for what is made next; two where
  // many wait. After the lock is free again.
  std::array<std::shared_ptr<void>, 2> dropped;
  std::lock_guard lock{guard_};
  garbage_.push_back({now_.load(std::memory_order_relaxed), std::move(what)});
  if (garbage_.size() >= look_at_) {
    look_for_unseen();
    look_at_ = garbage_.size() + garbage_max_;
  }
  for (auto left = unseen_.size() > garbage_max_ ? 2u : 1u;
       left > 0 && !unseen_.empty(); --left) {
    dropped[left - 1] = std::move(unseen_.back());
    unseen_.pop_back();
  }
}

// Under the lock.
void epochs::look_for_unseen() {
  // Who begins to read after this cannot find any of it.
  now_.fetch_add(1, std::memory_order_acq_rel);
  if (!fence_for_all())
    return;
  auto first = first_reader();
  auto seen
    = std::find_if(garbage_.begin(), garbage_.end(),
                   [first](const garbage& x) { return x.epoch >= first; });
  std::transform(garbage_.begin(), seen, std::back_inserter(unseen_),
                 [](garbage& x) { return std::move(x.what); });
  garbage_.erase(garbage_.begin(), seen);
}

// Since when the one has been reading who has been reading longest.
std::uint64_t epochs::first_reader() {
  auto result = nobody;
  readers_.for_each(
    [&](const reading::reader& x) { result = std::min(result, x.since()); });
  return result;
}

std::size_t epochs::left_over() const {
  std::lock_guard lock{guard_};
  return garbage_.size() + unseen_.size();
}

} // namespace steward
