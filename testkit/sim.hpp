#pragma once

#include <steward/core/timepiece.hpp>
#include <steward/messages/caf.hpp>
#include <steward/testkit/failure.hpp>
#include <steward/testkit/schedule.hpp>
#include <steward/testkit/trace.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

namespace caf::scheduler {
class test_coordinator;
}

namespace steward::testkit {

class probe;

/// With what a simulation runs.
struct sim_options {
  /// Who comes next.
  schedule::options order = {};

  /// Where the virtual time starts.
  time_point start = time_point{std::chrono::hours{24 * 365 * 50}};

  /// Keep what happened, for reports. Costs most of the speed.
  bool traced = false;

  /// Keep a digest of what messages say, too. Costs half of the speed.
  bool digests_contents = false;

  /// More steps than that while time stands still mean that it never comes to
  /// rest. What is waited for without a limit of its own must come in so many.
  std::size_t steps_max = 1'000'000;
};

/// An actor system in one thread and in virtual time: a step is one message,
/// the start of an actor or a timer, and a schedule says whose. Nothing blocks
/// and nothing sleeps. Actors with threads of their own are refused before they
/// do anything. What leaves an actor unhandled is a `failure`: an exception, an
/// error, a message; unless the actor has a handler for it. One thread, the one
/// that made it: what runs the simulation throws `misuse` in any other.
class sim {
public:
  explicit sim(sim_options options = {});

  /// With a configuration of one's own, which outlives the simulation and is as
  /// before when that ends. Throws `misuse` if it loads modules of CAF, which
  /// have threads.
  sim(caf::actor_system_config& cfg, sim_options options = {});

  sim(const sim&) = delete;
  sim& operator=(const sim&) = delete;

  /// Ends all actors.
  ~sim();

  caf::actor_system& system() noexcept {
    return *sys_;
  }

  // -- actors -----------------------------------------------------------------

  /// As `caf::actor_system::spawn`.
  template <class F, class... Ts>
  auto spawn(F&& f, Ts&&... xs) {
    static_assert(!takes_blocking_actor<std::decay_t<F>>,
                  "a blocking actor has a thread of its own and cannot be "
                  "simulated; use an event-based one");
    return checked([&] {
      using self = typename first_argument<std::decay_t<F>>::type;
      if constexpr (sizeof...(Ts) > 0 || std::is_void_v<self>)
        return sys_->spawn(std::forward<F>(f), std::forward<Ts>(xs)...);
      else // without arguments CAF 0.17.6 reads what is not there
        return sys_->spawn([f = std::decay_t<F>(std::forward<F>(f))](
                             self* x, caf::unit_t) mutable { return f(x); },
                           caf::unit);
    });
  }

  /// The same for actors that are classes.
  template <class Impl, caf::spawn_options Options = caf::no_spawn_options,
            class... Ts>
  auto spawn(Ts&&... xs) {
    static_assert(!caf::has_detach_flag(Options),
                  "a detached actor has a thread of its own and cannot be "
                  "simulated");
    return checked(
      [&] { return sys_->spawn<Impl, Options>(std::forward<Ts>(xs)...); });
  }

  /// An actor that a test speaks for.
  testkit::probe probe(std::string name);

  /// Calls `who` so in reports.
  void call(const caf::actor& who, std::string name);

  /// What `who` was called by that; empty if nothing.
  std::string called(const caf::actor& who) const;

  /// Ends an actor without its consent, before it reads any other mail.
  void kill(const caf::actor& who);

  /// Lets actors of this name, be it CAF's or that of `call`, leave errors and
  /// messages to CAF, which ends who gets such an error and drops the message.
  void allow_unhandled(std::string name) {
    careless_.insert(shown(name));
  }

  /// Throws `misuse` that says `why` if the handle is null, or is of an actor
  /// somewhere else.
  void require_actor(const caf::actor& who, const std::string& why) const;

  // -- time and steps ---------------------------------------------------------

  /// A duration in any unit. What is longer than a `duration` can be is the
  /// longest there is.
  struct how_long {
    template <class Rep, class Period>
    how_long(std::chrono::duration<Rep, Period> d) {
      using exact = std::chrono::duration<long double, duration::period>;
      auto most = exact{duration::max()};
      auto wanted = exact{d};
      value = wanted >= most    ? duration::max()
              : wanted <= -most ? -duration::max()
                                : std::chrono::duration_cast<duration>(d);
    }

    duration value;
  };

  time_point now() const noexcept {
    return time_->now();
  }

  /// The same without what a late clock has left out: goes on and never back.
  time_point wall() const noexcept;

  /// The virtual time, for who needs to read it.
  const std::shared_ptr<timepiece>& time() const noexcept {
    return time_;
  }

  /// One message or start; if there is none or the schedule says so, a timer.
  /// False if there is neither. Throws `failure`.
  bool step();

  /// The same, but time goes no further than `limit`; it is `limit` if the
  /// result is false.
  bool step_until(time_point limit);

  /// Goes on until nobody has mail. Time stands still.
  void settle();

  /// Goes on for so long, from due time to due time. Throws `misuse` if that is
  /// less than nothing.
  void run_for(how_long d);

  /// Goes on until `done()`, and says whether it is. If it never is, `patience`
  /// has passed in the end.
  bool run_until(const std::function<bool()>& done,
                 how_long patience = std::chrono::hours{24});

  /// Goes on until `done()`, for a virtual day and for `steps_max` steps at
  /// most, which is soon where somebody's timer goes on and on. Throws `missing`
  /// if it never is; of too many steps it says so.
  void wait_for(const std::function<bool()>& done, const failure& missing);

  /// Moves time on without a step, as when a machine sleeps: all timers that
  /// became due meanwhile are late.
  void oversleep(how_long d);

  /// Asked before a timer fires: how much later than due. Others that become
  /// due meanwhile are late, too.
  void late_if(std::function<duration()> by) {
    late_ = std::move(by);
  }

  std::uint64_t steps() const noexcept {
    return steps_;
  }

  /// Whether nobody has mail.
  bool at_rest() const;

  /// Whether nothing is left to happen before time goes on.
  bool is_settled() const {
    return at_rest() && next_timer() > wall();
  }

  /// How many actors live that CAF calls so, as far as they ever had mail.
  std::size_t living(std::string_view name) const;

  /// Whether a timer is set, be it for an actor that has ended.
  bool has_timer() const;

  /// Settles; then no timer is set, no actor but probes lives, and no question
  /// of a probe is open. Throws `failure` that says what there is.
  void expect_quiescent();

  /// What is not as `expect_quiescent` wants it; empty if all is.
  std::string not_quiescent();

  // -- what happened ----------------------------------------------------------

  /// Called after each step. What it throws comes out of `step`.
  void after_each_step(std::function<void()> f) {
    after_step_.push_back(std::move(f));
  }

  /// Asked about each message before it reaches its actor: whether it is to
  /// arrive a second time, later. That one is asked about, too.
  void twice_if(std::function<bool(const cafx::content&)> f) {
    twice_ = std::move(f);
  }

  /// Reports something wrong from where one must not throw: it comes out of
  /// the current step, or of the next one. The first report counts.
  void report(failure what);

  /// What was reported first, thrown or not.
  const std::optional<failure>& reported() const noexcept {
    return reported_;
  }

  /// Throws what was reported and was not thrown yet.
  void raise();

  /// From now on nothing is judged and nothing is thrown: for a tear-down after
  /// a failure.
  void stop_judging() noexcept;

  /// A digest of all that happened, who got which type of message and when:
  /// equal for equal runs, with every compiler.
  std::uint64_t hash() const noexcept {
    return hash_;
  }

  /// A digest of what messages said, if `digests_contents`. What nobody can print
  /// counts by its type: see `describe`. Equal within one process.
  std::uint64_t contents() const noexcept {
    return contents_;
  }

  schedule& order() noexcept {
    return order_;
  }

  void set_order(schedule order) {
    order_ = std::move(order);
  }

  /// All that happened, if `traced`.
  const trace& events() const noexcept {
    return trace_;
  }

  /// How messages of the type `T` are written in reports: `f(const T&)` makes
  /// the text.
  template <class T, class F>
  void describe(F f) {
    trace_.describe(typeid(T), [f = std::move(f)](const void* x) {
      return std::string{f(*static_cast<const T*>(x))};
    });
  }

private:
  friend class testkit::probe;

  class lent_config;
  struct virtual_time;

  // What may be read in a step.
  struct letter {
    const caf::mailbox_element* which;
    std::string from;
    std::string what;
  };

  template <class F, class = void>
  struct first_argument {
    using type = void;
  };
  template <class F>
  struct first_argument<F, std::void_t<decltype(&F::operator())>>
    : first_argument<decltype(&F::operator())> {};
  template <class R, class A, class... As>
  struct first_argument<R (*)(A, As...)> {
    using type = std::remove_pointer_t<A>;
  };
  template <class C, class R, class A, class... As>
  struct first_argument<R (C::*)(A, As...) const> {
    using type = std::remove_pointer_t<A>;
  };
  template <class C, class R, class A, class... As>
  struct first_argument<R (C::*)(A, As...)> {
    using type = std::remove_pointer_t<A>;
  };

  template <class F>
  static constexpr bool takes_blocking_actor
    = std::is_base_of_v<caf::blocking_actor, typename first_argument<F>::type>;

  template <class F>
  auto checked(F f) {
    auto result = f();
    if (has_threads())
      refuse_threads("the test spawned " + kind_of(result));
    return result;
  }

  template <class Handle>
  static std::string kind_of(const Handle& who) {
    auto& real = *caf::actor_cast<caf::abstract_actor*>(who);
    return short_type_name(typeid(real)) + " (actor " + std::to_string(who.id())
           + ")";
  }

  std::string name_of(const caf::actor& who) const;
  bool run_one(time_point limit);
  void run_job(std::size_t index);
  void look_at(caf::scheduled_actor& who, caf::mailbox_element* mail);
  void tell(caf::scheduled_actor& who, caf::mailbox_element* mail);
  void tell_what_was_read(caf::scheduled_actor& who);
  std::string sender_of(const caf::mailbox_element& mail) const;
  void run_now(const caf::actor& who);
  bool stands_still(std::uint64_t since, const char* where) const;
  std::string next_in_line() const;
  void fire_timer(time_point due);
  void note(std::uint64_t actor, std::uint64_t what);
  void meet(caf::scheduled_actor& who);
  void hear_of(caf::scheduled_actor& who);
  void unhandled(caf::scheduled_actor& who, const std::string& what);
  bool has_threads() const;
  [[noreturn]] static void refuse_threads(const std::string& who);
  void died(caf::scheduled_actor& who, const std::exception_ptr& why);
  void set_time(time_point t);
  time_point next_timer() const;
  sim_options options_;
  std::unique_ptr<lent_config> lent_;
  std::unique_ptr<caf::actor_system> sys_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::shared_ptr<timepiece> time_;
  virtual_time* virtual_time_ = nullptr;
  schedule order_;
  trace trace_;
  std::vector<letter> letters_; // in the mailbox of whose step it is, if traced
  std::size_t told_ = 0;        // the number of that step's event
  std::vector<std::uint64_t> ready_; // ids of those with mail, as in the queue
  std::vector<caf::actor_addr> met_; // by id; all that ever had mail
  std::vector<std::function<void()>> after_step_;
  std::function<bool(const cafx::content&)> twice_;
  std::function<duration()> late_;
  std::vector<std::weak_ptr<const std::string>> questions_; // of probes
  std::exception_ptr wrong_;                                // not thrown yet
  std::optional<failure> reported_;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_before_now_ = 0; // when time went on last
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::uint64_t contents_ = 0;
  std::vector<caf::actor_addr> probes_;
  std::set<std::string> careless_; // see `allow_unhandled`
  bool deviates_ = false;          // this step is out of plain order
  bool stepping_ = false;
  bool judging_ = true;
  std::thread::id thread_ = std::this_thread::get_id();
};

} // namespace steward::testkit
