#include <steward/testkit/world.hpp>

#include <steward/messages/tick.hpp>
#include <steward/storage/sqlite_store.hpp>
#include <steward/testkit/internal/thrown.hpp>

#include <algorithm>
#include <utility>

namespace steward::testkit {

namespace {

// How late a timer can be, and how slow a job.
constexpr duration late_max = std::chrono::seconds{20};
constexpr duration slow_max = std::chrono::seconds{5};

// For so many steps time may stand still, however few there are.
constexpr std::size_t still_max = 100;

// A fault that nobody asks for, as its name is misspelt, never happens.
std::string asking_for(std::string_view fault) {
  return "somebody asks whether " + std::string{fault} + " fires";
}

// Nor does a rule say anything for whose moment nobody ever comes.
std::string judging(std::string_view rule) {
  return "the rule \"" + std::string{rule} + "\" is judged";
}

template <class F>
void require_function(const F& f, const char* what, const std::string& name) {
  if (!f)
    throw misuse("nothing to call",
                 std::string{what} + (name.empty() ? "" : " \"" + name + "\"")
                   + " has no function");
}

// What it throws says by itself nothing of who threw it.
template <class F>
auto result_of(const std::string& name, const F& f) {
  try {
    return f();
  } catch (const failure&) {
    throw;
  } catch (...) {
    throw failure(name, "its function throws "
                          + text_of_exception(std::current_exception()));
  }
}

} // namespace

world::world(const options& how)
  : seed_(how.seed), early_timers_(how.of_sim.order.early_timers),
    victims_(how.seed, "holder.dies, who"), sim_(how.of_sim) {
  sim_.after_each_step([this] { after_step(); });
}

// What was made last may use what was made before.
world::~world() {
  ends_ = true;
  sim_.stop_judging();
  always_.clear();
  at_rest_.clear();
  eventually_.clear();
  sometimes_.clear();
  finally_.clear();
  mortals_.clear();
  while (!kept_.empty())
    kept_.pop_back();
}

// -- faults -------------------------------------------------------------------

void world::fault(const std::string& name, double p) {
  if (!(p >= 0 && p <= 1)) // nor is a NaN
    throw misuse("bad fault", "the probability of \"" + name + "\" is "
                                + std::to_string(p) + "; allowed: 0 to 1");
  faults_.insert_or_assign(name, fault_state{p, stream(name)});
  if (p > 0)
    situations_.emplace(asking_for(name), false);
  if (name == "tick.twice")
    sim_.twice_if([this](const cafx::content& what) {
      return what.match_elements<cleanup_tick>() && happens("tick.twice");
    });
  if (name == "tick.late") {
    auto late = std::make_shared<random_stream>(stream("tick.late, by"));
    sim_.late_if([this, late] {
      return happens("tick.late") ? duration{late->between(1, late_max.count())}
                                  : duration::zero();
    });
  }
}

bool world::fires(std::string_view name) {
  if (faults_.find(name) == faults_.end() && unknown_faults_.count(name) == 0)
    unknown_faults_.emplace(name);
  return happens(name);
}

// The kit itself asks for what it knows, be it declared or not.
bool world::happens(std::string_view name) {
  auto i = faults_.find(name);
  if (i == faults_.end() || !chaos_)
    return false;
  if (!std::exchange(i->second.asked, true) && i->second.p > 0)
    reached(asking_for(name));
  if (!i->second.random.chance(i->second.p))
    return false;
  i->second.fired = true;
  return true;
}

std::set<std::string> world::fired() const {
  std::set<std::string> result;
  for (const auto& x : faults_)
    if (x.second.fired)
      result.insert(x.first);
  return result;
}

std::set<std::string> world::faults() const {
  std::set<std::string> result;
  for (const auto& x : faults_)
    result.insert(x.first);
  return result;
}

void world::mortal(caf::actor who) {
  sim_.require_actor(who, "nobody can be mortal");
  mortals_.push_back(std::move(who));
}

void world::kill_someone() {
  auto i = mortals_.begin()
           + static_cast<std::ptrdiff_t>(victims_.below(mortals_.size()));
  sim_.kill(*i);
  mortals_.erase(i);
}

bool world::time_waits() const noexcept {
  return early_timers_ == 0 && !has_fault("tick.late");
}

surroundings world::surroundings(simulated_options how) {
  how.seed = seed_;
  if (!how.slower) {
    auto slow = std::make_shared<random_stream>(stream("open.slow, by"));
    how.slower = [this, slow] {
      return happens("open.slow") ? duration{slow->between(1, slow_max.count())}
                                  : duration::zero();
    };
  }
  if (!how.open_store)
    how.open_store = [this](const std::string&, duration) {
      return faulty(sqlite_store::in_memory());
    };
  return simulated(sim_, std::move(how));
}

std::unique_ptr<record_store>
world::faulty(std::unique_ptr<record_store> inner) {
  store_faults faults;
  faults.before_commit = [this]() -> std::optional<store_errc> {
    if (happens("db.commit.before"))
      return store_errc::busy;
    return std::nullopt;
  };
  faults.after_commit = [this]() -> std::optional<store_errc> {
    if (happens("db.commit.after"))
      return store_errc::io;
    return std::nullopt;
  };
  return std::make_unique<faulty_store>(std::move(inner), std::move(faults));
}

// -- what must hold -----------------------------------------------------------

world::explained world::explain(const std::string& name, condition holds) {
  require_function(holds, "the rule", name);
  return [holds = std::move(holds)] {
    return holds() ? std::string{} : std::string{"it does not hold"};
  };
}

void world::add_rule(std::deque<named>& to, std::string name,
                     explained why_not) {
  require_function(why_not, "the rule", name);
  situations_.emplace(judging(name), false);
  to.push_back({std::move(name), std::move(why_not)});
}

void world::always(std::string name, condition holds) {
  auto why_not = explain(name, std::move(holds));
  always(std::move(name), std::move(why_not));
}

void world::always(std::string name, explained why_not) {
  add_rule(always_, std::move(name), std::move(why_not));
}

void world::at_rest(std::string name, condition holds) {
  auto why_not = explain(name, std::move(holds));
  at_rest(std::move(name), std::move(why_not));
}

void world::at_rest(std::string name, explained why_not) {
  add_rule(at_rest_, std::move(name), std::move(why_not));
}

void world::eventually(std::string name, condition holds) {
  auto why_not = explain(name, std::move(holds));
  eventually(std::move(name), std::move(why_not));
}

void world::eventually(std::string name, explained why_not) {
  add_rule(eventually_, std::move(name), std::move(why_not));
}

void world::sometimes(std::string name, condition reached) {
  require_function(reached, "sometimes", name);
  situations_.emplace(name, false);
  sometimes_.emplace_back(std::move(name), std::move(reached));
}

void world::reached(std::string_view name) {
  auto i = situations_.find(name);
  if (i == situations_.end())
    situations_.emplace(name, true);
  else
    i->second = true;
}

void world::violated(std::string name, const std::string& detail) {
  failure what{std::move(name), detail};
  if (!ends_)
    sim_.report(std::move(what));
  else if (!*late_)
    late_->emplace(std::move(what));
}

void world::finally(std::function<void()> what) {
  require_function(what, "finally", {});
  finally_.push_back(std::move(what));
}

// By number, here and below: a rule may add another one.
void world::judge(std::deque<named>& what) {
  for (std::size_t i = 0; i < what.size(); ++i) {
    if (!std::exchange(what[i].judged, true))
      reached(judging(what[i].name));
    auto why = result_of(what[i].name, what[i].why_not);
    if (!why.empty())
      throw failure(what[i].name, why);
  }
}

// -- running ------------------------------------------------------------------

void world::after_step() {
  judge_now();
  if (!mortals_.empty() && happens("holder.dies"))
    kill_someone();
}

void world::judge_now() {
  judge(always_);
  if (!at_rest_.empty() && sim_.at_rest())
    judge(at_rest_);
  for (std::size_t i = 0; i < sometimes_.size();) {
    if (!result_of(sometimes_[i].first, sometimes_[i].second)) {
      ++i;
      continue;
    }
    situations_[sometimes_[i].first] = true;
    // Once is enough.
    sometimes_.erase(sometimes_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void world::run(std::size_t chaos_steps, std::size_t fair_steps) {
  judge_now();
  auto last = sim_.steps() + chaos_steps;
  while (sim_.steps() < last && sim_.step()) {
    // One after the other.
  }
  be_fair(fair_steps);
  judge(eventually_);
  sim_.raise();
  for (std::size_t i = 0; i < finally_.size(); ++i) {
    result_of("finally", finally_[i]);
    sim_.raise();
  }
  // The scenario has caught what it was thrown for it.
  if (const auto& first = sim_.reported())
    throw *first;
}

// What goes on for ever may, as a timer of the user's does, but not in no time.
void world::be_fair(std::size_t steps) {
  chaos_ = false;
  sim_.order().be_fair();
  auto first = sim_.steps();
  auto settled = first;
  while (sim_.steps() - first < steps) {
    if (!sim_.step())
      return;
    if (sim_.is_settled())
      settled = sim_.steps();
  }
  auto since = sim_.steps() - settled;
  if (since > std::max(steps / 2, still_max))
    throw failure("it does not come to rest",
                  "time stands still for " + std::to_string(since)
                    + " steps, though all is fair; fair_steps is "
                    + std::to_string(steps));
}

} // namespace steward::testkit
