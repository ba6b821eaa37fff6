#include <steward/runtime/directory.hpp>

#include <steward/core/planted.hpp>
#include <steward/messages/drain.hpp>

#include <string>
#include <utility>

namespace steward {

directory::directory(std::shared_ptr<pool_context> pool, spawn_function spawn,
                     std::size_t garbage_max)
  : pool_(std::move(pool)), spawn_(std::move(spawn)), retired_(garbage_max) {
}

directory::~directory() {
  for (auto& s : stripes_)
    s.keys.for_each([](key_entry& who) { who.found_here.reset(); });
}

directory::stripe& directory::stripe_of(const hashed_key& key) noexcept {
  return stripes_[(key.hash >> 48) % stripe_count]; // tables take the low bits
}

key_entry* directory::find(const stripe& in, const hashed_key& key) noexcept {
  return in.keys.find(key.hash, [&](const key_entry& x) {
    return x.place.key() == key.text;
  });
}

hold directory::borrow(std::string_view key, std::string_view params) noexcept {
  auto tag = tag_of(params);
  auto wanted = hashed(key);
  shelf::found seen;
  {
    // Keeps the shelf from going away before there is a hold on it.
    epochs::reading here{retired_};
    auto* who = find(stripe_of(wanted), wanted);
    if (who == nullptr)
      return {};
    seen = who->place.find(params, tag);
  }
  if (seen.mistaken != nullptr) // may send
    seen.mistaken->home().put_back(*seen.mistaken);
  return hold{seen.place};
}

bool directory::join(std::string_view key, std::string_view params,
                     time_point deadline, function_ref<relay::sink()> make) {
  auto wanted = hashed(key);
  epochs::reading here{retired_};
  auto* who = find(stripe_of(wanted), wanted);
  auto* line = who == nullptr ? nullptr : who->line();
  return line != nullptr && line->join(params, deadline, make);
}

// -- messages to supervisors --------------------------------------------------

bool directory::with_supervisor(std::string_view key,
                                function_ref<void(const caf::actor&)> f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  entry_ptr awoken;
  {
    std::lock_guard lock{s.guard};
    if (closed())
      return false;
    auto& who = find_or_make(s, wanted);
    if (rouse(who))
      awoken = who.shared_from_this();
    f(who.supervisor);
  }
  if (awoken != nullptr)
    put_to_bed(awoken);
  return true;
}

// Under the lock.
key_entry& directory::find_or_make(stripe& in, const hashed_key& key) {
  auto* known = find(in, key);
  if (STEWARD_PLANTED(two_supervisors) && known != nullptr
      && known->on_the_way > 0) {
    in.keys.erase(key.hash, *known, retired_);
    known = nullptr;
  }
  if (known != nullptr)
    return *known;
  auto fresh = std::make_shared<key_entry>(std::string{key.text}, pool_);
  in.keys.insert(key.hash, *fresh, retired_);
  size_.fetch_add(1, std::memory_order_relaxed);
  auto& result = *fresh;
  result.found_here = std::move(fresh);
  return result;
}

bool directory::with_present(std::string_view key,
                             function_ref<void(const caf::actor&)> f) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  auto* who = find(s, wanted);
  if (who == nullptr || !who->supervisor)
    return false;
  rouse(*who);
  f(who->supervisor);
  return true;
}

void directory::wake(key_entry& who, caf::message what, cafx::lent_thread* by) {
  auto& s = stripe_of(who);
  entry_ptr awoken;
  {
    std::lock_guard lock{s.guard};
    if (who.gone())
      return;
    if (rouse(who))
      awoken = who.shared_from_this();
    if (by != nullptr)
      by->send(who.supervisor, std::move(what));
    else
      cafx::send_anon(who.supervisor, std::move(what));
    // `who` may go after this.
  }
  if (awoken != nullptr)
    put_to_bed(awoken);
}

bool directory::tell(key_entry& who, caf::message what) {
  auto& s = stripe_of(who);
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

// Calls `f` under the lock; the entry that it takes out is freed after it. What
// is not taken out by this call often is by the next.
template <class F>
void directory::take_out(key_entry& who, F f) {
  auto key = hashed(who.place.key());
  auto& s = stripe_of(key);
  entry_ptr left;
  {
    std::lock_guard lock{s.guard};
    s.keys.prepare_erase(key.hash);
    left = f(s);
  }
  one_less(std::move(left));
}

key_home::found directory::while_asleep(key_entry& who,
                                        function_ref<rest()> f) {
  auto result = found::asleep;
  take_out(who, [&](stripe& s) -> entry_ptr {
    if (who.gone())
      result = found::gone;
    else if (who.supervisor || who.attended)
      result = found::busy;
    else if (f() == rest::leaves)
      return erase(s, who);
    return nullptr;
  });
  return result;
}

std::shared_ptr<key_entry> directory::attend(std::string_view key) {
  auto wanted = hashed(key);
  auto& s = stripe_of(wanted);
  std::lock_guard lock{s.guard};
  if (closed())
    return nullptr;
  auto& who = find_or_make(s, wanted);
  if (who.supervisor || who.attended)
    return nullptr;
  who.attended = true;
  return who.shared_from_this();
}

void directory::attended(key_entry& who) {
  take_out(who, [&](stripe& s) -> entry_ptr {
    who.attended = false;
    if (who.supervisor)
      cafx::send_anon(who.supervisor, begin{});
    else if (who.place.live() == 0)
      return erase(s, who);
    return nullptr;
  });
}

bool directory::sleep(key_entry& who) {
  auto& s = stripe_of(who);
  std::lock_guard lock{s.guard};
  if (who.on_the_way.load(std::memory_order_relaxed) > 0
      && !STEWARD_PLANTED(sleeps_with_mail))
    return false;
  who.supervisor = {};
  return true;
}

bool directory::leave(key_entry& who) {
  bool result = true;
  take_out(who, [&](stripe& s) -> entry_ptr {
    result = who.on_the_way.load(std::memory_order_relaxed) == 0
             || STEWARD_PLANTED(leaves_with_mail);
    return result ? erase(s, who) : nullptr;
  });
  return result;
}

void directory::ended(key_entry& who) {
  take_out(who, [&](stripe& s) { return erase(s, who); });
}

// Under the lock. Null if it had left before.
std::shared_ptr<key_entry> directory::erase(stripe& from, key_entry& who) {
  who.supervisor = {};
  who.over.store(true, std::memory_order_relaxed);
  auto key = hashed(who.place.key());
  if (!who.gone()
      && (!STEWARD_PLANTED(two_supervisors) || find(from, key) == &who))
    from.keys.erase(key.hash, who, retired_);
  return std::move(who.found_here);
}

void directory::one_less(entry_ptr gone) {
  if (gone == nullptr)
    return;
  retired_.retire(std::move(gone));
  auto seen = size();
  while (seen > 1)
    if (size_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel))
      return;
  // The last one under the lock: who waits for 0 may delete the directory then.
  std::lock_guard lock{empty_guard_};
  if (size_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    empty_.notify_all();
}

// Who takes the lock of a stripe after `tell_all` has had it sees this.
void directory::close() {
  closed_.store(true, std::memory_order_relaxed);
}

std::vector<std::shared_ptr<key_entry>>
directory::tell_all(const caf::message& what) {
  std::vector<entry_ptr> asleep;
  for (auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    s.keys.for_each([&](key_entry& who) {
      if (!who.supervisor) {
        asleep.push_back(who.shared_from_this());
        return;
      }
      rouse(who);
      cafx::send_anon(who.supervisor, what);
    });
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
