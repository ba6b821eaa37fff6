#include <steward/runtime/directory.hpp>

#include <steward/core/planted.hpp>

#include <string>
#include <utility>
#include <vector>

namespace steward {

directory::directory(std::shared_ptr<pool_context> pool, spawn_function spawn)
  : pool_(std::move(pool)), spawn_(std::move(spawn)) {
}

directory::~directory() = default;

directory::hashed_key directory::hashed(std::string_view key) noexcept {
  return {key, std::hash<std::string_view>{}(key)};
}

directory::stripe& directory::stripe_of(const hashed_key& key) noexcept {
  // The map takes the low bits.
  return stripes_[(key.hash >> 48) % stripe_count];
}

hold directory::borrow(std::string_view key, std::string_view params) noexcept {
  auto tag = tag_of(params);
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  // The lock keeps the shelf from going away before there is a hold on it.
  std::lock_guard lock{s.guard};
  auto i = s.keys.find(wanted);
  if (i == s.keys.end())
    return {};
  return hold{i->second->place.borrow(params, tag)};
}

bool directory::with_supervisor(
  std::string_view key, const std::function<void(const caf::actor&)>& f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  if (s.closed)
    return false;
  auto i = s.keys.find(wanted);
  if (STEWARD_PLANTED(two_supervisors) && i != s.keys.end()
      && i->second->on_the_way > 0) {
    s.keys.erase(i);
    i = s.keys.end();
  }
  if (i == s.keys.end()) {
    auto entry = std::make_shared<key_entry>(std::string{key}, pool_);
    entry->supervisor = spawn_(entry);
    wanted.text = entry->place.key();
    i = s.keys.emplace(wanted, std::move(entry)).first;
    size_.fetch_add(1, std::memory_order_relaxed);
  }
  // Counted before it is sent: whoever handles it counts down.
  i->second->on_the_way.fetch_add(1, std::memory_order_relaxed);
  f(i->second->supervisor);
  return true;
}

bool directory::with_present(std::string_view key,
                             const std::function<void(const caf::actor&)>& f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  auto i = s.keys.find(wanted);
  if (i == s.keys.end())
    return false;
  i->second->on_the_way.fetch_add(1, std::memory_order_relaxed);
  f(i->second->supervisor);
  return true;
}

bool directory::leave(key_entry& who) {
  auto key = hashed(who.place.key());
  auto& s = stripe_of(key);
  {
    std::lock_guard lock{s.guard};
    if (who.on_the_way.load(std::memory_order_relaxed) > 0
        && !STEWARD_PLANTED(leaves_with_mail))
      return false;
    s.keys.erase(key);
  }
  one_less();
  return true;
}

void directory::ended(key_entry& who) {
  auto key = hashed(who.place.key());
  auto& s = stripe_of(key);
  {
    std::lock_guard lock{s.guard};
    if (s.keys.erase(key) == 0)
      return;
  }
  one_less();
}

void directory::one_less() {
  // Counted under the lock: who waits for 0 may delete the directory then.
  std::lock_guard lock{empty_guard_};
  if (size_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    empty_.notify_all();
}

void directory::close() {
  for (auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    s.closed = true;
  }
}

void directory::for_each(const std::function<void(const caf::actor&)>& f) {
  for (auto& s : stripes_) {
    std::vector<caf::actor> all;
    {
      std::lock_guard lock{s.guard};
      for (auto& [key, entry] : s.keys)
        all.push_back(entry->supervisor);
    }
    for (auto& who : all)
      f(who);
  }
}

bool directory::wait_empty(std::chrono::nanoseconds patience) {
  std::unique_lock lock{empty_guard_};
  if (size() == 0 || patience <= patience.zero())
    return size() == 0;
  return empty_.wait_for(lock, patience, [this] { return size() == 0; });
}

} // namespace steward
