#pragma once

#include <steward/messages/caf.hpp>

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// "All of them, errors as values": start many things at once, have all their
// ends in order. A failure stops nothing; what hangs is an error of its own.

namespace steward::testkit {

/// What `gather` waits for, in all, unless told otherwise.
inline constexpr std::chrono::nanoseconds gather_within
  = std::chrono::seconds{20};

namespace detail {

template <class T>
struct gathered {
  using type = caf::expected<T>;
};

template <class T>
struct gathered<caf::expected<T>> : gathered<T> {};

inline caf::error thrown(std::string what) {
  return caf::make_error(caf::sec::runtime_error, std::move(what));
}

/// What the callers and whoever waits for them share; outlives both.
template <class Expected>
struct gathering {
  explicit gathering(std::size_t n)
    : start(static_cast<std::ptrdiff_t>(n)), missing(n) {
    for (std::size_t i = 0; i < n; ++i)
      results.push_back(Expected{caf::sec::request_timeout});
  }

  void put(std::size_t i, Expected x) {
    std::lock_guard lock{guard};
    if (!over)
      results[i] = std::move(x);
    if (--missing == 0)
      all_done.notify_all();
  }

  /// What there is after `within` at most; whether that is all.
  bool take(std::chrono::nanoseconds within, std::vector<Expected>& to) {
    std::unique_lock lock{guard};
    auto complete = all_done.wait_for(lock, within,
                                      [this] { return missing == 0; });
    over = true;
    to = std::move(results);
    return complete;
  }

  std::latch start;
  std::mutex guard;
  std::condition_variable all_done;
  std::vector<Expected> results;
  std::size_t missing;
  bool over = false;
};

template <class Expected, class Call>
Expected value_or_error(const Call& call, std::size_t i) {
  try {
    if constexpr (std::is_void_v<
                    std::invoke_result_t<const Call&, std::size_t>>)
      return call(i), Expected{caf::unit};
    else
      return Expected{call(i)};
  } catch (const std::exception& e) {
    return Expected{thrown(e.what())};
  } catch (...) {
    return Expected{thrown("something that is no std::exception")};
  }
}

} // namespace detail

/// Calls `call(0)` to `call(n - 1)` at once, each in a thread of its own behind
/// a barrier, and returns what became of them, in order: the value, the error
/// of a `caf::expected`, `sec::runtime_error` for an exception. A call that is
/// not back after `within` counts as `sec::request_timeout`; its thread is let
/// go, so it must not use what ends with the caller.
template <std::invocable<std::size_t> Call>
auto gather(std::size_t n, Call call,
            std::chrono::nanoseconds within = gather_within) {
  using result = typename detail::gathered<
    std::invoke_result_t<const Call&, std::size_t>>::type;
  auto all = std::make_shared<detail::gathering<result>>(n);
  auto shared = std::make_shared<const Call>(std::move(call));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) {
    try {
      threads.emplace_back([all, i, mine = shared]() mutable {
        all->start.arrive_and_wait();
        auto outcome = detail::value_or_error<result>(*mine, i);
        mine.reset(); // before anybody hears that it has ended
        all->put(i, std::move(outcome));
      });
    } catch (const std::system_error& e) { // the others do not wait for it
      all->start.count_down();
      all->put(i, detail::thrown(e.what()));
    }
  }
  shared.reset();
  std::vector<result> results;
  auto complete = all->take(within, results);
  for (auto& t : threads)
    complete ? t.join() : t.detach();
  return results;
}

/// The same with callables of their own.
template <std::invocable Call>
auto gather(std::vector<Call> calls,
            std::chrono::nanoseconds within = gather_within) {
  auto n = calls.size();
  auto shared = std::make_shared<std::vector<Call>>(std::move(calls));
  return gather(
    n, [shared](std::size_t i) { return (*shared)[i](); }, within);
}

/// A message, and to whom.
template <class Message>
struct ask {
  caf::actor to;
  Message what;
};

/// Sends all of `asks` at once from the actor `self` and calls
/// `then(std::vector<caf::expected<Answer>>)` once, in `self`, when all are
/// answered, in their order. At once if there are none. Has no limit of its
/// own: a receiver answers or dies.
template <class Answer, class Self, class Message, class F>
void gather(Self* self, std::vector<ask<Message>> asks, F then) {
  using result = caf::expected<Answer>;
  struct collected {
    std::vector<result> results;
    std::size_t missing;
    F then;
  };
  if (asks.empty())
    return static_cast<void>(then(std::vector<result>{}));
  auto all = std::make_shared<collected>(collected{
    std::vector<result>(asks.size(), result{caf::sec::request_timeout}),
    asks.size(), std::move(then)});
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto put = [all, i](result x) {
      all->results[i] = std::move(x);
      if (--all->missing == 0)
        all->then(std::move(all->results));
    };
    cafx::request(self, asks[i].to, std::move(asks[i].what))
      .then([put](const Answer& x) { put(result{x}); },
            [put](const caf::error& e) { put(result{e}); });
  }
}

/// The same from a plain thread: one actor asks, the caller waits, for `within`
/// at most; then nobody has an answer (`sec::request_timeout`) and the actor
/// ends.
template <class Answer, class Message>
std::vector<caf::expected<Answer>>
gather(caf::actor_system& sys, std::vector<ask<Message>> asks,
       std::chrono::nanoseconds within = gather_within) {
  using results = std::vector<caf::expected<Answer>>;
  auto n = asks.size();
  auto all = std::make_shared<std::promise<results>>();
  auto answer = all->get_future();
  // All by arguments: 0.17.6 dereferences null where there are none.
  auto asker = sys.spawn(
    [](caf::event_based_actor* self, std::shared_ptr<std::promise<results>> to,
       std::vector<ask<Message>> what) {
      gather<Answer>(self, std::move(what),
                     [to](results x) { to->set_value(std::move(x)); });
    },
    std::move(all), std::move(asks));
  if (answer.wait_for(within) == std::future_status::ready)
    return answer.get();
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  return results(n, caf::expected<Answer>{caf::sec::request_timeout});
}

} // namespace steward::testkit
