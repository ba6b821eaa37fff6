#pragma once

#include <steward/testkit/sim.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace steward::testkit {

/// What was asked and may be answered. Copies share it.
template <class T>
class question {
public:
  using answer = std::optional<caf::expected<T>>;

  question(sim& where, std::string text, std::shared_ptr<answer> to_come)
    : sim_(&where), text_(std::move(text)), answer_(std::move(to_come)) {
  }

  bool answered() const noexcept {
    return answer_->has_value();
  }

  /// The answer or the error, after running the simulation until there is one,
  /// for a virtual day at most. Throws `failure` if there never is.
  caf::expected<T> result() {
    if (!sim_->run_until([this] { return answered(); }))
      throw failure("never answered", text_);
    return **answer_;
  }

  /// The same; an error is thrown as a `failure`.
  T get() {
    auto x = result();
    if (!x)
      throw failure("answered with an error",
                    text_ + ": " + describe_error(x.error()));
    return std::move(*x);
  }

private:
  static std::string describe_error(const caf::error& e);

  sim* sim_;
  std::string text_;
  std::shared_ptr<answer> answer_;
};

namespace detail {

std::string text_of_error(const caf::error& e);

/// To a probe: do that as yourself.
struct speak {
  std::function<void(caf::event_based_actor*)> what;
};

} // namespace detail

template <class T>
std::string question<T>::describe_error(const caf::error& e) {
  return detail::text_of_error(e);
}

class asked;

/// An actor that a test speaks for: it sends, asks, keeps what it is sent, and
/// answers what it is told to. Copies are the same actor. It lives as long as
/// the simulation, or until `die`.
class probe {
public:
  struct mail {
    caf::message what;
    caf::actor_addr from;
    caf::response_promise asked; ///< whom an answer goes to
  };

  probe(sim& where, std::string name);

  const caf::actor& actor() const noexcept {
    return shared_->self;
  }

  operator const caf::actor&() const noexcept {
    return actor();
  }

  const std::string& name() const noexcept {
    return shared_->name;
  }

  /// Sends `what` to `to`; it arrives when the simulation goes on.
  template <class Message>
  void send(const caf::actor& to, Message what) {
    act([&](caf::event_based_actor* self) {
      cafx::send(self, to, std::move(what));
    });
  }

  /// Asks `to`, who answers with a `T`.
  template <class T, class Message>
  question<T> request(const caf::actor& to, Message what) {
    auto answer = std::make_shared<typename question<T>::answer>();
    auto text
      = shared_->name + " asked " + shared_->home->name_of(to) + " for "
        + short_type_name(typeid(T)) + " with "
        + shared_->home->trace_.text_of(caf::make_message(what).content());
    // It is open as long as somebody would take the answer.
    auto open = std::make_shared<const std::string>(text);
    shared_->home->questions_.push_back(open);
    auto put = [answer, open = std::move(open)](caf::expected<T> x) {
      *answer = std::move(x);
    };
    act([&](caf::event_based_actor* self) {
      cafx::request(self, to, std::move(what))
        .then([put](const T& x) { put(x); },
              [put](const caf::error& e) { put(e); });
    });
    return {*shared_->home, std::move(text), std::move(answer)};
  }

  /// Answers the message that was expected last, with a value or a `caf::error`.
  /// Throws `failure` if nobody waits for that.
  template <class T>
  void reply(T what);

  /// The same, to be answered later.
  asked take_question();

  /// Does anything as this actor, at once; what it throws comes out of this.
  void act(const std::function<void(caf::event_based_actor*)>& what);

  /// The next message that it was sent, which must be a `T`; runs the
  /// simulation until there is one. Throws `failure`.
  template <class T>
  T expect() {
    auto next = take_next(short_type_name(typeid(T)));
    if (!next.what.template match_elements<T>())
      throw failure("another message",
                    shared_->name + " got "
                      + shared_->home->trace_.text_of(next.what.content())
                      + ", not " + short_type_name(typeid(T)));
    return next.what.template get_as<T>(0);
  }

  /// Settles, and nothing has come. Exact, and takes no time.
  void expect_nothing();

  /// What came and was not expected yet.
  const std::deque<mail>& mailbox() const noexcept {
    return shared_->box;
  }

  /// Ends, as an actor that has a defect does.
  void die();

private:
  struct state {
    sim* home = nullptr;
    std::string name;
    std::deque<mail> box;
    caf::response_promise asked; // by what was expected last
    caf::actor self;
  };

  mail take_next(const std::string& wanted);

  std::shared_ptr<state> shared_;
};

/// A question to a probe, to be answered once.
class asked {
public:
  asked(probe whom, caf::response_promise promise)
    : whom_(std::move(whom)), promise_(std::move(promise)) {
  }

  /// Answers it with a value or a `caf::error`. @pre not answered yet
  template <class T>
  void reply(T what) {
    whom_.act(
      [&](caf::event_based_actor*) { promise_.deliver(std::move(what)); });
  }

private:
  probe whom_;
  caf::response_promise promise_;
};

template <class T>
void probe::reply(T what) {
  take_question().reply(std::move(what));
}

} // namespace steward::testkit

STEWARD_MESSAGE(steward::testkit::detail::speak)
