#pragma once

#include <steward/messages/recipient.hpp>

#include <utility>

namespace steward {

/// A supervisor as a test plays it: some actor, always awake.
class plain_recipient final : public recipient {
public:
  explicit plain_recipient(caf::actor who) : who_(std::move(who)) {
  }

  void wake(caf::message what) override {
    cafx::send_anon(who_, std::move(what));
  }

  bool tell(caf::message what) override {
    cafx::send_anon(who_, std::move(what));
    return true;
  }

  caf::actor caretaker() const override {
    return who_;
  }

private:
  caf::actor who_;
};

} // namespace steward
