#include <steward/runtime/pool_core.hpp>

#include <steward/actors/attending.hpp>
#include <steward/actors/caretaker.hpp>
#include <steward/actors/front.hpp>
#include <steward/actors/supervisor.hpp>
#include <steward/messages/drain.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace steward {

namespace {

// The supervisor answers at the deadline, and says how things stood. Only if it
// cannot run does the caller go without.
constexpr std::chrono::milliseconds answer_grace{100};

// The end of a request of a plain thread. Dropped with the answer in it if nobody
// waits any more: then the hold gives itself back.
class answer {
public:
  using result = std::optional<caf::expected<hold>>; // none: nobody answers

  void tell(result x) noexcept {
    what_ = std::move(x);
    bool sleeps;
    {
      std::lock_guard lock{guard_};
      told_.store(true, std::memory_order_release);
      sleeps = sleeps_;
    }
    if (sleeps)
      come_.notify_one();
  }

  bool wait(std::chrono::nanoseconds patience) {
    auto told = [this] { return told_.load(std::memory_order_acquire); };
    if (patience <= patience.zero()) // as a simulation asks, again and again
      return told();
    // To be woken costs more than to let others go first some times. With less
    // or much more of it, 64 threads on 2 cores do half of the hand-overs.
    constexpr int yields_max = 6;
    for (int i = 0; i < yields_max; ++i) {
      if (told())
        return true;
      std::this_thread::yield();
    }
    std::unique_lock lock{guard_};
    sleeps_ = true;
    return come_.wait_for(lock, patience, told);
  }

  /// @pre `wait` said so
  result take() {
    return std::move(what_);
  }

private:
  std::mutex guard_;
  std::condition_variable come_;
  result what_;
  bool sleeps_ = false;
  std::atomic<bool> told_{false};
};

class waiting_thread final : public request_sink {
public:
  explicit waiting_thread(std::shared_ptr<answer> to) : to_(std::move(to)) {
  }

  waiting_thread(const waiting_thread&) = delete;
  waiting_thread& operator=(const waiting_thread&) = delete;

  ~waiting_thread() override {
    if (!told_)
      tell(std::nullopt);
  }

  void granted(hold what) noexcept override {
    tell(caf::expected<hold>{std::move(what)});
  }

  void failed(const caf::error& why) noexcept override {
    tell(caf::expected<hold>{why});
  }

private:
  void tell(answer::result x) noexcept {
    told_ = true;
    to_->tell(std::move(x));
  }

  std::shared_ptr<answer> to_;
  bool told_ = false;
};

} // namespace

pool_core::pool_core(caf::actor_system& sys,
                     std::shared_ptr<pool_context> context,
                     std::shared_ptr<waiting> waits)
  : context_(std::move(context)),
    directory_(std::make_shared<directory>(
      context_,
      [&sys](std::shared_ptr<key_entry> entry, bool gated) {
        return sys.spawn<caf::lazy_init>(supervisor, std::move(entry), gated);
      })),
    waits_(std::move(waits)) {
  context_->home = directory_;
  context_->caretaker = sys.spawn(caretaker_actor, context_);
  front_ = sys.spawn(front_actor, context_, directory_);
  context_->front = front_;
}

pool_core::~pool_core() = default;

caf::expected<hold> pool_core::wait_for(std::string_view key,
                                        const acquire_options& options) {
  if (!valid_key(key))
    return key_error();
  std::shared_ptr<answer> end;
  auto sink = [&] {
    end = std::make_shared<answer>();
    return std::make_shared<waiting_thread>(end);
  };
  auto deadline = deadline_of(options);
  if (!directory_->join(key, options.params, deadline, sink)) {
    if (auto done = try_attend(key, options.params))
      return std::move(*done);
    if (!send_to_supervisor(key, caf::make_message(acquire_into{
                                   options.params, deadline, sink()})))
      return draining_error();
  }
  auto come = [&](std::chrono::nanoseconds d) { return end->wait(d); };
  auto patience = deadline - context_->time->now() + answer_grace;
  if (!waits_->wait(come, patience))
    return make_error(errc::deadline_exceeded,
                      "key \"" + std::string{key}
                        + "\": nobody answered before the deadline");
  auto result = end->take();
  if (!result)
    return draining_error();
  return std::move(*result);
}

// By a thread, which does the supervisor's work itself if it may.
bool pool_core::send_to_supervisor(std::string_view key, caf::message what) {
  if (context_->lends_to == nullptr)
    return directory_->with_supervisor(key, [&](const caf::actor& to) {
      cafx::send_anon(to, std::move(what));
    });
  cafx::lent_thread me{*context_->lends_to};
  auto result = directory_->with_supervisor(key, [&](const caf::actor& to) {
    me.send(to, std::move(what));
  });
  me.run();
  return result;
}

std::optional<caf::expected<hold>>
pool_core::try_attend(std::string_view key, std::string_view params) {
  if (context_->opener->blocks() || !valid_key(key))
    return std::nullopt;
  return attend_acquire(*directory_, key, params);
}

void pool_core::evict(std::string_view key) {
  if (valid_key(key))
    directory_->with_supervisor(key, [](const caf::actor& to) {
      cafx::send_anon(to, evict_key{});
    });
}

caf::actor pool_core::front() const {
  std::lock_guard lock{front_guard_};
  return front_;
}

pool_stats pool_core::stats() const noexcept {
  auto result = context_->counters.read();
  result.keys = directory_->size();
  return result;
}

time_point pool_core::deadline_of(const acquire_options& options) const {
  auto within = options.deadline > duration::zero()
                  ? std::min<duration>(options.deadline, std::chrono::hours{24})
                  : context_->options.open_timeout;
  return later(context_->time->now(), within);
}

caf::error pool_core::key_error() const {
  return make_error(errc::invalid_key, "a key has 1 to 256 bytes");
}

caf::error pool_core::draining_error() const {
  return make_error(errc::draining,
                    "pool \"" + context_->options.name + "\" is shutting down");
}

// -- the end ------------------------------------------------------------------

void pool_core::start_drain() {
  directory_->close();
  for (const auto& key : directory_->tell_all(caf::make_message(drain{})))
    attend_drain(key);
}

void pool_core::force_drain() {
  // What sleeps has nothing to force: it is closing.
  directory_->tell_all(caf::make_message(drain_by_force{}));
}

void pool_core::abandon_all() {
  for (const auto& key : directory_->tell_all(caf::make_message(abandon{})))
    directory_->ended(*key);
}

void pool_core::end() {
  if (context_->budget)
    context_->budget->stop();
  cafx::send_anon(context_->caretaker, stop_caretaker{});
  std::lock_guard lock{front_guard_};
  cafx::send_anon(front_, stop_front{});
  front_ = {};
}

} // namespace steward
