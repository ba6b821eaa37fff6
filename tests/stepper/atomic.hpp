#pragma once

#include <steward/tests/stepper/object.hpp>

#include <atomic>
#include <utility>

namespace stepper {

/// Like `std::atomic`, but each operation waits for its turn. All threads see
/// each store at once; whether the memory orders are strong enough is what
/// `plain` finds out.
template <class T>
class atomic : public object {
public:
  atomic() = default;

  atomic(T value) : value_(value) { // NOLINT: like the original
  }

  T load(std::memory_order order = std::memory_order_seq_cst) const {
    step(operation{"load", this});
    return look(order);
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    step(operation{"store", this});
    touch(true);
    forget_released();
    if (releases(order))
      release();
    note(value_, value);
    value_ = value;
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    return change("exchange", order, [value](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T wanted, std::memory_order order,
                               std::memory_order order_if_not) {
    step(operation{"compare_exchange", this});
    return compare_exchange(expected, wanted, order, order_if_not);
  }

  /// May fail where it need not, once in a run.
  bool compare_exchange_weak(T& expected, T wanted, std::memory_order order,
                             std::memory_order order_if_not) {
    if (!step(weak_exchange{*this, expected})) {
      expected = look(order_if_not);
      return false;
    }
    return compare_exchange(expected, wanted, order, order_if_not);
  }

  bool compare_exchange_strong(T& expected, T wanted,
                               std::memory_order order
                               = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, wanted, order, if_not(order));
  }

  bool compare_exchange_weak(T& expected, T wanted,
                             std::memory_order order
                             = std::memory_order_seq_cst) {
    return compare_exchange_weak(expected, wanted, order, if_not(order));
  }

  T fetch_add(T x, std::memory_order order = std::memory_order_seq_cst) {
    return change("fetch_add", order,
                  [x](T v) { return static_cast<T>(v + x); });
  }

  T fetch_sub(T x, std::memory_order order = std::memory_order_seq_cst) {
    return change("fetch_sub", order,
                  [x](T v) { return static_cast<T>(v - x); });
  }

  T fetch_or(T x, std::memory_order order = std::memory_order_seq_cst) {
    return change("fetch_or", order,
                  [x](T v) { return static_cast<T>(v | x); });
  }

  T fetch_and(T x, std::memory_order order = std::memory_order_seq_cst) {
    return change("fetch_and", order,
                  [x](T v) { return static_cast<T>(v & x); });
  }

  T operator++() {
    return static_cast<T>(fetch_add(1) + 1);
  }

  T operator--() {
    return static_cast<T>(fetch_sub(1) - 1);
  }

  operator T() const { // NOLINT: like the original
    return load();
  }

private:
  // Fails for no reason only where it would not fail anyway.
  class weak_exchange final : public operation {
  public:
    weak_exchange(const atomic& what, T expected)
      : operation("compare_exchange_weak", &what), what_(what),
        expected_(expected) {
    }

    bool may_fail() const override {
      return what_.value_ == expected_;
    }

  private:
    const atomic& what_;
    T expected_;
  };

  static constexpr bool acquires(std::memory_order order) {
    return order != std::memory_order_relaxed
           && order != std::memory_order_release;
  }

  static constexpr bool releases(std::memory_order order) {
    return order == std::memory_order_release
           || order == std::memory_order_acq_rel
           || order == std::memory_order_seq_cst;
  }

  static constexpr std::memory_order if_not(std::memory_order order) {
    if (order == std::memory_order_acq_rel)
      return std::memory_order_acquire;
    return order == std::memory_order_release ? std::memory_order_relaxed
                                              : order;
  }

  T look(std::memory_order order) const {
    touch(false);
    if (acquires(order))
      acquire();
    note(value_);
    return value_;
  }

  template <class F>
  T change(const char* verb, std::memory_order order, F f) {
    step(operation{verb, this});
    return put(f(value_), order);
  }

  bool compare_exchange(T& expected, T wanted, std::memory_order order,
                        std::memory_order order_if_not) {
    if (value_ == expected) {
      put(wanted, order);
      return true;
    }
    expected = look(order_if_not);
    return false;
  }

  // A read-modify-write hands on what was released before it.
  T put(T value, std::memory_order order) {
    touch(true);
    if (acquires(order))
      acquire();
    if (releases(order))
      release();
    note(value_, value);
    return std::exchange(value_, value);
  }

  T value_{};
};

} // namespace stepper
