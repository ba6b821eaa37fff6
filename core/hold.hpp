#pragma once

#include <steward/core/shelf.hpp>

#include <string>
#include <utility>

namespace steward {

/// The right to use the resource of a slot, untyped; gives it back when it
/// goes. Move only, no allocation. May be given back by any thread, also after
/// the runtime is gone.
class hold {
public:
  hold() = default;

  /// Takes over a hold that is on `place` already.
  explicit hold(slot* place, bool fresh = false) noexcept
    : place_(place), fresh_(fresh) {
  }

  hold(hold&& other) noexcept
    : place_(std::exchange(other.place_, nullptr)), fresh_(other.fresh_),
      healthy_(other.healthy_), handed_over_(other.handed_over_) {
  }

  hold& operator=(hold&& other) noexcept {
    if (this != &other) {
      give_back();
      place_ = std::exchange(other.place_, nullptr);
      fresh_ = other.fresh_;
      healthy_ = other.healthy_;
      handed_over_ = other.handed_over_;
    }
    return *this;
  }

  ~hold() {
    give_back();
  }

  explicit operator bool() const noexcept {
    return place_ != nullptr;
  }

  void* resource() const noexcept {
    return place_->resource();
  }

  slot* place() const noexcept {
    return place_;
  }

  /// Whether the resource was opened for this request.
  bool fresh() const noexcept {
    return fresh_;
  }

  /// Whether the resource was closed under its holders by a drain that was out
  /// of patience. // I4
  bool revoked() const noexcept {
    return place_->word().in() != phase::open;
  }

  /// Says that the resource is broken: it is closed instead of lent again.
  void give_up() noexcept {
    healthy_ = false;
  }

  /// Is on its way to the supervisor now: if nobody takes it there, nobody will,
  /// and it must not set out again.
  void hand_over() noexcept {
    handed_over_ = true;
  }

  /// Gives it back now. Does nothing if that was done.
  void give_back() noexcept;

  /// Lets go of the hold without giving it back; the caller has it now.
  slot* release() noexcept {
    return std::exchange(place_, nullptr);
  }

private:
  slot* place_ = nullptr;
  bool fresh_ = false;
  bool healthy_ = true;
  bool handed_over_ = false;
};

} // namespace steward
