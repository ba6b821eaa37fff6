#include <steward/runtime/directory.hpp>

#include <steward/core/planted.hpp>
#include <steward/messages/drain.hpp>

#include <string>
#include <utility>

namespace steward {

directory::directory(std::shared_ptr<pool_context> pool, spawn_function spawn)
  : pool_(std::move(pool)), spawn_(std::move(spawn)) {
}

directory::~directory() = default;

directory::stripe& directory::stripe_of(const hashed_key& key) noexcept {
  // The set takes the low bits.
  return stripes_[(key.hash >> 48) % stripe_count];
}

hold directory::borrow(std::string_view key, std::string_view params) noexcept {
  auto tag = tag_of(params);
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  entry_ptr keep;
  shelf::found seen;
  {
    // The lock keeps the shelf from going away before there is a hold on it.
    std::lock_guard lock{s.guard};
    auto i = s.keys.find(wanted);
    if (i == s.keys.end())
      return {};
    seen = (*i)->place.find(params, tag);
    if (seen.mistaken == nullptr)
      return hold{seen.place};
    keep = *i;
  }
  keep->place.put_back(*seen.mistaken); // may send, which takes the lock
  return {};
}

// -- messages to supervisors --------------------------------------------------

bool directory::with_supervisor(std::string_view key,
                                function_ref<void(const caf::actor&)> f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  entry_ptr awoken;
  {
    std::lock_guard lock{s.guard};
    if (s.closed)
      return false;
    const auto& who = find_or_make(s, wanted);
    if (rouse(*who))
      awoken = who;
    f(who->supervisor);
  }
  if (awoken != nullptr)
    put_to_bed(awoken);
  return true;
}

// Under the lock.
const std::shared_ptr<key_entry>&
directory::find_or_make(stripe& s, const hashed_key& key) {
  auto i = s.keys.find(key);
  if (STEWARD_PLANTED(two_supervisors) && i != s.keys.end()
      && (*i)->on_the_way > 0) {
    s.keys.erase(i);
    i = s.keys.end();
  }
  if (i == s.keys.end()) {
    i = s.keys.insert(std::make_shared<key_entry>(std::string{key.text}, pool_))
          .first;
    size_.fetch_add(1, std::memory_order_relaxed);
  }
  return *i;
}

bool directory::with_present(std::string_view key,
                             function_ref<void(const caf::actor&)> f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  auto i = s.keys.find(wanted);
  if (i == s.keys.end() || !(*i)->supervisor)
    return false;
  rouse(**i);
  f((*i)->supervisor);
  return true;
}

void directory::wake(key_entry& who, caf::message what) {
  auto& s = stripe_of(hashed(who.place.key()));
  bool awoken = false;
  {
    std::lock_guard lock{s.guard};
    if (who.gone)
      return;
    awoken = rouse(who);
    if (awoken && s.closed) { // it was asleep when all were told
      who.on_the_way.fetch_add(1, std::memory_order_relaxed);
      cafx::send_anon(who.supervisor, drain{});
    }
    cafx::send_anon(who.supervisor, std::move(what));
  }
  if (awoken)
    put_to_bed(who.shared_from_this());
}

bool directory::tell(key_entry& who, caf::message what) {
  auto& s = stripe_of(hashed(who.place.key()));
  std::lock_guard lock{s.guard};
  if (!who.supervisor)
    return false;
  rouse(who);
  cafx::send_anon(who.supervisor, std::move(what));
  return true;
}

// Under the lock: counts a message, before it is sent, as whoever handles it
// counts down. Whether there was no supervisor.
bool directory::rouse(key_entry& who) {
  who.on_the_way.fetch_add(1, std::memory_order_relaxed);
  if (who.supervisor)
    return false;
  who.supervisor = spawn_(who.shared_from_this(), who.attended);
  return true;
}

// The one that has been awake longest may sleep for the one that just woke.
void directory::put_to_bed(const entry_ptr& newly_awake) {
  entry_ptr tired;
  {
    std::lock_guard lock{bed_guard_};
    if (awake_.size() < pool_->options.awake_max) {
      awake_.push_back(newly_awake);
    } else if (awake_.empty()) {
      tired = newly_awake;
    } else {
      tired = std::exchange(awake_[next_bed_], newly_awake).lock();
      next_bed_ = (next_bed_ + 1) % awake_.size();
    }
  }
  if (tired != nullptr)
    tell(*tired, caf::make_message(doze{}));
}

// -- the end of supervisors and entries ---------------------------------------

key_home::found directory::while_asleep(key_entry& who,
                                        function_ref<rest()> f) {
  auto& s = stripe_of(hashed(who.place.key()));
  {
    std::lock_guard lock{s.guard};
    if (who.gone)
      return found::gone;
    if (who.supervisor || who.attended)
      return found::busy;
    if (f() == rest::stays)
      return found::asleep;
    erase(s, who);
  }
  one_less();
  return found::asleep;
}

std::shared_ptr<key_entry> directory::attend(std::string_view key) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  if (s.closed)
    return nullptr;
  const auto& who = find_or_make(s, wanted);
  if (who->supervisor || who->attended)
    return nullptr;
  who->attended = true;
  return who;
}

void directory::attended(key_entry& who) {
  auto& s = stripe_of(hashed(who.place.key()));
  std::lock_guard lock{s.guard};
  who.attended = false;
  if (who.supervisor)
    cafx::send_anon(who.supervisor, begin{});
}

bool directory::sleep(key_entry& who) {
  auto& s = stripe_of(hashed(who.place.key()));
  std::lock_guard lock{s.guard};
  if (who.on_the_way.load(std::memory_order_relaxed) > 0
      && !STEWARD_PLANTED(sleeps_with_mail))
    return false;
  who.supervisor = {};
  return true;
}

bool directory::leave(key_entry& who) {
  auto& s = stripe_of(hashed(who.place.key()));
  {
    std::lock_guard lock{s.guard};
    if (who.on_the_way.load(std::memory_order_relaxed) > 0
        && !STEWARD_PLANTED(leaves_with_mail))
      return false;
    erase(s, who);
  }
  one_less();
  return true;
}

void directory::ended(key_entry& who) {
  auto& s = stripe_of(hashed(who.place.key()));
  {
    std::lock_guard lock{s.guard};
    if (!erase(s, who))
      return;
  }
  one_less();
}

// Under the lock. Whether it was there.
bool directory::erase(stripe& s, key_entry& who) {
  who.supervisor = {};
  if (std::exchange(who.gone, true))
    return false;
  return s.keys.erase(who.shared_from_this()) > 0;
}

void directory::one_less() {
  // Counted under the lock: who waits for 0 may delete the directory then.
  std::lock_guard lock{empty_guard_};
  if (size_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    empty_.notify_all();
}

void directory::close() {
  closed_.store(true, std::memory_order_relaxed);
  for (auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    s.closed = true;
  }
}

std::vector<std::shared_ptr<key_entry>>
directory::tell_all(const caf::message& what) {
  std::vector<entry_ptr> asleep;
  for (auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    for (const auto& who : s.keys) {
      if (!who->supervisor) {
        asleep.push_back(who);
        continue;
      }
      rouse(*who);
      cafx::send_anon(who->supervisor, what);
    }
  }
  return asleep;
}

bool directory::wait_empty(std::chrono::nanoseconds patience) {
  std::unique_lock lock{empty_guard_};
  if (size() == 0 || patience <= patience.zero())
    return size() == 0;
  return empty_.wait_for(lock, patience, [this] { return size() == 0; });
}

} // namespace steward
