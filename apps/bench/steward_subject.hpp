#pragma once

#include <steward/apps/bench/subject.hpp>
#include <steward/runtime/config.hpp>
#include <steward/runtime/runtime.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace steward::bench {

/// What is lent in measurements.
struct nothing {};

struct nothing_opener {
  static constexpr bool blocks = false;

  nothing operator()(const open_request&) const noexcept {
    return {};
  }
};

/// steward as it is used: a runtime, a pool, nothing switched off.
class steward_subject {
public:
  static constexpr std::string_view name = "steward";

  explicit steward_subject(const limits& x);

  /// Blocks while others open or hold what there is, as far as steward does.
  lease<nothing> borrow(std::string_view key, std::string_view params) {
    auto result = params.empty() ? pool_.acquire(key)
                                 : pool_.acquire(key, with(params));
    return result ? std::move(*result) : lease<nothing>{};
  }

  template <class Self, class OnLease, class OnRefusal>
  void borrow(Self* self, std::string_view key, std::string_view params,
              OnLease on_lease, OnRefusal on_refusal) {
    pool_.acquire(self, key, with(params), std::move(on_lease),
                  [on_refusal](const caf::error&) mutable { on_refusal(); });
  }

  std::uint64_t opened() const noexcept {
    return pool_.stats().opened;
  }

  std::uint64_t open() const noexcept {
    return pool_.stats().open;
  }

  /// @pre made with `manual_time`
  void pass(std::chrono::seconds d) {
    runtime_.advance(time_->now() + d);
  }

  caf::actor_system& system() noexcept {
    return system_;
  }

private:
  static acquire_options with(std::string_view params) {
    return {.params = std::string{params}};
  }

  config config_;
  caf::actor_system system_{config_};
  std::shared_ptr<manual_timepiece> time_; // null: the machine's
  runtime runtime_;
  pool<nothing> pool_;
};

} // namespace steward::bench
