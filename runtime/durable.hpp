#pragma once

#include <steward/core/opener.hpp>
#include <steward/runtime/record_guard.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace steward {

/// A resource of which the database knows, too. Used like a pointer to a `T`.
template <class T>
struct durable {
  T value;
  std::string record; ///< its name there

  T& operator*() noexcept {
    return value;
  }

  T* operator->() noexcept {
    return &value;
  }
};

/// What a durable opener writes down of what it does, so that somebody else can
/// take it back. Durable when `write` returns. One thread.
class journal {
public:
  journal(record_guard& guard, record row)
    : guard_(guard), row_(std::move(row)) {
  }

  /// Replaces what was written before. Throws `records_unwritable`.
  void write(std::string text) {
    guard_.set_journal(row_, std::move(text));
  }

  const std::string& name() const noexcept {
    return row_.name;
  }

private:
  record_guard& guard_;
  record row_;
};

/// Makes an opener whose resources outlive no crash: each has a record before
/// it is opened, closed when it is. `User` has
///   `open(const open_request&, journal&) -> T`; may throw;
///   `reclaim(const record&)`, which takes back what a dead process opened, by
///     its journal; also where nothing was opened, or it is gone; may throw; in
///     any thread, beside the others;
///   optionally `close(T&, close_reason)` or `close(T&)`, and `check(T&)`.
/// `runtime::make_durable_pool` does all of it; who makes a pool of
/// `durable<T>` with a guard of his own calls `reclaim` before its first use.
template <class T, class User>
class durable_opener {
public:
  durable_opener(std::string pool, std::weak_ptr<record_guard> guard, User user)
    : pool_(std::move(pool)), guard_(std::move(guard)),
      user_(std::make_shared<User>(std::move(user))) {
  }

  durable<T> open(const open_request& what) {
    auto guard = guard_.lock();
    if (!guard)
      throw records_unwritable{"the guard of the records is gone"};
    auto name = pool_ + "/" + guard->owner() + "/"
                + std::to_string(guard->incarnation()) + "/"
                + std::to_string(what.id) + "/" + std::string{what.key};
    record_request wanted{name, pool_, std::string{what.key},
                          std::string{what.params}};
    // Before anything is there: a crash in between leaves a record too much,
    // never a resource too much.
    journal notes{*guard, guard->open(std::move(wanted))};
    try {
      return {user_->open(what, notes), name};
    } catch (...) {
      guard->close(name, close_reason::unhealthy);
      throw;
    }
  }

  void close(durable<T>& x, close_reason why) {
    if constexpr (requires { user_->close(x.value, why); })
      user_->close(x.value, why);
    else if constexpr (requires { user_->close(x.value); })
      user_->close(x.value);
    if (auto guard = guard_.lock())
      guard->close(x.record, why);
  }

  bool check(durable<T>& x) {
    if constexpr (requires { user_->check(x.value); })
      return user_->check(x.value);
    else
      return true;
  }

  /// Takes back what dead processes left open in this pool.
  reclaim_report reclaim() {
    auto guard = guard_.lock();
    if (!guard)
      throw records_unwritable{"the guard of the records is gone"};
    return guard->reclaim(pool_,
                          [this](const record& x) { user_->reclaim(x); });
  }

  /// One attempt after the other to take back what that left. In any thread,
  /// beside all that the opener does, and after it is gone.
  std::function<reclaim_report(const reclaim_report& before)> later() const {
    return [pool = pool_, guard_ = guard_, user = user_](auto& before) {
      auto guard = guard_.lock();
      return guard
               ? guard->reclaim_left(before, pool,
                                     [&](const record& x) { user->reclaim(x); })
               : reclaim_report{};
    };
  }

private:
  std::string pool_;
  std::weak_ptr<record_guard> guard_;
  std::shared_ptr<User> user_;
};

} // namespace steward
