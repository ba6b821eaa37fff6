// What leaves an actor unhandled. CAF prints it at most, and goes on; a test
// must hear of it. Who has a handler of its own knows what it does.
#include <steward/messages/errors.hpp>
#include <steward/testkit/internal/thrown.hpp>
#include <steward/testkit/sim.hpp>

namespace steward::testkit {

namespace {

// Which handlers an actor was born with.
struct handlers final : caf::scheduled_actor {
  template <class Handler, class R, class... Ts>
  static bool is(const Handler& handler, R (*what)(Ts...)) {
    auto* f = handler.template target<R (*)(Ts...)>();
    return f != nullptr && *f == what;
  }

  static bool forget_exceptions(caf::scheduled_actor& who) {
    return is(who.*&handlers::exception_handler_, default_exception_handler);
  }

  static bool forget_errors(caf::scheduled_actor& who) {
    return is(who.*&handlers::error_handler_, default_error_handler);
  }

  static bool forget_deaths(caf::scheduled_actor& who) {
    return is(who.*&handlers::down_handler_, default_down_handler);
  }

  static bool forget_messages(caf::scheduled_actor& who) {
    return is(who.*&handlers::default_handler_, caf::print_and_drop);
  }
};

} // namespace

void sim::hear_of(caf::scheduled_actor& who) {
  using caf::scheduled_actor;
  if (handlers::forget_exceptions(who))
    who.set_exception_handler(
      [this](scheduled_actor* x, std::exception_ptr& why) -> caf::error {
        died(*x, why);
        return caf::sec::runtime_error;
      });
  if (handlers::forget_errors(who))
    who.set_error_handler([this](scheduled_actor* x, caf::error& why) {
      unhandled(*x,
                "dies of the error \"" + shown(steward::describe(why)) + "\"");
      scheduled_actor::default_error_handler(x, why);
    });
  if (handlers::forget_deaths(who))
    who.set_down_handler([this](scheduled_actor* x, caf::down_msg& m) {
      unhandled(*x, "monitors who ends, and does not handle "
                      + shown(caf::to_string(m)));
    });
  if (handlers::forget_messages(who))
    who.set_default_handler(
      [this](scheduled_actor* x,
             caf::message_view& m) -> caf::result<caf::message> {
        unhandled(*x, "does not handle " + trace_.shown(m.content()));
        return caf::sec::unexpected_message;
      });
}

void sim::unhandled(caf::scheduled_actor& who, const std::string& what) {
  auto name = trace_.name_of(who.id(), who.name());
  if (careless_.count(name) == 0 && careless_.count(who.name()) == 0)
    report(failure{"unhandled in an actor", name + " " + what});
}

// As CAF, it ends with `sec::runtime_error`; what it was asked is answered so.
void sim::died(caf::scheduled_actor& who, const std::exception_ptr& why) {
  auto name = trace_.name_of(who.id(), who.name());
  auto text = shown(text_of_exception(why));
  try {
    std::rethrow_exception(why);
  } catch (const failure& x) {
    report(x);
  } catch (...) {
  }
  report(failure{"an exception in an actor", name + " threw " + text});
  if (options_.traced)
    trace_.add({steps_ + 1, now(), "", name, "dies of " + text, false});
}

} // namespace steward::testkit
