#pragma once

#include <steward/tests/stepper/object.hpp>

#include <deque>
#include <optional>
#include <utility>

namespace stepper {

/// From many threads to one: what it is sent, in order.
template <class T>
class mailbox : public object {
public:
  void put(T x) {
    step(operation{"send", this});
    touch(true);
    release();
    mail_.push_back(std::move(x));
  }

  /// Waits for the next.
  T take() {
    return *receive(false);
  }

  /// Waits for the next as long as there is anybody who could send it: nothing
  /// comes when every thread has ended, or waits like this one.
  std::optional<T> take_or_rest() {
    return receive(true);
  }

  /// Not a step.
  bool empty() const {
    touch(false);
    return mail_.empty();
  }

private:
  class taking final : public operation {
  public:
    taking(const mailbox& what, bool may_rest)
      : operation("take", &what), what_(what), may_rest_(may_rest) {
    }

    bool ready() const override {
      return !what_.mail_.empty();
    }

    bool may_wait() const override {
      return true;
    }

    bool may_rest() const override {
      return may_rest_;
    }

  private:
    const mailbox& what_;
    bool may_rest_;
  };

  std::optional<T> receive(bool may_rest) {
    step(taking{*this, may_rest});
    touch(true);
    acquire();
    if (mail_.empty())
      return std::nullopt;
    std::optional<T> result{std::move(mail_.front())};
    mail_.pop_front();
    return result;
  }

  std::deque<T> mail_;
};

} // namespace stepper
