#include <steward/testkit/sim.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/runtime/surroundings.hpp>
#include <steward/testkit/internal/threads.hpp>
#include <steward/testkit/probe.hpp>
#include <steward/testkit/random_stream.hpp>

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

namespace steward::testkit {

namespace {

// One of its own for each thread, as systems of several threads may read it.
caf::actor_system_config& default_config() {
  thread_local caf::actor_system_config cfg;
  return cfg;
}

constexpr char policy_option[] = "scheduler.policy";

void refuse_modules(const caf::actor_system_config& cfg) {
  // Those that there are have threads; none can be asked its name before it runs.
  if (!cfg.module_factories.empty())
    throw misuse("a configuration with modules",
                 "it loads a module of CAF, such as io::middleman, which has "
                 "threads of its own; give the simulation one that loads none");
}

constexpr std::size_t teardown_rounds_max = 100;

constexpr std::uint64_t mixed(std::uint64_t digest, std::uint64_t more) {
  return (digest ^ more) * 0x100000001b3ULL;
}

} // namespace

// Makes a configuration one for simulations, and puts it back in the end.
class sim::lent_config {
public:
  explicit lent_config(caf::actor_system_config& cfg)
    : cfg_(cfg), policy_(caf::get_or(cfg, policy_option,
                                     caf::defaults::scheduler::policy)),
      simulated_(caf::get_or(cfg, surroundings::simulated_option, false)) {
#if STEWARD_CAF_1
#  error "the simulation knows the test scheduler of CAF 0.17.6 only"
#endif
    refuse_modules(cfg);
    hold_threads_of(cfg);
    set(caf::atom("testing"), true);
  }

  lent_config(const lent_config&) = delete;
  lent_config& operator=(const lent_config&) = delete;

  ~lent_config() {
    set(policy_, simulated_);
  }

private:
  void set(caf::atom_value how, bool simulated) {
    cfg_.set(policy_option, how);
    caf::put(cfg_.content, surroundings::simulated_option, simulated);
  }

  caf::actor_system_config& cfg_;
  caf::atom_value policy_;
  bool simulated_;
};

// -- time ---------------------------------------------------------------------

/// Follows the clock of the scheduler, less what was left out.
struct sim::virtual_time final : timepiece {
  explicit virtual_time(time_point start) : wall(start) {
  }

  time_point now() const noexcept override {
    return wall - left_out;
  }

  time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(duration lost) noexcept override {
    left_out += lost;
  }

  time_point wall;
  duration left_out{0};
};

// -- construction and destruction ---------------------------------------------

sim::sim(sim_options options) : sim(default_config(), std::move(options)) {
}

sim::sim(caf::actor_system_config& cfg, sim_options options)
  : options_(std::move(options)), lent_(std::make_unique<lent_config>(cfg)),
    sys_(std::make_unique<caf::actor_system>(cfg)), order_(options_.order) {
  scheduler_
    = &dynamic_cast<caf::scheduler::test_coordinator&>(sys_->scheduler());
  auto time = std::make_shared<virtual_time>(options_.start);
  virtual_time_ = time.get();
  time_ = std::move(time);
  set_time(options_.start);
  // Whoever lives here lives as long as the test says.
  sys_->await_actors_before_shutdown(false);
}

sim::~sim() {
  stop_judging();
  if (sys_->detached_actors() > 0) {
    lose(std::move(sys_));
    return;
  }
  stepping_ = true; // nobody waits for anything any more
  for (std::size_t i = 0; i < teardown_rounds_max; ++i) {
    for (auto& who : met_)
      if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(who))
        kill(caf::actor_cast<caf::actor>(alive));
    scheduler_->clock().cancel_all();
    if (scheduler_->jobs.empty())
      break;
    while (!scheduler_->jobs.empty()) {
      // Before it runs any more: what its handlers refer to may be gone.
      auto& who = static_cast<caf::scheduled_actor&>(*scheduler_->jobs.front());
      meet(who);
      kill(caf::actor_cast<caf::actor>(who.ctrl()));
      scheduler_->try_run_once();
    }
  }
  sys_.reset(); // as long as there is all that actors know
}

// -- actors -------------------------------------------------------------------

testkit::probe sim::probe(std::string name) {
  return testkit::probe{*this, std::move(name)};
}

void sim::call(const caf::actor& who, std::string name) {
  require_actor(who, "nobody can be called \"" + name + '"');
  trace_.call(who.id(), std::move(name));
}

std::string sim::called(const caf::actor& who) const {
  const auto* name = who ? trace_.called(who.id()) : nullptr;
  return name != nullptr ? *name : std::string{};
}

std::string sim::name_of(const caf::actor& who) const {
  auto* local = dynamic_cast<caf::local_actor*>(
    caf::actor_cast<caf::abstract_actor*>(who));
  return local == nullptr ? "nobody" : trace_.name_of(who.id(), local->name());
}

void sim::require_actor(const caf::actor& who, const std::string& why) const {
  if (!who)
    throw misuse("a handle to no actor", why);
  if (caf::actor_cast<caf::actor_control_block*>(who)->home_system
      != sys_.get())
    throw misuse("a handle to an actor of another system", why);
}

void sim::kill(const caf::actor& who) {
  require_actor(who, "nobody can be killed");
  // Before all mail that it has: `anon_send_exit` would come after it.
  caf::anon_send<caf::message_priority::high>(
    who, caf::exit_msg{who.address(), caf::exit_reason::kill});
}

// -- steps --------------------------------------------------------------------

void sim::set_time(time_point t) {
  if (t != virtual_time_->wall)
    steps_before_now_ = steps_;
  virtual_time_->wall = t;
  auto& clock = scheduler_->clock();
  clock.current_time = caf::actor_clock::time_point{
    std::chrono::duration_cast<caf::actor_clock::duration_type>(
      t - options_.start)};
}

time_point sim::wall() const noexcept {
  return virtual_time_->wall;
}

time_point sim::next_timer() const {
  const auto& timers = scheduler_->clock().schedule();
  if (timers.empty())
    return never;
  return options_.start + timers.begin()->first.time_since_epoch();
}

bool sim::at_rest() const {
  return scheduler_->jobs.empty();
}

bool sim::has_timer() const {
  return scheduler_->clock().has_pending_timeout();
}

bool sim::step() {
  return step_until(never);
}

bool sim::step_until(time_point limit) {
  if (std::this_thread::get_id() != thread_)
    throw misuse("a simulation in two threads",
                 "only the thread that made it runs it; whoever waits for its "
                 "actors elsewhere would run it, too");
  if (stepping_)
    throw failure("a call that blocks inside an actor",
                  "actors must not wait; use the form with callbacks");
  if (has_threads())
    refuse_threads("the test spawned an actor");
  raise(); // what was reported between two steps
  stepping_ = true;
  struct reset {
    bool& flag;
    ~reset() {
      flag = false;
    }
  } at_end{stepping_};
  if (!run_one(limit))
    return false;
  ++steps_;
  raise();
  for (auto& f : after_step_)
    f();
  raise();
  return true;
}

bool sim::run_one(time_point limit) {
  deviates_ = false;
  auto due = next_timer();
  auto& jobs = scheduler_->jobs;
  if (jobs.empty()) {
    if (due > limit) {
      if (limit > virtual_time_->wall && limit != never)
        set_time(limit);
      return false;
    }
    if (due == never)
      return false;
    fire_timer(due);
    return true;
  }
  auto timer = due <= limit && due != never;
  std::size_t chosen = 0;
  if (jobs.size() + (timer ? 1 : 0) > 1) {
    ready_.clear();
    for (auto* job : jobs)
      ready_.push_back(static_cast<caf::scheduled_actor*>(job)->id());
    chosen = order_.choose(ready_, timer);
    deviates_ = chosen != 0;
  }
  if (chosen == jobs.size())
    fire_timer(due);
  else
    run_job(chosen);
  return true;
}

void sim::run_job(std::size_t index) {
  auto& jobs = scheduler_->jobs;
  if (index > 0)
    std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(index),
                jobs.begin() + static_cast<std::ptrdiff_t>(index) + 1);
  auto* job = jobs.front();
  auto& who = *static_cast<caf::scheduled_actor*>(job);
  auto id = who.id();
  const auto* name = who.name(); // of a literal, or of a type
  meet(who);
  auto starts = !who.getf(caf::abstract_actor::is_initialized_flag);
  auto* mail = starts ? nullptr : who.peek_at_next_mailbox_element();
  note(id, mail == nullptr ? 1 : type_digest(mail->content()));
  if (options_.digests_contents && mail != nullptr)
    contents_ = mixed(contents_,
                      random_stream::fold(trace_.text_of(mail->content())));
  letters_.clear();
  if (options_.traced || twice_)
    look_at(who, mail);
  jobs.pop_front();
  // A start is a step of its own, whatever mail there is by then.
  auto next = job->resume(sys_->dummy_execution_unit(), starts ? 0 : 1);
  if (!letters_.empty())
    tell_what_was_read(who);
  // Who has more mail goes to the end of the line, as on a real scheduler.
  if (next == caf::resumable::resume_later)
    jobs.push_back(job);
  else
    caf::intrusive_ptr_release(job);
  if (has_threads()) // by whom may be gone
    refuse_threads("actor " + trace_.name_of(id, name) + " spawned another");
}

void sim::fire_timer(time_point due) {
  set_time(std::max(due, virtual_time_->wall));
  if (late_)
    oversleep(late_());
  note(0, static_cast<std::uint64_t>(due.time_since_epoch().count()));
  if (options_.traced)
    trace_.add({steps_ + 1, now(), "", "", "a timer fires", deviates_});
  scheduler_->clock().trigger_timeout();
}

void sim::note(std::uint64_t actor, std::uint64_t what) {
  hash_ = mixed(mixed(hash_, actor), what);
}

void sim::meet(caf::scheduled_actor& who) {
  auto id = who.id();
  if (id >= met_.size())
    met_.resize(id + 16);
  if (met_[id])
    return;
  met_[id] = who.address();
  hear_of(who);
}

void sim::run_now(const caf::actor& who) {
  auto& jobs = scheduler_->jobs;
  auto* wanted = caf::actor_cast<caf::abstract_actor*>(who);
  auto found = std::find_if(jobs.begin(), jobs.end(), [&](auto* job) {
    return static_cast<caf::abstract_actor*>(
             static_cast<caf::scheduled_actor*>(job))
           == wanted;
  });
  if (found != jobs.end())
    run_job(static_cast<std::size_t>(found - jobs.begin()));
}

void sim::report(failure what) {
  if (!judging_)
    return;
  if (!reported_)
    reported_ = what;
  if (!wrong_)
    wrong_ = std::make_exception_ptr(std::move(what));
}

void sim::stop_judging() noexcept {
  judging_ = false;
  after_step_.clear();
  twice_ = nullptr;
  late_ = nullptr;
  order_.be_fair();
}

void sim::raise() {
  if (wrong_ && judging_)
    std::rethrow_exception(std::exchange(wrong_, nullptr));
}

// -- runs of steps ------------------------------------------------------------

std::string sim::next_in_line() const {
  if (at_rest())
    return "a timer";
  auto& who = static_cast<caf::scheduled_actor&>(*scheduler_->jobs.front());
  return trace_.name_of(who.id(), who.name());
}

// Since step `since` at most. In a tear-down all steps count: nobody cares what
// they lead to.
bool sim::stands_still(std::uint64_t since, const char* where) const {
  auto first = judging_ ? std::max(since, steps_before_now_) : since;
  if (steps_ - first < options_.steps_max)
    return false;
  if (judging_)
    throw failure("it does not come to rest",
                  "more than " + std::to_string(options_.steps_max)
                    + " steps in one " + where + ", and time stands still at +"
                    + to_text(wall() - options_.start) + "; next comes "
                    + next_in_line());
  return true;
}

void sim::settle() {
  if (has_threads())
    refuse_threads("the test spawned an actor");
  auto first = steps_;
  while (!is_settled() && !stands_still(first, "settle"))
    step_until(virtual_time_->wall);
  raise();
}

namespace {

duration forward(const char* what, sim::how_long d) {
  if (d.value < duration::zero())
    throw misuse("bad duration", std::string{what} + " is told to go back by "
                                   + to_text(-d.value) + "; time goes on only");
  return d.value;
}

} // namespace

void sim::run_for(how_long d) {
  auto limit = later(virtual_time_->wall, forward("run_for", d));
  auto first = steps_;
  while (!stands_still(first, "run_for") && step_until(limit)) {
    // One after the other.
  }
}

bool sim::run_until(const std::function<bool()>& done, how_long patience) {
  auto limit = later(virtual_time_->wall, forward("run_until", patience));
  auto first = steps_;
  while (!done()) {
    if (stands_still(first, "run_until") || !step_until(limit))
      return done();
  }
  return true;
}

void sim::wait_for(const std::function<bool()>& done, const failure& missing) {
  auto first = steps_;
  auto start = wall();
  auto too_many = [&] { return steps_ - first >= options_.steps_max; };
  run_until([&] { return done() || too_many(); });
  if (done())
    return;
  if (!too_many())
    throw missing;
  throw failure(missing.name(),
                missing.detail() + ", not in "
                  + std::to_string(options_.steps_max) + " steps, which took "
                  + to_text(wall() - start) + " of virtual time; next comes "
                  + next_in_line());
}

void sim::oversleep(how_long d) {
  set_time(later(virtual_time_->wall, forward("oversleep", d)));
}

} // namespace steward::testkit
