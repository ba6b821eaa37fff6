#pragma once

#include <steward/core/hold.hpp>

#include <utility>

namespace steward {

/// The right to use a `T` until this goes away. Move only; costs no allocation.
/// May be used and given back by any thread, one at a time.
template <class T>
class lease {
public:
  lease() = default;

  /// Takes over a hold on a resource that is a `T`.
  explicit lease(hold what) noexcept : hold_(std::move(what)) {
  }

  /// Whether there is something to use.
  explicit operator bool() const noexcept {
    return static_cast<bool>(hold_);
  }

  T& operator*() const noexcept {
    return *get();
  }

  T* operator->() const noexcept {
    return get();
  }

  T* get() const noexcept {
    return hold_ ? static_cast<T*>(hold_.resource()) : nullptr;
  }

  /// Whether the resource was opened for this request.
  bool fresh() const noexcept {
    return hold_.fresh();
  }

  /// Whether a drain that ran out of patience closed the resource meanwhile.
  /// Its memory stays until this lease goes.
  bool revoked() const noexcept {
    return hold_ && hold_.revoked();
  }

  /// Gives the resource back now.
  void give_back() noexcept {
    hold_.give_back();
  }

  /// Gives the resource back as broken: it is closed and not lent again.
  void give_up() noexcept {
    hold_.give_up();
    hold_.give_back();
  }

private:
  hold hold_;
};

} // namespace steward
