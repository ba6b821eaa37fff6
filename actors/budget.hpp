#pragma once

#include <steward/actors/mutex.hpp>
#include <steward/core/budget_book.hpp>
#include <steward/messages/recipient.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace steward {

/// What is behind a pool's `total_max`: who wants a permit and finds none queues
/// here. It asks the supervisor of the least recently used idle resource to give
/// it up, and never orders. Shared data and no actor: each open and close is
/// noted here, and a message for each would cost more than most of them. All
/// functions: any thread, but not under the lock of a directory, which is taken
/// to send. The lock of all is taken only where somebody waits or has hopes.
class total_budget {
public:
  using supervisor = std::shared_ptr<recipient>;
  using book = budget_book<supervisor, mutex>;

  total_budget(permits& all, const pool_options& options)
    : book_(all, options.when_full, options.total_max) {
  }

  /// It needs one permit; it is sent `permit_granted` or `permit_denied`.
  void wanted(supervisor who);

  /// One permit comes back, as others wait for it.
  void returned();

  /// This resource is open.
  void opened(supervisor who, slot& place);

  /// This resource is closed.
  void closed(std::uint64_t id);

  /// It was asked for, but somebody uses it.
  void kept(std::uint64_t id);

  /// As in `budget_book`.
  void idle_again(std::uint64_t id);
  std::optional<book::claimed> claim(std::size_t luck = 0);
  void put_back(book::claimed x);
  void left_to_owner(book::claimed x);

  /// Forgets everything and everybody, and goes on doing so.
  void stop();

private:
  template <class Event>
  void decide(Event event);
  void look_again();
  static void send(const book::any_effect& x);

  mutex guard_; // of what is decided for those who wait
  book book_;
  book::effects out_;
  bool stopped_ = false;
};

} // namespace steward
