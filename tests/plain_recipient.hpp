#pragma once

#include <boost/test/unit_test.hpp>

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

/// One that sleeps, and is attended to by a caretaker: nobody has to wake it.
class sleeping_recipient final : public recipient {
public:
  explicit sleeping_recipient(caf::actor caretaker)
    : caretaker_(std::move(caretaker)) {
  }

  void wake(caf::message) override {
    BOOST_ERROR("nobody had to wake it");
  }

  bool tell(caf::message) override {
    return false;
  }

  caf::actor caretaker() const override {
    return caretaker_;
  }

private:
  caf::actor caretaker_;
};

} // namespace steward
