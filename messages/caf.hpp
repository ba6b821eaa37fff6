#pragma once

// The only place that knows which CAF this is. 0.17.6 is what Debian and Ubuntu
// package; 1.x spells the same things differently (see the functions below).
// Everything else includes this header instead of <caf/...>.

#include <caf/all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#if defined(CAF_MAJOR_VERSION) && CAF_MAJOR_VERSION >= 1
#  define STEWARD_CAF_1 1
#else
#  define STEWARD_CAF_1 0
#endif

/// Lets `Type` travel between actors of one process. Ours carry pointers and
/// callbacks, so they cannot be serialized and do not pretend to.
#define STEWARD_MESSAGE(Type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(Type)

namespace steward::cafx {

/// The state of a stateful actor.
template <class Self>
decltype(auto) state(Self* self) {
#if STEWARD_CAF_1
  return (self->state());
#else
  return (self->state);
#endif
}

/// Sends `msg` from `self` to `dest`.
template <class Self, class Dest, class Message>
void send(Self* self, const Dest& dest, Message&& msg) {
#if STEWARD_CAF_1
  self->mail(std::forward<Message>(msg)).send(dest);
#else
  self->send(dest, std::forward<Message>(msg));
#endif
}

/// Sends `msg` to `dest` from nobody: from any thread.
template <class Dest, class Message>
void send_anon(const Dest& dest, Message&& msg) {
#if STEWARD_CAF_1
  caf::anon_mail(std::forward<Message>(msg)).send(dest);
#else
  caf::anon_send(dest, std::forward<Message>(msg));
#endif
}

/// Sends `msg` to `self` after `delay`. Cannot be taken back: let the message
/// carry a generation number.
template <class Self, class Duration, class Message>
void send_later(Self* self, Duration delay, Message&& msg) {
#if STEWARD_CAF_1
  self->mail(std::forward<Message>(msg)).delay(delay).send(self);
#else
  self->delayed_send(self, delay, std::forward<Message>(msg));
#endif
}

/// Hands the current request on to `dest`, who answers it.
template <class Self, class Dest, class Message>
auto delegate(Self* self, const Dest& dest, Message&& msg) {
#if STEWARD_CAF_1
  return self->mail(std::forward<Message>(msg)).delegate(dest);
#else
  return self->delegate(dest, std::forward<Message>(msg));
#endif
}

/// Asks `dest`; the deadline is the receiver's business (requests with CAF's
/// own timeouts are never cancelled in 0.17.6).
template <class Self, class Dest, class Message>
auto request(Self* self, const Dest& dest, Message&& msg) {
#if STEWARD_CAF_1
  return self->mail(std::forward<Message>(msg)).request(dest, caf::infinite);
#else
  return self->request(dest, caf::infinite, std::forward<Message>(msg));
#endif
}

/// A question of an actor that waits for an `Answer`. Unlike a response promise,
/// which is part of the actor that made it, it can be kept by anybody and
/// answered in any thread, once.
template <class Answer>
class asker {
public:
  asker(caf::strong_actor_ptr who, caf::message_id which)
    : who_(std::move(who)), which_(which) {
  }

  /// In the name of `from`, who may be nobody.
  void answer(caf::strong_actor_ptr from, Answer what) const {
    send(std::move(from), caf::make_message(std::move(what)));
  }

  /// The same with an error.
  void refuse(caf::strong_actor_ptr from, caf::error why) const {
    send(std::move(from), caf::make_message(std::move(why)));
  }

private:
  void send(caf::strong_actor_ptr from, caf::message what) const {
    if (!who_)
      return;
#if STEWARD_CAF_1
    who_->enqueue(caf::make_mailbox_element(
                    std::move(from), which_.response_id(), std::move(what)),
                  nullptr);
#else
    who_->enqueue(std::move(from), which_.response_id(), std::move(what),
                  nullptr);
#endif
  }

  caf::strong_actor_ptr who_;
  caf::message_id which_;
};

/// Who sent the current message of `self`: the handler leaves the answer to it.
template <class Answer, class Self>
asker<Answer> take_question(Self* self) {
  auto who = self->current_sender();
  return {std::move(who), self->take_current_message_id()};
}

/// A question that `self` puts by other means than a request. `then` is called
/// in `self` with the answer, or what is in `otherwise` with an error.
template <class Answer, class Self, class Then, class... Otherwise>
asker<Answer> ask(Self* self, Then then, Otherwise... otherwise) {
  auto which = self->new_request_id(caf::message_priority::normal);
  self->add_multiplexed_response_handler(
    which.response_id(),
    caf::behavior{[then](const Answer& what) mutable { then(what); },
                  std::move(otherwise)...});
  return {caf::strong_actor_ptr{self->ctrl()}, which};
}

/// Discards what no handler matches instead of printing it.
template <class Self>
void drop_unknown(Self* self) {
  self->set_default_handler(caf::drop);
}

/// The sender of the current message. Take it before `make_response_promise`,
/// which moves it out of the message.
template <class Self>
caf::actor_addr sender(Self* self) {
  auto who = self->current_sender();
  return who ? who->address() : caf::actor_addr{};
}

/// What a message holds, wherever it is.
#if STEWARD_CAF_1
using content = caf::message;
#else
using content = caf::type_erased_tuple;
#endif

/// What every system that runs stewards needs: one shared queue (work stealing
/// is slow to wake and linear in the ready actors) and turns of finite length.
inline void tune(caf::actor_system_config& cfg) {
#if STEWARD_CAF_1
  cfg.set("caf.scheduler.policy", "sharing");
  cfg.set("caf.scheduler.max-throughput", std::size_t{200});
#else
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-throughput", std::size_t{200});
#endif
}

/// Limits the number of CAF's worker threads. @pre before the system starts.
inline void set_threads(caf::actor_system_config& cfg, std::size_t n) {
#if STEWARD_CAF_1
  cfg.set("caf.scheduler.max-threads", n);
#else
  cfg.set("scheduler.max-threads", n);
#endif
}

/// Adds a configuration option of any type: numbers, durations and booleans
/// come out as such, all else as text. Who reads it judges it.
inline void add_option(caf::config_option_set& to, caf::string_view category,
                       caf::string_view name, caf::string_view description) {
#if STEWARD_CAF_1
  to.add<std::string>(category, name, description);
#else
  // CAF's own `add<T>` crashes in a program of clang's that uses a libcaf of
  // g++'s: they share a static object which each initialises in its own way.
  using option = caf::config_option;
  static const option::meta_state any{
    [](const caf::config_value&) { return caf::error{}; },
    [](void*, const caf::config_value&) {},
    [](const void*) { return caf::config_value{}; },
    [](void*, caf::string_view text) -> caf::expected<caf::config_value> {
      if (auto parsed = caf::config_value::parse(text))
        return parsed;
      return caf::config_value{std::string{text.begin(), text.end()}};
    },
    "value"};
  to.add(option{category, name, description, &any});
#endif
}

} // namespace steward::cafx
