#include <steward/testkit/probe.hpp>

#include <steward/messages/errors.hpp>

#include <utility>

namespace steward::testkit {

std::string detail::text_of_error(const caf::error& e) {
  return describe(e);
}

probe::probe(sim& where, std::string name)
  : shared_(std::make_shared<state>()) {
  shared_->home = &where;
  shared_->name = shown(name);
  std::weak_ptr<state> weak = shared_;
  shared_->self = where.spawn(
    [](caf::event_based_actor* self, const std::weak_ptr<state>& to) {
      self->set_default_handler(
        [to](caf::scheduled_actor* me,
             caf::message_view& x) -> caf::result<caf::message> {
          auto what = x.move_content_to_message();
          auto from = cafx::sender(static_cast<caf::event_based_actor*>(me));
          auto answer = me->make_response_promise();
          if (auto shared = to.lock())
            shared->box.push_back({std::move(what), std::move(from), answer});
          return answer;
        });
      return caf::behavior{
        [self](const detail::speak& m) { m.what(self); },
      };
    },
    weak);
  where.call(shared_->self, shared_->name);
  where.probes_.push_back(shared_->self.address());
  where.run_now(shared_->self);
}

void probe::act(const std::function<void(caf::event_based_actor*)>& what) {
  struct outcome {
    bool done = false;
    std::exception_ptr thrown;
  };
  auto result = std::make_shared<outcome>();
  caf::anon_send<caf::message_priority::high>(
    shared_->self, detail::speak{[what, result](caf::event_based_actor* self) {
      result->done = true;
      try {
        what(self);
      } catch (...) { // CAF would keep it to itself
        result->thrown = std::current_exception();
      }
    }});
  shared_->home->run_now(shared_->self);
  if (!result->done)
    throw failure("a dead probe", shared_->name + " cannot act any more");
  if (result->thrown)
    std::rethrow_exception(result->thrown);
}

void probe::expect_nothing() {
  shared_->home->settle();
  if (!shared_->box.empty())
    throw failure(
      "an unexpected message",
      shared_->name + " got "
        + shared_->home->trace_.shown(shared_->box.front().what.content()));
}

probe::mail probe::take_next(const std::string& wanted) {
  shared_->home->wait_for([this] { return !shared_->box.empty(); },
                          {"no message",
                           shared_->name + " never got " + wanted});
  auto result = std::move(shared_->box.front());
  shared_->box.pop_front();
  shared_->asked = std::move(result.asked);
  return result;
}

asked probe::take_question() {
  auto result = std::exchange(shared_->asked, caf::response_promise{});
  if (!result.pending() || result.async())
    throw failure("nothing to reply to", "nobody waits for an answer of "
                                           + shared_->name
                                           + " to what it expected last");
  return {*this, std::move(result)};
}

void probe::die() {
  shared_->home->kill(shared_->self);
  shared_->home->run_now(shared_->self);
}

} // namespace steward::testkit
