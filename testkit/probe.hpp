#pragma once

#include <steward/testkit/sim.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
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
  /// as `sim::wait_for`. Throws `failure` if there never is.
  caf::expected<T> result() {
    sim_->wait_for([this] { return answered(); }, {"never answered", text_});
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
  return shown(detail::text_of_error(e));
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

  /// Sends `what`, a message of one or several elements, to `to`; it arrives
  /// when the simulation goes on. Throws `misuse` for a null handle.
  template <class... Ts>
  void send(const caf::actor& to, Ts... what) {
    require(to, "be sent anything");
    auto message = caf::make_message(std::move(what)...);
    act([&](caf::event_based_actor* self) {
      cafx::send(self, to, std::move(message));
    });
  }

  /// Asks `to`, who answers with a `T`. The same otherwise.
  template <class T, class... Ts>
  question<T> request(const caf::actor& to, Ts... what) {
    require(to, "be asked");
    auto message = caf::make_message(std::move(what)...);
    auto answer = std::make_shared<typename question<T>::answer>();
    auto text = shared_->name + " asked " + shared_->home->name_of(to) + " for "
                + short_type_name(typeid(T)) + " with "
                + shared_->home->trace_.shown(message.content());
    // It is open as long as somebody would take the answer.
    auto open = std::make_shared<const std::string>(text);
    shared_->home->questions_.push_back(open);
    auto put = [answer, open = std::move(open)](caf::expected<T> x) {
      *answer = std::move(x);
    };
    act([&](caf::event_based_actor* self) {
      cafx::request(self, to, std::move(message))
        .then([put](const T& x) { put(x); },
              [put](const caf::error& e) { put(e); });
    });
    return {*shared_->home, std::move(text), std::move(answer)};
  }

  /// Answers the message that was expected last, with one or several values or
  /// a `caf::error`. Throws `failure` if nobody waits for that.
  template <class... Ts>
  void reply(Ts... what);

  /// The same, to be answered later.
  asked take_question();

  /// Does anything as this actor, at once; what it throws comes out of this.
  void act(const std::function<void(caf::event_based_actor*)>& what);

  /// The next message that it was sent, which must be a `T`; runs the
  /// simulation until there is one. Of several elements it is a tuple. Throws
  /// `failure`.
  template <class T, class... Ts>
  auto expect() {
    auto wanted = short_type_name(typeid(T));
    ((wanted += ", " + short_type_name(typeid(Ts))), ...);
    auto next = take_next(wanted);
    if (!next.what.template match_elements<T, Ts...>())
      throw failure("another message",
                    shared_->name + " got "
                      + shared_->home->trace_.shown(next.what.content())
                      + ", not " + wanted);
    if constexpr (sizeof...(Ts) == 0)
      return next.what.template get_as<T>(0);
    else
      return elements<T, Ts...>(next.what, std::index_sequence_for<T, Ts...>{});
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

  void require(const caf::actor& to, const char* what) const {
    shared_->home->require_actor(to, name() + ": nobody can " + what);
  }

  template <class... Ts, std::size_t... Is>
  static std::tuple<Ts...> elements(const caf::message& of,
                                    std::index_sequence<Is...>) {
    return {of.get_as<Ts>(Is)...};
  }

  std::shared_ptr<state> shared_;
};

/// A question to a probe, to be answered once.
class asked {
public:
  asked(probe whom, caf::response_promise promise)
    : whom_(std::move(whom)), promise_(std::move(promise)) {
  }

  /// Answers it with one or several values or a `caf::error`. @pre not answered
  /// yet
  template <class... Ts>
  void reply(Ts... what) {
    whom_.act(
      [&](caf::event_based_actor*) { promise_.deliver(std::move(what)...); });
  }

private:
  probe whom_;
  caf::response_promise promise_;
};

template <class... Ts>
void probe::reply(Ts... what) {
  take_question().reply(std::move(what)...);
}

} // namespace steward::testkit

STEWARD_MESSAGE(steward::testkit::detail::speak)
