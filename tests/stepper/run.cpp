#include <steward/tests/stepper/run.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace stepper {

namespace {

// More than any program here can take.
constexpr std::size_t steps_max = 5000;

// Stands for the one failure for no reason that a run may have.
constexpr object_id bad_luck = 0xffff;

run* the_current = nullptr;

// Stacks to be used again.
std::vector<std::unique_ptr<fiber>>& spare_fibers() {
  static std::vector<std::unique_ptr<fiber>> result;
  return result;
}

} // namespace

run* run::current() {
  return the_current;
}

run::run(watch_list& watched, bool traced)
  : watched_(watched), traced_(traced) {
  the_current = this;
  clock_[threads_max] = 1;
}

run::~run() {
  always_.clear();
  at_end_ = nullptr;
  ends_as_ = nullptr;
  for (auto& t : threads_)
    t.body = nullptr;
  kept_.clear();
  if (the_current == this)
    the_current = nullptr;
  for (auto& t : threads_)
    spare_fibers().push_back(std::move(t.place));
}

// -- setting up ---------------------------------------------------------------

void run::thread(std::string name, std::function<void()> body) {
  if (threads_.size() == threads_max)
    fail("too many threads");
  thread_state t;
  t.name = std::move(name);
  t.body = std::move(body);
  if (spare_fibers().empty()) {
    t.place = std::make_unique<fiber>();
  } else {
    t.place = std::move(spare_fibers().back());
    spare_fibers().pop_back();
  }
  threads_.push_back(std::move(t));
}

void run::always(std::function<void()> check) {
  always_.push_back(std::move(check));
}

void run::at_end(std::function<void()> check) {
  at_end_ = std::move(check);
}

void run::ends_as(std::function<std::string()> in_words) {
  ends_as_ = std::move(in_words);
}

void run::keep(std::shared_ptr<void> what) {
  kept_.push_back(std::move(what));
}

// -- executing ----------------------------------------------------------------

bool run::execute(chooser& by) {
  by_ = &by;
  try {
    begin_threads();
    stage_ = stage::steps;
    check_all();
    auto first = failure_.empty() ? decide() : nobody;
    if (first != nobody) {
      running_ = first;
      fiber::go(outside_, *threads_[first].place);
    }
    stage_ = stage::end;
    join_clocks();
    if (failure_.empty() && at_end_)
      at_end_();
  } catch (const broken&) {
    // `failure_` says it.
  }
  return failure_.empty();
}

// Each goes up to its first operation.
void run::begin_threads() {
  stage_ = stage::beginning;
  for (std::size_t i = 0; i < threads_.size() && failure_.empty(); ++i) {
    threads_[i].clock = clock_;
    threads_[i].clock[i] = 1;
    threads_[i].place->prepare([this, i] { live(i); });
    running_ = i;
    fiber::go(outside_, *threads_[i].place);
  }
}

void run::live(std::size_t thread) {
  try {
    threads_[thread].body();
  } catch (const std::exception& e) {
    fail(std::string{"an exception leaves the thread: "} + e.what());
  }
  threads_[thread].ended = true;
  if (stage_ == stage::beginning)
    leave_for(nobody);
  end_step();
  leave_for(decide());
}

bool run::step(const operation& op) {
  if (running_ == nobody || looks_on())
    return true;
  auto me = running_;
  threads_[me].pending = &op;
  if (stage_ == stage::beginning) {
    leave_for(nobody);
  } else {
    end_step();
    pass_turn();
  }
  auto& t = threads_[me];
  t.pending = nullptr;
  ++t.clock[me];
  stepping_ = true;
  touched_ = {};
  if (op.may_wait())
    touched_.waits();
  if (t.fails) // no other can
    touched_.add(bad_luck, true, 0);
  if (traced_) {
    auto what = op.what() != nullptr ? describe(*op.what()).first : "";
    char text[160];
    std::snprintf(text, sizeof text, "%4zu  %-12s %-22s %-18s", trace_.size(),
                  t.name.c_str(), t.fails ? "fails for no reason" : op.verb(),
                  what.c_str());
    trace_.emplace_back(text);
  }
  return !t.fails;
}

void run::end_step() {
  if (!std::exchange(stepping_, false))
    return;
  if (!resting_)
    by_->took(touched_);
  check_all();
}

void run::check_all() {
  auto before = std::exchange(stage_, stage::checks);
  for (checking_ = 0; checking_ < always_.size(); ++checking_)
    always_[checking_]();
  stage_ = before;
}

// Who goes on; nobody if all have ended.
std::size_t run::decide() {
  crossroads at;
  at.running = running_;
  thread_set left = 0;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const auto& t = threads_[i];
    if (t.ended)
      continue;
    left |= only(i);
    if (!t.pending->ready())
      continue;
    at.ready |= only(i);
    if (!failed_ && t.pending->may_fail())
      at.may_fail |= only(i);
  }
  if (left == 0)
    return nobody;
  if (at.ready == 0 && at_rest()) {
    resting_ = true;
    join_clocks();
    at.ready = left;
  }
  if (at.ready == 0)
    fail("deadlock: " + who_waits());
  if (steps_++ == steps_max)
    fail("no end after " + std::to_string(steps_max) + " steps");
  if (resting_)
    return static_cast<std::size_t>(std::countr_zero(at.ready));
  choice next;
  try {
    next = by_->pick(at);
  } catch (const std::exception& e) {
    fail(e.what());
  }
  choices_.push_back(next);
  threads_[next.thread].fails = next.fails;
  failed_ = failed_ || next.fails;
  return next.thread;
}

bool run::at_rest() const {
  return std::all_of(threads_.begin(), threads_.end(), [](const auto& t) {
    return t.ended || t.pending->may_rest();
  });
}

// Everybody knows of everything now.
void run::join_clocks() {
  for (const auto& t : threads_)
    for (std::size_t i = 0; i < clock_.size(); ++i)
      clock_[i] = std::max(clock_[i], t.clock[i]);
  for (auto& t : threads_)
    t.clock = clock_;
}

void run::pass_turn() {
  auto next = decide();
  if (next != running_)
    leave_for(next);
}

void run::leave_for(std::size_t thread) {
  auto& from = *threads_[running_].place;
  running_ = thread;
  fiber::go(from, thread == nobody ? outside_ : *threads_[thread].place);
}

void run::fail(std::string what) {
  failure_ = std::move(what);
  if (running_ == nobody)
    throw broken{};
  leave_for(nobody);
  std::abort(); // nobody comes back to a broken run
}

// -- what instrumented objects call -------------------------------------------

void run::touch(object_id what, bool writes) {
  auto& checks = watched_.checks;
  if (stage_ == stage::checks) {
    if (what >= checks.size())
      checks.resize(what + std::size_t{1});
    auto bit = std::uint32_t{1} << checking_ % 32;
    watched_.grew = watched_.grew || (checks[what] & bit) == 0;
    checks[what] |= bit;
  } else if (stepping_) {
    touched_.add(what, writes, what < checks.size() ? checks[what] : 0);
  }
}

object_id run::made(const object& what) {
  constexpr std::size_t per_thread = 4096;
  if (traced_)
    objects_.insert(&what);
  auto& n = running_ == nobody ? made_ : threads_[running_].made;
  auto of_thread = (running_ + 1) % (nobody + 1);
  if (n == per_thread)
    fail("too many objects");
  return static_cast<object_id>(of_thread * per_thread + n++);
}

void run::gone(const object& what) {
  if (traced_)
    objects_.erase(&what);
}

vector_clock& run::clock() {
  return running_ == nobody ? clock_ : threads_[running_].clock;
}

void must(bool holds, std::string_view what) {
  if (!holds)
    run::current()->fail(std::string{what});
}

void reached(std::string_view what) {
  run::current()->reach(what);
}

void let_others() {
  run::current()->step(operation{"let others"});
}

// -- in words -----------------------------------------------------------------

void run::name_range(const void* begin, std::size_t size, std::string what,
                     std::vector<member> members) {
  if (traced_)
    names_[begin] = {size, std::move(what), std::move(members)};
}

// What `what` is called, and how its values are shown: by the innermost of what
// has a name.
std::pair<std::string, show_value> run::describe(const object& what) const {
  auto* at = static_cast<const char*>(static_cast<const void*>(&what));
  auto i = names_.upper_bound(at);
  while (i != names_.begin()) {
    --i;
    auto* begin = static_cast<const char*>(i->first);
    const auto& [size, name, members] = i->second;
    if (at >= begin + size)
      continue;
    auto n = static_cast<std::size_t>(
      std::distance(objects_.lower_bound(begin), objects_.lower_bound(at)));
    if (n < members.size())
      return {name + "." + members[n].name, members[n].show};
    return {n == 0 ? name : name + "[" + std::to_string(n) + "]", nullptr};
  }
  return {"?", nullptr};
}

void run::note(const object& what, std::uint64_t before,
               std::optional<std::uint64_t> after) {
  if (!stepping_ || holds_turn_)
    return;
  auto show = describe(what).second;
  auto text = [show](std::uint64_t x) {
    return show != nullptr ? show(x) : std::to_string(x);
  };
  trace_.back() += " " + text(before);
  if (after)
    trace_.back() += " -> " + text(*after);
}

std::string run::who_waits() const {
  std::string result;
  for (const auto& t : threads_) {
    if (t.ended)
      continue;
    if (!result.empty())
      result += ", ";
    result += t.name + " waits to " + t.pending->verb();
  }
  return result;
}

} // namespace stepper

// An assertion of the code under test that does not hold is a failure like any
// other, with the steps that led to it.
// NOLINTNEXTLINE(bugprone-reserved-identifier): it is the C library's name
extern "C" void __assert_fail(const char* what, const char* file,
                              unsigned int line,
                              const char* function) noexcept {
  if (auto* r = stepper::run::current())
    r->fail(std::string{"assertion: "} + what);
  std::fprintf(stderr, "%s:%u: %s: assertion: %s\n", file, line, function,
               what);
  std::abort();
}
