#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/core/hold.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/errors.hpp>
#include <steward/runtime/directory.hpp>
#include <steward/runtime/surroundings.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace steward {

/// How to ask for a resource.
struct acquire_options {
  /// With what it is opened, or was.
  std::string params = {};

  /// How long to wait for it, as one deadline that is never re-armed; zero
  /// means the pool's `open_timeout`. At most 1 day.
  duration deadline = duration::zero();
};

/// A pool without its type: what all `pool<T>` handles of one pool share. All
/// functions: any thread. Outlives the runtime; then it refuses everything.
class pool_core {
public:
  pool_core(caf::actor_system& sys, std::shared_ptr<pool_context> context,
            std::shared_ptr<waiting> waits);
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;
  ~pool_core();

  /// A free resource, without a message and lock-free; empty if there is none or
  /// somebody waits.
  hold try_borrow(std::string_view key, std::string_view params) noexcept {
    return directory_->borrow(key, params);
  }

  /// Opens a resource at once, where the opener does not block and no supervisor
  /// is awake for the key; else, or where somebody would have to wait, empty.
  std::optional<caf::expected<hold>> try_attend(std::string_view key,
                                                std::string_view params);

  /// Blocks until there is a resource or an error, until the deadline at most;
  /// for who has tried to borrow. Not for actors.
  caf::expected<hold> wait_for(std::string_view key,
                               const acquire_options& options);

  /// The same for an actor `self` that does not block: `make_sink` makes what is
  /// told the end. An error if nobody will tell it.
  template <class Self>
  caf::error ask(Self* self, std::string_view key,
                 const acquire_options& options,
                 function_ref<relay::sink()> make_sink) {
    if (!valid_key(key))
      return key_error();
    auto deadline = deadline_of(options);
    auto sent = directory_->with_supervisor(key, [&](const caf::actor& to) {
      cafx::send(self, to, acquire_into{options.params, deadline, make_sink()});
    });
    return sent ? caf::error{} : draining_error();
  }

  /// Stands behind those whose turn it is not yet; false if there is no such
  /// line. No message.
  bool join(std::string_view key, const acquire_options& options,
            function_ref<relay::sink()> make_sink) {
    return directory_->join(key, options.params, deadline_of(options),
                            make_sink);
  }

  /// Closes what the key has: idle things now, held ones when they come back.
  void evict(std::string_view key);

  /// Takes the messages `acquire`, `release` and `evict`. Invalid after the
  /// runtime has drained.
  caf::actor front() const;

  pool_stats stats() const noexcept;

  const pool_options& options() const noexcept {
    return context_->options;
  }

  // -- the runtime ------------------------------------------------------------

  pool_context& context() noexcept {
    return *context_;
  }

  /// Refuses new requests, answers who waits, closes what is idle.
  void start_drain();

  /// Closes what is held; see `drain_by_force`.
  void force_drain();

  /// Ends the supervisors, whatever they are at.
  void abandon_all();

  bool wait_drained(std::chrono::nanoseconds patience) {
    return directory_->wait_empty(patience);
  }

  /// Ends the pool's actors. @pre all supervisors have ended.
  void end();

private:
  bool send_to_supervisor(std::string_view key, caf::message what);
  caf::error key_error() const;
  caf::error draining_error() const;
  time_point deadline_of(const acquire_options& options) const;

  std::shared_ptr<pool_context> context_;
  std::shared_ptr<directory> directory_; // shared with the front
  std::shared_ptr<waiting> waits_;
  mutable std::mutex front_guard_;
  caf::actor front_;
};

} // namespace steward
