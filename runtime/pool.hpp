#pragma once

#include <steward/actors/waiting_actor.hpp>
#include <steward/runtime/lease.hpp>
#include <steward/runtime/pool_core.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace steward {

/// The handle of a pool that users keep; copies share the pool. All functions:
/// any thread. Made by `runtime::make_pool`.
template <class T>
class pool {
public:
  explicit pool(std::shared_ptr<pool_core> core) : core_(std::move(core)) {
  }

  /// Lends a resource of `key`: a free one at once, else one that is opened.
  /// Blocks until the deadline at most; not for actors. Errors: see `errc`,
  /// `describe` and `rejection_of`.
  caf::expected<lease<T>> acquire(std::string_view key,
                                  const acquire_options& options = {}) const {
    if (auto free = core_->try_borrow(key, options.params))
      return lease<T>{std::move(free)};
    auto result = core_->wait_for(key, options);
    if (!result)
      return std::move(result.error());
    return lease<T>{std::move(*result)};
  }

  /// The same for the actor `self`: calls either `on_lease(lease<T>)` or
  /// `on_error(const caf::error&)` once, in `self`; before it returns if a
  /// resource is free, or can be opened without blocking. If `self` dies first,
  /// the resource goes back.
  template <class Self, class OnLease, class OnError>
  void acquire(Self* self, std::string_view key, const acquire_options& options,
               OnLease on_lease, OnError on_error) const {
    if (auto free = core_->try_borrow(key, options.params))
      return static_cast<void>(on_lease(lease<T>{std::move(free)}));
    auto sink = [&] {
      return std::make_shared<waiting_actor>(cafx::ask<granted_hold>(
        self,
        [on_lease](const granted_hold& x) mutable {
          on_lease(lease<T>{std::move(*x.what)});
        },
        [on_error](const caf::error& e) mutable { on_error(e); }));
    };
    if (core_->join(key, options, sink))
      return;
    if (auto done = core_->try_attend(key, options.params)) {
      if (*done)
        return static_cast<void>(on_lease(lease<T>{std::move(**done)}));
      return static_cast<void>(on_error(done->error()));
    }
    if (auto error = core_->ask(self, key, options, sink))
      on_error(error);
  }

  /// Lends a free resource of `key`, or none. Neither blocks nor opens.
  std::optional<lease<T>> try_acquire(std::string_view key,
                                      std::string_view params = {}) const {
    if (auto free = core_->try_borrow(key, params))
      return lease<T>{std::move(free)};
    return std::nullopt;
  }

  /// Closes what `key` has: idle resources now, held ones when they come back.
  void evict(std::string_view key) const {
    core_->evict(key);
  }

  /// Takes the messages `acquire`, `release` and `evict`.
  caf::actor front() const {
    return core_->front();
  }

  pool_stats stats() const noexcept {
    return core_->stats();
  }

  const pool_options& options() const noexcept {
    return core_->options();
  }

  const std::shared_ptr<pool_core>& core() const noexcept {
    return core_;
  }

private:
  std::shared_ptr<pool_core> core_;
};

} // namespace steward
