#include <steward/benchmarks/peers/sharded_map.hpp>

namespace steward::bench {

sharded_map::sharded_map(const limits& x, std::size_t stripes)
  : limits_(x), count_(stripes), stripes_(new stripe[stripes]) {
  if (limits_.manual_time)
    sweeper_ = std::jthread{
      [this](const std::stop_token& end) { sweep_when_asked(end); }};
}

sharded_map::~sharded_map() {
  if (sweeper_.joinable()) {
    sweeper_.request_stop();
    ++asked_;
    asked_.notify_one();
    sweeper_.join();
  }
  for (std::size_t i = 0; i < count_; ++i)
    for (auto& [key, x] : stripes_[i].keys)
      while (x.slots != nullptr)
        delete std::exchange(x.slots, x.slots->next);
}

std::int64_t sharded_map::now() const noexcept {
  if (limits_.manual_time)
    return manual_now_.load(std::memory_order_relaxed);
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

std::uint64_t sharded_map::opened() const noexcept {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    std::lock_guard lock{stripes_[i].guard};
    result += stripes_[i].opened;
  }
  return result;
}

// -- under the lock of a stripe -----------------------------------------------

void sharded_map::link(stripe& in, slot* x) noexcept {
  x->idle = true;
  x->newer = nullptr;
  x->older = in.newest;
  (in.newest != nullptr ? in.newest->newer : in.oldest) = x;
  in.newest = x;
}

void sharded_map::unlink(stripe& in, slot* x) noexcept {
  x->idle = false;
  (x->older != nullptr ? x->older->newer : in.oldest) = x->newer;
  (x->newer != nullptr ? x->newer->older : in.newest) = x->older;
}

sharded_map::slot* sharded_map::find_idle(entry& of,
                                          std::string_view params) noexcept {
  for (auto* x = of.slots; x != nullptr; x = x->next)
    if (x->idle && x->params == params)
      return x;
  return nullptr;
}

sharded_map::slot* sharded_map::least_recent(entry& of) noexcept {
  slot* result = nullptr;
  for (auto* x = of.slots; x != nullptr; x = x->next)
    if (x->idle && (result == nullptr || x->idle_since < result->idle_since))
      result = x;
  return result;
}

sharded_map::entry& sharded_map::entry_of(stripe& in, const hashed& key) {
  auto at = in.keys.find(key);
  if (at == in.keys.end()) {
    at = in.keys.try_emplace(std::string{key.text}).first;
    at->second.home = &in;
    at->second.key = &at->first;
  }
  return at->second;
}

sharded_map::slot* sharded_map::open_slot(stripe& in, entry& of,
                                          std::string_view params) {
  auto* x = new slot;
  x->owner = &of;
  x->params = params;
  x->next = std::exchange(of.slots, x);
  ++of.count;
  ++in.opened;
  return x;
}

// Its place among all is the caller's.
void sharded_map::close_slot(stripe& in, slot* x) noexcept {
  if (x->idle)
    unlink(in, x);
  auto** at = &x->owner->slots;
  while (*at != x)
    at = &(*at)->next;
  *at = x->next;
  --x->owner->count;
  delete x;
}

void sharded_map::drop_if_empty(stripe& in, entry& x) {
  if (x.slots == nullptr && x.first == nullptr)
    in.keys.erase(in.keys.find(*x.key));
}

// A free slot of the key; at its limit one in the place of an idle one.
sharded_map::slot* sharded_map::take(stripe& in, entry& of,
                                     std::string_view params) const {
  if (of.first != nullptr)
    return nullptr; // not past those who wait
  if (auto* x = find_idle(of, params)) {
    unlink(in, x);
    return x;
  }
  auto* oldest = of.count < limits_.per_key ? nullptr : least_recent(of);
  if (oldest == nullptr)
    return nullptr;
  close_slot(in, oldest);
  return open_slot(in, of, params);
}

// Claims a place among all; at the limit that of the least recently used slot
// of this stripe. False if there is none.
bool sharded_map::claim(stripe& in, const entry& for_whom) noexcept {
  if (!limits_.total) {
    open_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  auto n = open_.load(std::memory_order_relaxed);
  while (n < *limits_.total)
    if (open_.compare_exchange_weak(n, n + 1, std::memory_order_relaxed))
      return true;
  if (in.oldest == nullptr)
    return false;
  auto& owner = *in.oldest->owner;
  close_slot(in, in.oldest);
  if (&owner != &for_whom)
    drop_if_empty(in, owner);
  return true;
}

sharded_map::slot* sharded_map::wait(entry& of, std::string_view params,
                                     std::unique_lock<std::mutex>& lock) {
  // Outlives the wait: whoever wakes us touches it last.
  thread_local std::atomic<int> wake{0};
  wake.store(0, std::memory_order_relaxed);
  waiter own{params, &wake};
  (of.first != nullptr ? of.last->next : of.first) = &own;
  of.last = &own;
  lock.unlock();
  wake.wait(0, std::memory_order_acquire);
  return own.granted;
}

// -- without ------------------------------------------------------------------

bool sharded_map::claim_elsewhere(const stripe& not_in) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    auto& in = stripes_[i];
    if (&in == &not_in)
      continue;
    std::lock_guard lock{in.guard};
    if (in.oldest == nullptr)
      continue;
    auto& owner = *in.oldest->owner;
    close_slot(in, in.oldest);
    drop_if_empty(in, owner);
    return true;
  }
  return false;
}

sharded_map::lease sharded_map::borrow(std::string_view key,
                                       std::string_view params) {
  hashed wanted{key, std::hash<std::string_view>{}(key)};
  auto& in = stripes_[(wanted.hash >> 40U) & (count_ - 1)];
  std::unique_lock lock{in.guard};
  for (auto has_place = false;; has_place = true) {
    auto& x = entry_of(in, wanted);
    auto* what = take(in, x, params);
    if (what != nullptr || x.count >= limits_.per_key || x.first != nullptr) {
      if (has_place)
        open_.fetch_sub(1, std::memory_order_relaxed);
      return {this, what != nullptr ? what : wait(x, params, lock)};
    }
    if (has_place || claim(in, x))
      return {this, open_slot(in, x, params)};
    drop_if_empty(in, x);
    lock.unlock();
    if (!claim_elsewhere(in))
      return {};
    lock.lock();
  }
}

void sharded_map::give_back(slot* x) {
  auto& owner = *x->owner;
  auto& in = *owner.home;
  std::unique_lock lock{in.guard};
  if (auto* next = owner.first) {
    owner.first = next->next;
    if (x->params != next->params) {
      x->params = next->params; // closed, and opened in its place
      ++in.opened;
    }
    auto* wake = next->wake;
    next->granted = x;
    lock.unlock();
    wake->store(1, std::memory_order_release);
    wake->notify_one();
    return;
  }
  x->idle_since = now();
  link(in, x);
}

// -- time ---------------------------------------------------------------------

void sharded_map::sweep(stripe& in, std::int64_t due) {
  // So many in one go, that nobody waits long for the lock.
  constexpr int batch = 512;
  for (;;) {
    std::lock_guard lock{in.guard};
    for (int i = 0; i < batch; ++i) {
      auto* x = in.oldest;
      if (x == nullptr || x->idle_since > due)
        return;
      auto& owner = *x->owner;
      close_slot(in, x);
      drop_if_empty(in, owner);
      open_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
}

void sharded_map::sweep_when_asked(const std::stop_token& end) {
  for (int done = 0;; ++done) {
    asked_.wait(done, std::memory_order_acquire);
    if (end.stop_requested())
      return;
    auto due = manual_now_.load(std::memory_order_relaxed)
               - std::chrono::nanoseconds{limits_.idle_timeout}.count();
    for (std::size_t i = 0; i < count_; ++i)
      sweep(stripes_[i], due);
    swept_.store(done + 1, std::memory_order_release);
    swept_.notify_one();
  }
}

void sharded_map::pass(std::chrono::seconds d) {
  manual_now_ += std::chrono::nanoseconds{d}.count();
  auto before = asked_.fetch_add(1, std::memory_order_release);
  asked_.notify_one();
  swept_.wait(before, std::memory_order_acquire);
}

} // namespace steward::bench
