#include <steward/runtime/epochs.hpp>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace steward {

void epochs::retire(std::shared_ptr<void> what) {
  std::vector<garbage> unseen;
  std::lock_guard lock{guard_};
  // Who begins to read after this cannot find it.
  auto epoch = now_.fetch_add(1, std::memory_order_acq_rel);
  garbage_.push_back({epoch, std::move(what)});
  if (garbage_.size() < look_at_)
    return;
  unseen = take_unseen();
  look_at_ = garbage_.size() + garbage_max_;
}

// Under the lock.
std::vector<epochs::garbage> epochs::take_unseen() {
  if (!fence_for_all())
    return {};
  auto first = first_reader();
  auto seen
    = std::find_if(garbage_.begin(), garbage_.end(),
                   [first](const garbage& x) { return x.epoch >= first; });
  std::vector<garbage> result{std::make_move_iterator(garbage_.begin()),
                              std::make_move_iterator(seen)};
  garbage_.erase(garbage_.begin(), seen);
  return result;
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
  return garbage_.size();
}

} // namespace steward
