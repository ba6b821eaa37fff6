#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/testkit/failure.hpp>
#include <steward/testkit/gathering.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// Start many things at once, have all their ends in order. The same words for
// calls in threads, for an actor that asks others, and for a thread or a
// simulation that waits for such an actor:
//
//   gather(...)                            all values, or the first error;
//   gather(..., on_error::cancel(x), ...)  the same, and stops the others;
//   gather(..., return_exceptions, ...)    all results, values or errors.
//
// None of them hangs for what will never come: that is an error with its name.
// So is a function of the caller that throws. A limit that is less than nothing
// is refused by `misuse`.

namespace steward::testkit {

/// What `gather` waits for, in all, unless told otherwise.
inline constexpr duration gather_within = std::chrono::seconds{20};

// -- in threads ---------------------------------------------------------------

namespace detail {

template <class T>
struct gathered {
  using type = std::conditional_t<std::is_void_v<T>, caf::unit_t, T>;
};

template <class T>
struct gathered<caf::expected<T>> : gathered<T> {};

template <class T>
using gathered_t = typename gathered<T>::type;

/// Throws `misuse` if somebody is to wait for less than nothing.
void check_patience(duration within);

// Throws `misuse` where waiting would stop what is waited for.
void check_has_threads(caf::actor_system& sys);

inline caf::error thrown(std::string what) {
  return caf::make_error(caf::sec::runtime_error, std::move(what));
}

/// What is being handled: its type and what it says.
std::string text_of_what_is_thrown();

template <class Result, class Call>
Result value_or_error(const Call& call, std::size_t i) {
  using returned = std::invoke_result_t<const Call&, std::size_t>;
  try {
    if constexpr (std::is_void_v<returned>) {
      call(i);
      return Result{caf::unit};
    } else if constexpr (std::same_as<returned, caf::expected<void>>) {
      auto x = call(i);
      return x ? Result{caf::unit} : Result{x.error()};
    } else {
      return Result{call(i)};
    }
  } catch (...) {
    return Result{thrown(text_of_what_is_thrown())};
  }
}

/// Calls what the policy has for each who is missing. Who cannot be cancelled
/// is told in the result, and the others are.
template <class T, class Policy>
void cancel_missing(gathering<T>& got, Policy& how) {
  if constexpr (cancels_by_call<Policy>)
    for (auto i : got.missing())
      try {
        how.what(i);
      } catch (...) {
        got.add_error("to cancel " + got.name(i) + " threw "
                      + text_of_what_is_thrown());
      }
}

/// "call #0", "call #1", ...
std::vector<std::string> names_of_calls(std::size_t n);

/// "no answer within 100ms"
std::string nothing_within(duration d);

} // namespace detail

/// Calls `call(0)` to `call(n - 1)` at once, each in a thread of its own behind
/// a barrier, and waits for what becomes of them: a value, the error of a
/// `caf::expected`, `sec::runtime_error` for an exception. A call that is not
/// back after `within` has failed with `sec::request_timeout`. Threads that are
/// not waited for are let go: what they use must not end with the caller.
template <std::invocable<std::size_t> Call, gather_policy Policy>
auto gather(std::size_t n, Call call, Policy how,
            duration within = gather_within) {
  static_assert(!detail::cancels_by_message<Policy>,
                "calls have no mailbox: cancel with something to call");
  detail::check_patience(within);
  using value
    = detail::gathered_t<std::invoke_result_t<const Call&, std::size_t>>;
  auto all = std::make_shared<gathering<value>>(detail::names_of_calls(n));
  auto start = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(n));
  auto shared = std::make_shared<const Call>(std::move(call));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) {
    try {
      threads.emplace_back([all, start, i, mine = shared]() mutable {
        start->arrive_and_wait();
        auto outcome = detail::value_or_error<caf::expected<value>>(*mine, i);
        mine.reset(); // before anybody hears that it has ended
        all->put(i, std::move(outcome));
      });
    } catch (const std::system_error& e) { // the others do not wait for it
      start->count_down();
      all->put(i, detail::thrown(e.what()));
    }
  }
  shared.reset();
  if (!all->wait(within, how))
    all->give_up(caf::sec::request_timeout, detail::nothing_within(within));
  auto all_ended = all->missing().empty();
  detail::cancel_missing(*all, how);
  for (auto& t : threads)
    all_ended ? t.join() : t.detach();
  return all->take(how);
}

template <std::invocable<std::size_t> Call>
auto gather(std::size_t n, Call call, duration within = gather_within) {
  return gather(n, std::move(call), on_error::run_on, within);
}

/// The same with callables of their own.
template <std::invocable Call, gather_policy Policy>
auto gather(std::vector<Call> calls, Policy how,
            duration within = gather_within) {
  auto n = calls.size();
  auto shared = std::make_shared<std::vector<Call>>(std::move(calls));
  return gather(
    n, [shared](std::size_t i) { return (*shared)[i](); }, std::move(how),
    within);
}

template <std::invocable Call>
auto gather(std::vector<Call> calls, duration within = gather_within) {
  return gather(std::move(calls), on_error::run_on, within);
}

// -- from an actor ------------------------------------------------------------

/// A message, and to whom.
template <class Message>
struct ask {
  caf::actor to;
  Message what;
  std::string name = {}; ///< of the receiver in errors; else CAF's, if it lives
};

namespace detail {

/// `#2 doubler (actor 7)`
std::string name_of_asked(std::size_t i, const caf::actor& who,
                          const std::string& name);

template <class Message>
std::vector<std::string> names_of(const std::vector<ask<Message>>& asks) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < asks.size(); ++i)
    all.push_back(name_of_asked(i, asks[i].to, asks[i].name));
  return all;
}

/// `e`, with the name of who was asked if CAF says only that nobody is there,
/// any more or at all.
caf::error error_by_name(const caf::error& e, bool was_there,
                         const std::string& name);

/// Answers for who never will: who dies, and who has not answered when time is
/// over. A promise that is dropped, or that its owner took along, is answered by
/// nobody in CAF 0.17.6. An answer is ignored if there was another.
class answer_watch {
public:
  explicit answer_watch(std::size_t n);
  answer_watch(const answer_watch&) = delete;
  answer_watch& operator=(const answer_watch&) = delete;
  ~answer_watch();

  /// When `who` dies, `asker` gets an error as the response `id`.
  void begin(std::size_t i, const caf::actor& who, const caf::actor_addr& asker,
             caf::message_id id);

  /// After `within` it gets one for each that has begun, by its name.
  void limit(caf::actor_system& sys, duration within,
             const std::function<std::string(std::size_t)>& name_of);

  void end(std::size_t i);
  void end_all();

private:
  struct entry;
  std::vector<entry> all_;
  caf::actor timer_;
};

/// What the handlers of one asking actor share.
template <class Answer, class Self, class Policy>
struct asking {
  asking(Self* who, std::shared_ptr<gathering<Answer>> to, Policy rule,
         std::function<void()> at_the_end)
    : self(who), got(std::move(to)), how(std::move(rule)), watch(got->size()),
      done(std::move(at_the_end)) {
  }

  void put(std::size_t i, caf::expected<Answer> x) {
    watch.end(i);
    got->put(i, std::move(x));
    if (!done || !got->has_ended(how))
      return;
    watch.end_all();
    cancel();
    std::exchange(done, nullptr)();
  }

  void cancel() {
    cancel_missing(*got, how);
    if constexpr (cancels_by_message<Policy>)
      for (auto i : got->missing())
        if (auto to = caf::actor_cast<caf::actor>(whom[i]))
          cafx::send(self, to, how.what);
  }

  Self* self;
  std::shared_ptr<gathering<Answer>> got;
  Policy how;
  std::vector<caf::actor_addr> whom; // not to keep them alive
  answer_watch watch;
  std::function<void()> done; // none when it is done
};

/// Where somebody else sees to it that it ends.
inline constexpr duration no_limit = duration::max();

/// Asks all, and calls `done()` in `self` when the policy says so.
template <class Answer, class Self, class Message, class Policy>
auto ask_all(Self* self, std::shared_ptr<gathering<Answer>> got,
             std::vector<ask<Message>> asks, Policy how, duration within,
             std::function<void()> done) {
  auto all = std::make_shared<asking<Answer, Self, Policy>>(
    self, std::move(got), std::move(how), std::move(done));
  for (const auto& x : asks)
    all->whom.push_back(x.to ? x.to.address() : caf::actor_addr{});
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto asked = cafx::request(self, asks[i].to, std::move(asks[i].what));
    all->watch.begin(i, asks[i].to, self->address(), asked.id());
    std::move(asked).then([all, i](const Answer& x) { all->put(i, x); },
                          [all, i](const caf::error& e) {
                            all->put(i,
                                     error_by_name(e, all->whom[i] != nullptr,
                                                   all->got->name(i)));
                          });
  }
  if (asks.empty())
    std::exchange(all->done, nullptr)();
  else if (within != no_limit)
    all->watch.limit(self->home_system(), within,
                     [all](std::size_t i) { return all->got->name(i); });
  return all;
}

} // namespace detail

/// Sends all of `asks` at once from the actor `self`, and calls `then` in it
/// once: with a `caf::expected<std::vector<Answer>>`, or with a
/// `std::vector<caf::expected<Answer>>` for `return_exceptions`; at once if
/// there are no `asks`. Who is dead or dies unanswered has failed with
/// `sec::request_receiver_down` and its name, even if it has handed the request
/// on; who lives and has not answered after `within` with `sec::request_timeout`
/// and its name. Until then it is in the result's `missing()`.
template <class Answer, class Self, class Message, gather_policy Policy,
          class F>
std::shared_ptr<const gathering<Answer>>
gather(Self* self, std::vector<ask<Message>> asks, Policy how, F then,
       duration within = gather_within) {
  detail::check_patience(within);
  auto got = std::make_shared<gathering<Answer>>(detail::names_of(asks));
  detail::ask_all<Answer>(self, got, std::move(asks), how, within,
                          [got, how, then = std::move(then)]() mutable {
                            then(got->take(how));
                          });
  return got;
}

template <class Answer, class Self, class Message, class F>
requires(!gather_policy<F>) std::shared_ptr<const gathering<Answer>> gather(
  Self* self, std::vector<ask<Message>> asks, F then,
  duration within = gather_within) {
  return gather<Answer>(self, std::move(asks), on_error::run_on,
                        std::move(then), within);
}

// -- from outside -------------------------------------------------------------

/// An actor that asks for somebody else: for a thread that waits for what is
/// gathered, or for a simulation that runs until it is.
template <class Answer>
struct gather_actor {
  caf::actor asker;
  std::shared_ptr<gathering<Answer>> got;

  /// Ends it, with what there is: if that is not all, `why` it is all there
  /// ever will be. Cancels who is missing, if the policy says so.
  template <gather_policy Policy>
  auto end(Policy how, caf::sec code, const std::string& why) {
    if (!got->has_ended(how))
      got->give_up(code, why);
    detail::cancel_missing(*got, how);
    caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
    return got->take(how);
  }
};

namespace detail {

struct asker_state {
  asker_state() = default;

  static constexpr const char* name = "gather";
};

// What a caller can do itself, it does: its functions may not outlive it.
template <gather_policy Policy>
auto policy_of_asker(const Policy& how) {
  if constexpr (cancels_by_call<Policy>)
    return on_error::run_on;
  else
    return how;
}

} // namespace detail

/// Starts an actor that sends all of `asks`.
template <class Answer, class Message, gather_policy Policy>
gather_actor<Answer> start_gather(caf::actor_system& sys,
                                  std::vector<ask<Message>> asks,
                                  const Policy& how) {
  auto got = std::make_shared<gathering<Answer>>(detail::names_of(asks));
  auto asker_how = detail::policy_of_asker(how);
  // All by arguments: 0.17.6 dereferences null where there are none.
  auto asker = sys.spawn(
    [](caf::stateful_actor<detail::asker_state>* self,
       std::shared_ptr<gathering<Answer>> to, std::vector<ask<Message>> what,
       decltype(asker_how) rule) {
      auto all = detail::ask_all<Answer>(self, to, std::move(what), rule,
                                         detail::no_limit,
                                         [self] { self->quit(); });
      self->set_exit_handler(
        [self, weak = std::weak_ptr{all}](caf::exit_msg& x) {
          if (auto open = weak.lock(); open && open->done)
            open->cancel();
          self->quit(x.reason);
        });
    },
    got, std::move(asks), asker_how);
  return {std::move(asker), std::move(got)};
}

/// As from an actor, for a plain thread, which waits for `within` at most: then
/// who is missing has failed with `sec::request_timeout` and its name. Throws
/// `misuse` if the system is that of a simulation.
template <class Answer, class Message, gather_policy Policy>
auto gather(caf::actor_system& sys, std::vector<ask<Message>> asks, Policy how,
            duration within = gather_within) {
  detail::check_patience(within);
  detail::check_has_threads(sys);
  auto all = start_gather<Answer>(sys, std::move(asks), how);
  all.got->wait(within, how);
  return all.end(how, caf::sec::request_timeout,
                 detail::nothing_within(within));
}

template <class Answer, class Message>
auto gather(caf::actor_system& sys, std::vector<ask<Message>> asks,
            duration within = gather_within) {
  return gather<Answer>(sys, std::move(asks), on_error::run_on, within);
}

} // namespace steward::testkit
