#pragma once

#include <steward/tests/stepper/object.hpp>

#include <chrono>
#include <cstdint>

namespace stepper {

/// Like `std::mutex`.
class mutex : public object {
public:
  mutex() = default;

  void lock() {
    step(taking{*this});
    touch(true);
    acquire();
    note(held_, true);
    held_ = true;
  }

  void unlock() {
    step(operation{"unlock", this});
    touch(true);
    release();
    note(held_, false);
    held_ = false;
  }

private:
  friend class condition_variable;

  class taking final : public operation {
  public:
    explicit taking(const mutex& what) : operation("lock", &what), what_(what) {
    }

    bool ready() const override {
      return !what_.held_;
    }

    bool may_wait() const override {
      return true;
    }

  private:
    const mutex& what_;
  };

  bool held_ = false;
};

/// Like `std::condition_variable`, but that no time passes: who waits for a
/// notification that never comes waits for ever.
class condition_variable : public object {
public:
  void notify_all() {
    step(operation{"notify_all", this});
    touch(true);
    ++notified_;
  }

  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, std::chrono::duration<Rep, Period>,
                Predicate pred) {
    while (!pred()) {
      lock.unlock();
      auto seen = notified_; // in the step of the unlock: nobody comes between
      touch(false);
      step(waking{*this, seen});
      touch(false);
      lock.lock();
    }
    return true;
  }

private:
  class waking final : public operation {
  public:
    waking(const condition_variable& what, std::uint64_t seen)
      : operation("wait", &what), what_(what), seen_(seen) {
    }

    bool ready() const override {
      return what_.notified_ != seen_;
    }

    bool may_wait() const override {
      return true;
    }

  private:
    const condition_variable& what_;
    std::uint64_t seen_;
  };

  std::uint64_t notified_ = 0;
};

} // namespace stepper
