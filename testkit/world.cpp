#include <steward/testkit/world.hpp>

#include <steward/messages/tick.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <algorithm>
#include <utility>

namespace steward::testkit {

namespace {

// How late a timer can be, and how slow a job.
constexpr duration late_max = std::chrono::seconds{20};
constexpr duration slow_max = std::chrono::seconds{5};

// A fault that nobody asks for, as its name is misspelt, never happens.
std::string asking_for(std::string_view fault) {
  return "somebody asks whether " + std::string{fault} + " fires";
}

} // namespace

world::world(const options& how)
  : seed_(how.seed), early_timers_(how.of_sim.order.early_timers),
    victims_(how.seed, "holder.dies, who"), sim_(how.of_sim) {
  sim_.after_each_step([this] { after_step(); });
}

// What was made last may use what was made before.
world::~world() {
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
      return what.match_elements<cleanup_tick>() && fires("tick.twice");
    });
  if (name == "tick.late") {
    auto late = std::make_shared<random_stream>(stream("tick.late, by"));
    sim_.late_if([this, late] {
      return fires("tick.late") ? duration{late->between(1, late_max.count())}
                                : duration::zero();
    });
  }
}

bool world::fires(std::string_view name) {
  auto i = faults_.find(name);
  if (i == faults_.end())
    return false;
  if (!std::exchange(i->second.asked, true) && i->second.p > 0)
    reached(asking_for(name));
  if (!chaos_ || !i->second.random.chance(i->second.p))
    return false;
  reached(name);
  return true;
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
      return fires("open.slow") ? duration{slow->between(1, slow_max.count())}
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
    if (fires("db.commit.before"))
      return store_errc::busy;
    return std::nullopt;
  };
  faults.after_commit = [this]() -> std::optional<store_errc> {
    if (fires("db.commit.after"))
      return store_errc::io;
    return std::nullopt;
  };
  return std::make_unique<faulty_store>(std::move(inner), std::move(faults));
}

// -- what must hold -----------------------------------------------------------

world::explained world::explain(condition holds) {
  return [holds = std::move(holds)] {
    return holds() ? std::string{} : std::string{"it does not hold"};
  };
}

void world::always(std::string name, condition holds) {
  always(std::move(name), explain(std::move(holds)));
}

void world::always(std::string name, explained why_not) {
  always_.push_back({std::move(name), std::move(why_not)});
}

void world::at_rest(std::string name, condition holds) {
  at_rest(std::move(name), explain(std::move(holds)));
}

void world::at_rest(std::string name, explained why_not) {
  at_rest_.push_back({std::move(name), std::move(why_not)});
}

void world::eventually(std::string name, condition holds) {
  eventually(std::move(name), explain(std::move(holds)));
}

void world::eventually(std::string name, explained why_not) {
  eventually_.push_back({std::move(name), std::move(why_not)});
}

void world::sometimes(std::string name, condition reached) {
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

void world::finally(std::function<void()> what) {
  finally_.push_back(std::move(what));
}

// By number, here and below: a rule may add another one.
void world::judge(const std::deque<named>& what) {
  for (std::size_t i = 0; i < what.size(); ++i)
    if (auto why = what[i].why_not(); !why.empty())
      throw failure(what[i].name, why);
}

// -- running ------------------------------------------------------------------

void world::after_step() {
  judge_now();
  if (!mortals_.empty() && fires("holder.dies"))
    kill_someone();
}

void world::judge_now() {
  judge(always_);
  if (!at_rest_.empty() && sim_.at_rest())
    judge(at_rest_);
  for (std::size_t i = 0; i < sometimes_.size();) {
    if (!sometimes_[i].second()) {
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
  chaos_ = false;
  sim_.order().be_fair();
  last = sim_.steps() + fair_steps;
  // What goes on for ever, as a timer of the user's does, may.
  while (sim_.steps() < last && sim_.step()) {
    // One after the other.
  }
  judge(eventually_);
  sim_.raise();
  for (std::size_t i = 0; i < finally_.size(); ++i) {
    finally_[i]();
    sim_.raise();
  }
  // The scenario has caught what it was thrown for it.
  if (const auto& first = sim_.reported())
    throw *first;
}

} // namespace steward::testkit
