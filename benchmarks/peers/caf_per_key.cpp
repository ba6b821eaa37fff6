#include <steward/benchmarks/peers/caf_per_key.hpp>

#include <algorithm>
#include <ctime>
#include <deque>
#include <optional>
#include <vector>

namespace steward::bench {

/// The state of the actor of a key.
class caf_per_key::key_actor {
public:
  key_actor(caf::event_based_actor* self, shared& all)
    : self_(self), all_(all) {
  }

  static caf::behavior body(caf::event_based_actor* self, shared* all) {
    cafx::drop_unknown(self);
    auto own = std::make_shared<key_actor>(self, *all);
    return {
      [own](const per_key_borrow& x) -> caf::result<per_key_grant> {
        if (auto slot = own->take(x.params))
          return per_key_grant{*slot};
        auto promise = own->self_->make_response_promise<per_key_grant>();
        own->waiting_.push_back({x.params, nullptr, promise});
        return promise;
      },
      [own](const per_key_return& x) { own->give_back(x.slot); },
      [own](const per_key_ask& x) {
        if (auto slot = own->take(x.params))
          wake(*x.reply, *slot);
        else
          own->waiting_.push_back({x.params, x.reply, {}});
      },
      [own](const per_key_retire&) {
        own->retiring_ = true;
        own->close_idle();
      },
    };
  }

private:
  struct slot {
    std::uint64_t id;
    std::string params;
    std::uint64_t last_use;
    bool idle;
  };

  struct waiter {
    std::string params;
    per_key_reply* reply;
    caf::typed_response_promise<per_key_grant> promise;
  };

  static void wake(per_key_reply& reply, std::uint64_t slot) {
    reply.slot = slot;
    reply.done.store(1, std::memory_order_release);
    reply.done.notify_one();
  }

  std::optional<std::uint64_t> take(const std::string& params) {
    slot* oldest = nullptr;
    for (auto& x : slots_) {
      if (x.idle && x.params == params) {
        x.idle = false;
        return x.id;
      }
      if (x.idle && (oldest == nullptr || x.last_use < oldest->last_use))
        oldest = &x;
    }
    if (slots_.size() < all_.per_key) {
      all_.opened.fetch_add(1, std::memory_order_relaxed);
      all_.open.fetch_add(1, std::memory_order_relaxed);
      slots_.push_back({++ids_, params, 0, false});
      return ids_;
    }
    if (oldest == nullptr)
      return std::nullopt;
    all_.opened.fetch_add(1, std::memory_order_relaxed);
    *oldest = {++ids_, params, 0, false};
    return ids_;
  }

  void give_back(std::uint64_t id) {
    for (auto& x : slots_)
      if (x.id == id) {
        x.idle = true;
        x.last_use = ++uses_;
      }
    if (!waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      auto granted = take(next.params);
      if (next.reply != nullptr)
        wake(*next.reply, *granted);
      else
        next.promise.deliver(per_key_grant{*granted});
    } else if (retiring_) {
      close_idle();
    }
  }

  void close_idle() {
    auto gone = std::erase_if(slots_, [](const slot& x) { return x.idle; });
    all_.open.fetch_sub(gone, std::memory_order_relaxed);
    if (slots_.empty())
      self_->quit();
  }

  caf::event_based_actor* self_;
  shared& all_;
  std::vector<slot> slots_;
  std::deque<waiter> waiting_;
  std::uint64_t ids_ = 0;
  std::uint64_t uses_ = 0;
  bool retiring_ = false;
};

caf_per_key::caf_per_key(const limits& x) : limits_(x) {
  shared_.per_key = x.per_key;
}

caf_per_key::~caf_per_key() {
  for (std::size_t i = 0; i < stripe_count; ++i)
    while (!stripes_[i].keys.empty())
      retire_first(stripes_[i]);
}

std::int64_t caf_per_key::now() const noexcept {
  if (limits_.manual_time)
    return manual_now_.load(std::memory_order_relaxed);
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

std::uint64_t caf_per_key::opened() const noexcept {
  return shared_.opened.load(std::memory_order_relaxed);
}

std::uint64_t caf_per_key::open() const noexcept {
  return shared_.open.load(std::memory_order_relaxed);
}

const caf::actor& caf_per_key::actor_of(stripe& in, std::string_view key) {
  auto at = in.keys.find(key);
  if (at == in.keys.end()) {
    if (limits_.total && open() >= *limits_.total && !in.by_use.empty())
      retire_first(in);
    at = in.keys.try_emplace(std::string{key}).first;
    auto& x = at->second;
    x.actor = system_.spawn<caf::lazy_init>(key_actor::body, &shared_);
    x.place = in.by_use.insert(in.by_use.end(), &at->first);
  } else {
    in.by_use.splice(in.by_use.end(), in.by_use, at->second.place);
  }
  at->second.used = now();
  return at->second.actor;
}

// Nobody finds it any more, and all that was sent to it comes before this.
void caf_per_key::retire_first(stripe& in) {
  auto at = in.keys.find(*in.by_use.front());
  cafx::send_anon(at->second.actor, per_key_retire{});
  in.by_use.pop_front();
  in.keys.erase(at);
}

caf_per_key::lease caf_per_key::borrow(std::string_view key,
                                       std::string_view params) {
  // Outlives the wait: whoever wakes us touches it last.
  thread_local per_key_reply reply;
  reply.done.store(0, std::memory_order_relaxed);
  caf::actor asked;
  with_actor(key, [&](const caf::actor& to) {
    asked = to;
    cafx::send_anon(to, per_key_ask{std::string{params}, &reply});
  });
  reply.done.wait(0, std::memory_order_acquire);
  return {std::move(asked), reply.slot};
}

void caf_per_key::pass(std::chrono::seconds d) {
  manual_now_ += std::chrono::nanoseconds{d}.count();
  auto due = manual_now_.load()
             - std::chrono::nanoseconds{limits_.idle_timeout}.count();
  // So many in one go, that nobody waits long for the lock.
  constexpr int batch = 512;
  for (std::size_t i = 0; i < stripe_count; ++i) {
    auto& in = stripes_[i];
    for (auto more = true; more;) {
      std::lock_guard lock{in.guard};
      for (int n = 0; n < batch && more; ++n) {
        more = !in.by_use.empty()
               && in.keys.find(*in.by_use.front())->second.used <= due;
        if (more)
          retire_first(in);
      }
    }
  }
}

} // namespace steward::bench
