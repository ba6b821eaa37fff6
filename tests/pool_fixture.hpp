#pragma once

// What the tests of pools share: a runtime to try things on, and an opener that
// keeps the truth. The pool is never asked whether the pool is right.

#include <boost/test/unit_test.hpp>

#include <steward/messages/errors.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/testkit/gather.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pool_test {

using namespace steward;
using namespace std::chrono_literals;

/// Nothing here takes that long; what does hangs.
inline constexpr auto patience = 20s;

/// What must never be exceeded, as the test knows it.
struct limits {
  std::size_t per_key_max = unlimited;
  std::size_t total_max = unlimited;
  std::size_t holders_max = 1;
};

/// What really happened to resources, written by the opener and by who uses
/// them. Any thread; mistakes are collected, as Boost.Test has one thread.
class truth {
public:
  explicit truth(limits most = {}) : most_(most) {
  }

  void opening(const std::string& key) {
    std::lock_guard lock{guard_};
    ++opens_[key];
    auto of_key = ++live_[key];
    auto of_all = ++total_;
    peak_ = std::max(peak_, of_all);
    key_peak_ = std::max(key_peak_, of_key);
    if (of_key > most_.per_key_max) // I1
      note("key " + key + " has " + std::to_string(of_key));
    if (of_all > most_.total_max) // I2
      note("in all " + std::to_string(of_all));
  }

  void opened() {
    std::lock_guard lock{guard_};
    ++opened_;
  }

  void gone(const std::string& key) {
    std::lock_guard lock{guard_};
    --live_[key];
    --total_;
  }

  void closed(std::uint64_t id, close_reason why) {
    std::lock_guard lock{guard_};
    closed_.emplace_back(id, why);
  }

  void wrong(std::string what) {
    std::lock_guard lock{guard_};
    note(std::move(what));
  }

  // -- what a test asks -------------------------------------------------------

  std::size_t live() const { // opening, open and closing
    std::lock_guard lock{guard_};
    return total_;
  }

  std::size_t peak() const {
    std::lock_guard lock{guard_};
    return peak_;
  }

  std::size_t key_peak() const {
    std::lock_guard lock{guard_};
    return key_peak_;
  }

  std::size_t opened_count() const {
    std::lock_guard lock{guard_};
    return opened_;
  }

  std::size_t opens_of(const std::string& key) const { // failed ones too
    std::lock_guard lock{guard_};
    auto i = opens_.find(key);
    return i == opens_.end() ? 0 : i->second;
  }

  std::size_t closed_count() const {
    std::lock_guard lock{guard_};
    return closed_.size();
  }

  std::size_t closed_count(close_reason why) const {
    std::lock_guard lock{guard_};
    return static_cast<std::size_t>(
      std::count_if(closed_.begin(), closed_.end(),
                    [why](const auto& x) { return x.second == why; }));
  }

  /// The ids of what was closed, in that order.
  std::vector<std::uint64_t> closed_ids() const {
    std::lock_guard lock{guard_};
    std::vector<std::uint64_t> result;
    for (const auto& [id, why] : closed_)
      result.push_back(id);
    return result;
  }

  std::string mistakes() const {
    std::lock_guard lock{guard_};
    return mistakes_;
  }

  /// Whether so many come to be closed before the patience ends.
  bool waits_for_closed(std::size_t n) const {
    return waits_until([&] { return closed_count() >= n; });
  }

  template <class Predicate>
  static bool waits_until(Predicate pred) {
    auto until = std::chrono::steady_clock::now() + patience;
    while (!pred()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::yield();
    }
    return true;
  }

  const limits most_;

private:
  void note(std::string what) { // the first few say enough
    if (mistakes_.size() < 500)
      mistakes_ += what + "\n";
  }

  mutable std::mutex guard_;
  std::map<std::string, std::size_t> live_;
  std::map<std::string, std::size_t> opens_;
  std::vector<std::pair<std::uint64_t, close_reason>> closed_;
  std::size_t total_ = 0;
  std::size_t peak_ = 0;
  std::size_t key_peak_ = 0;
  std::size_t opened_ = 0;
  std::string mistakes_;
};

/// What the test pools lend.
struct thing {
  std::shared_ptr<truth> book;
  std::string key;
  std::string params;
  std::uint64_t id = 0;
  std::atomic<std::size_t> users{0};
  std::atomic<bool> closed{false};
  std::atomic<bool> healthy{true};

  thing(std::shared_ptr<truth> b, const open_request& what)
    : book(std::move(b)), key(what.key), params(what.params), id(what.id) {
  }
};

/// Uses a thing as long as it lives. @pre the lease lives longer.
class using_it {
public:
  explicit using_it(thing& what) : what_(what) {
    if (what_.users.fetch_add(1) + 1 > what_.book->most_.holders_max)
      what_.book->wrong("too many use " + std::to_string(what_.id));
    if (what_.closed) // I3
      what_.book->wrong("use of closed " + std::to_string(what_.id));
  }

  using_it(const using_it&) = delete;
  using_it& operator=(const using_it&) = delete;

  ~using_it() {
    if (what_.closed) // I4
      what_.book->wrong("closed in use " + std::to_string(what_.id));
    --what_.users;
  }

private:
  thing& what_;
};

/// Opens things. What the test adds runs in the middle of it, and may throw.
struct thing_opener {
  std::shared_ptr<truth> book;
  std::function<void(const open_request&)> on_open = {};
  std::function<void(thing&, close_reason)> on_close = {};

  std::unique_ptr<thing> open(const open_request& what) {
    std::string key{what.key};
    book->opening(key);
    try {
      if (on_open)
        on_open(what);
    } catch (...) {
      book->gone(key);
      throw;
    }
    book->opened();
    return std::make_unique<thing>(book, what);
  }

  void close(thing& x, close_reason why) {
    if (x.closed.exchange(true)) // I3
      book->wrong("second close of " + std::to_string(x.id));
    if (x.users > 0 && !may_revoke) // I4
      book->wrong("close in use of " + std::to_string(x.id));
    if (on_close)
      on_close(x, why);
    book->closed(x.id, why);
    book->gone(x.key);
  }

  bool may_revoke = false;
};

/// The same, run by the supervisor itself.
struct inline_opener : thing_opener {
  static constexpr bool blocks = false;
};

/// The same, asked on each return.
struct checking_opener : inline_opener {
  bool check(thing& x) {
    return x.healthy;
  }
};

/// A runtime to try things on; its time stands still unless told otherwise.
struct world {
  static constexpr time_point start{duration{1'000'000s}};

  struct options {
    std::size_t threads = 2; ///< of CAF's scheduler
    std::size_t workers = 4;
    bool real_time = false;
    duration drain_timeout = 10s;
    duration close_timeout = 5s;
  };

  world() : world(options{}) {
  }

  explicit world(options o)
    : time(o.real_time ? nullptr : std::make_shared<manual_timepiece>(start)) {
    cafx::set_threads(cfg, o.threads);
    sys.emplace(cfg);
    rt = std::make_unique<runtime>(*sys, runtime_options{
                                           .workers = o.workers,
                                           .drain_timeout = o.drain_timeout,
                                           .close_timeout = o.close_timeout,
                                           .time = time,
                                         });
  }

  pool<thing> make(pool_options o, thing_opener opener) {
    return rt->make_pool<thing>(named(std::move(o)), std::move(opener));
  }

  pool<thing> make_inline(pool_options o, std::shared_ptr<truth> book) {
    return rt->make_pool<thing>(named(std::move(o)),
                                inline_opener{{std::move(book)}});
  }

  /// Moves a manual time on.
  void pass(duration d) {
    rt->advance(time->now() + d);
  }

  static pool_options named(pool_options o) {
    // The same tests once more with supervisors that sleep when they can.
    if (const auto* text = std::getenv("STEWARD_TEST_AWAKE_MAX"))
      o.awake_max = std::stoul(text);
    if (o.name.empty())
      o.name = "things";
    return o;
  }

  struct tuned : config {};

  tuned cfg;
  std::shared_ptr<manual_timepiece> time;
  std::optional<caf::actor_system> sys;
  std::unique_ptr<runtime> rt;
};

inline std::optional<errc> code(const caf::error& e) {
  return code_of(e);
}

/// What a request was refused with; nothing if it was not.
template <class T>
std::optional<errc> code(const caf::expected<T>& x) {
  return x ? std::nullopt : code_of(x.error());
}

/// The value of `x`, or the end of the test with what went wrong.
template <class T>
T need(caf::expected<T> x) {
  BOOST_REQUIRE_MESSAGE(x, (x ? std::string{} : describe(x.error())));
  return std::move(*x);
}

/// The value that `x` comes to have.
template <class T>
T need(std::future<T> x) {
  BOOST_REQUIRE(x.wait_for(patience) == std::future_status::ready);
  return x.get();
}

/// Runs `f` in a thread of its own. The test waits with `need`.
template <class F>
auto in_thread(F f) {
  return std::async(std::launch::async, std::move(f));
}

/// Whoever comes waits until it is opened; not for ever.
class gate {
public:
  void wait() {
    ++arrived_;
    if (opened_.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("nobody opened the gate");
  }

  void open() {
    if (!is_open_.exchange(true))
      open_.set_value();
  }

  /// How many came so far.
  std::size_t arrived() const {
    return arrived_;
  }

  bool waits_for(std::size_t n) const {
    return truth::waits_until([&] { return arrived() >= n; });
  }

private:
  std::atomic<std::size_t> arrived_{0};
  std::atomic<bool> is_open_{false};
  std::promise<void> open_;
  std::shared_future<void> opened_{open_.get_future()};
};

} // namespace pool_test

namespace std {

// For Boost.Test.
inline std::ostream& operator<<(std::ostream& out,
                                const std::optional<steward::errc>& x) {
  return out << (x ? steward::to_string(*x) : std::string_view{"granted"});
}

} // namespace std
