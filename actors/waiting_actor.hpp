#pragma once

#include <steward/messages/acquire.hpp>

namespace steward {

/// How an actor waits that asked by a handle of the pool: for a `granted_hold`.
class waiting_actor final : public request_sink {
public:
  explicit waiting_actor(cafx::asker<granted_hold> who) : who_(std::move(who)) {
  }

  waiting_actor(const waiting_actor&) = delete;
  waiting_actor& operator=(const waiting_actor&) = delete;

  /// Nobody was left to answer: the pool is no more.
  ~waiting_actor() override;

  void granted(hold what) noexcept override;
  void failed(const caf::error& why) noexcept override;

private:
  cafx::asker<granted_hold> who_;
  bool answered_ = false;
};

} // namespace steward
