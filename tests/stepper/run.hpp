#pragma once

#include <steward/tests/stepper/fiber.hpp>
#include <steward/tests/stepper/search.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepper {

class object;

/// When a thread of the program saw what: how far it knows each thread to be.
/// One entry more for what is made before the threads begin.
using vector_clock = std::array<std::uint32_t, threads_max + 1>;

/// What a thread is about to do. Lives on its stack.
class operation {
public:
  explicit operation(const char* verb, const object* what = nullptr)
    : verb_(verb), what_(what) {
  }

  virtual ~operation() = default;

  /// Whether it can be done now.
  virtual bool ready() const {
    return true;
  }

  /// Whether it can fail now for no reason.
  virtual bool may_fail() const {
    return false;
  }

  /// Whether there are times at which it cannot be done.
  virtual bool may_wait() const {
    return false;
  }

  /// Whether it need not be done: the run is at its end when all that is left
  /// are threads about to do something like that, and cannot.
  virtual bool may_rest() const {
    return false;
  }

  const char* verb() const {
    return verb_;
  }

  const object* what() const {
    return what_;
  }

private:
  const char* verb_;
  const object* what_;
};

/// How a value is shown; by its number otherwise.
using show_value = std::string (*)(std::uint64_t);

/// The name of one instrumented member, and how its value is shown.
struct member {
  const char* name;
  show_value show = nullptr;
};

/// What all runs of one exploration know: which checks look at which object.
struct watch_list {
  std::vector<std::uint32_t> checks; ///< of each object, a bit each
  bool grew = false;
};

/// One execution of a program, step by step. A program is set up on it, then it
/// is executed once.
class run {
public:
  explicit run(watch_list& watched, bool traced = false);
  ~run();
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  // -- setting up -------------------------------------------------------------

  /// What it does before its first operation happens before all else.
  void thread(std::string name, std::function<void()> body);

  /// Called before the first step and after each; it calls `must`. Looks at
  /// instrumented objects only, which is no step here.
  void always(std::function<void()> check);

  /// Called when all threads have ended.
  void at_end(std::function<void()> check);

  /// Says how it all ended, so that two searches can be compared.
  void ends_as(std::function<std::string()> in_words);

  /// Names what is instrumented in `x`, in the order of the members.
  template <class T>
  void name(const T& x, std::string what, std::vector<member> members = {}) {
    name_range(&x, sizeof(T), std::move(what), std::move(members));
  }

  /// Keeps something alive as long as the run.
  void keep(std::shared_ptr<void> what);

  // -- executing --------------------------------------------------------------

  /// Whether nothing broke.
  bool execute(chooser& by);

  const std::string& failure() const {
    return failure_;
  }

  const std::vector<choice>& choices() const {
    return choices_;
  }

  /// One line per step, if it is traced.
  const std::vector<std::string>& trace() const {
    return trace_;
  }

  std::string end_in_words() const {
    return ends_as_ ? ends_as_() : std::string{};
  }

  // -- what instrumented objects and programs call ----------------------------

  /// The one that is being set up or executed; null without one.
  static run* current();

  /// Waits for the turn of the calling thread; false if the operation must
  /// fail. At once if no thread of the program is running.
  bool step(const operation& op);

  /// The thread that runs touches this, too.
  void touch(object_id what, bool writes);

  /// What the step did, for the trace.
  void note(const object& what, std::uint64_t before,
            std::optional<std::uint64_t> after = std::nullopt);

  bool traced() const {
    return traced_;
  }

  object_id made(const object& what);
  void gone(const object& what);

  /// Whether somebody only looks, who must learn nothing by it.
  bool looks_on() const {
    return stage_ == stage::checks || holds_turn_;
  }

  /// The clock of the thread that runs.
  vector_clock& clock();

  /// Its number in the clock.
  std::size_t self() const {
    return running_ == nobody ? threads_max : running_;
  }

  /// Whether operations are no steps for now.
  void hold_turn(bool on) {
    holds_turn_ = on;
  }

  void reach(std::string_view what) {
    reached_.emplace(what);
  }

  const std::set<std::string, std::less<>>& reached() const {
    return reached_;
  }

  [[noreturn]] void fail(std::string what);

private:
  struct thread_state {
    std::string name;
    std::function<void()> body;
    std::unique_ptr<fiber> place;
    const operation* pending = nullptr;
    bool fails = false;
    bool ended = false;
    std::uint16_t made = 0;
    vector_clock clock{};
  };

  struct named {
    std::size_t size;
    std::string what;
    std::vector<member> members;
  };

  struct broken {};
  enum class stage { setup, beginning, steps, checks, end };

  void name_range(const void* begin, std::size_t size, std::string what,
                  std::vector<member> members);
  void begin_threads();
  void live(std::size_t thread);
  void end_step();
  void check_all();
  std::size_t decide();
  bool at_rest() const;
  void join_clocks();
  void pass_turn();
  void leave_for(std::size_t thread);
  std::string who_waits() const;
  std::pair<std::string, show_value> describe(const object& what) const;

  watch_list& watched_;
  bool traced_;
  chooser* by_ = nullptr;
  stage stage_ = stage::setup;
  fiber outside_; // who called `execute`
  std::vector<thread_state> threads_;
  std::size_t running_ = nobody;
  std::uint16_t made_ = 0;
  vector_clock clock_{};
  footprint touched_;
  bool resting_ = false;  // nothing but ends is left, in a fixed order
  bool failed_ = false;   // something did, for no reason: once is enough
  bool stepping_ = false; // the running thread is in a step that was picked
  bool holds_turn_ = false;
  std::vector<std::function<void()>> always_;
  std::size_t checking_ = 0; // which check
  std::function<void()> at_end_;
  std::function<std::string()> ends_as_;
  std::vector<std::shared_ptr<void>> kept_;
  std::string failure_;
  std::vector<choice> choices_;
  std::size_t steps_ = 0;
  std::vector<std::string> trace_;
  std::set<const void*, std::less<>> objects_; // if it is traced
  std::map<const void*, named, std::less<>> names_;
  std::set<std::string, std::less<>> reached_;
};

/// Breaks the run unless `holds`: from a thread of the program or a check.
void must(bool holds, std::string_view what);

/// A situation that the program shall get into in some run.
void reached(std::string_view what);

/// What `f` does belongs to the step before it: it looks at things, and others
/// do not go on meanwhile.
template <class F>
void at_once(F f) {
  auto& r = *run::current();
  r.hold_turn(true);
  f();
  r.hold_turn(false);
}

/// A step that touches nothing by itself: others may go on meanwhile.
void let_others();

} // namespace stepper
