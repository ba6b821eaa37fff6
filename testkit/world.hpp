#pragma once

#include <steward/testkit/faulty_store.hpp>
#include <steward/testkit/probe.hpp>
#include <steward/testkit/random_stream.hpp>
#include <steward/testkit/sim.hpp>
#include <steward/testkit/simulated.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward::testkit {

/// One run of a scenario: a simulation, the draws and the faults of its seed,
/// and what must hold. Everything it makes ends with it. One thread.
class world {
public:
  struct options {
    std::uint64_t seed = 0;
    sim_options of_sim = {};
  };

  explicit world(const options& how);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  /// Where it happens.
  testkit::sim& sim() noexcept {
    return sim_;
  }

  std::uint64_t seed() const noexcept {
    return seed_;
  }

  /// Random numbers of one's own, the same for the same seed and name.
  random_stream stream(std::string_view name) const {
    return random_stream{seed_, name};
  }

  /// One of `choices`, drawn for this seed: "swarm". Throws `misuse` if there is
  /// none.
  template <class T>
  T swarm(std::string_view name, std::initializer_list<T> choices) const {
    if (choices.size() == 0)
      throw misuse("nothing to choose from",
                   "swarm \"" + std::string{name} + "\" has no choices");
    return choices.begin()[stream(name).below(choices.size())];
  }

  /// An object that lives as long as this run, and ends before the simulation.
  template <class T, class... Ts>
  T& make(Ts&&... xs) {
    auto result = std::make_shared<T>(std::forward<Ts>(xs)...);
    kept_.push_back(result);
    return *result;
  }

  // -- faults -----------------------------------------------------------------

  /// Lets a fault happen with the probability `p` wherever it can, as long as
  /// there is chaos. Each has its own random numbers. Known by name are
  ///   db.commit.before, db.commit.after   in stores of `store_opener`
  ///   open.slow                           jobs of `surroundings`
  ///   open.fails                          for an `opener_script`, by `fires`
  ///   holder.dies                         whoever is `mortal`, at each step
  ///   tick.late, tick.twice               timers; `cleanup_tick`s
  /// Any other name may be asked for with `fires`. That somebody does, while
  /// there is chaos, is a situation that a campaign must reach.
  /// Throws `misuse` if `p` is not 0 to 1.
  void fault(const std::string& name, double p);

  /// Whether it can happen in this run.
  bool has_fault(std::string_view name) const {
    auto i = faults_.find(name);
    return i != faults_.end() && i->second.p > 0;
  }

  /// Whether a fault happens here and now. A campaign none of whose runs has
  /// such a fault fails.
  bool fires(std::string_view name);

  /// May be killed by `holder.dies`. Throws `misuse` for a null handle.
  void mortal(caf::actor who);

  /// Whether faults happen and the schedule is free; then all is fair.
  bool chaos() const noexcept {
    return chaos_;
  }

  /// Whether time waits for messages, so that time bounds can be judged.
  bool time_waits() const noexcept;

  /// Surroundings for a `runtime`, with the faults above.
  steward::surroundings surroundings(simulated_options how = {});

  /// A store with the faults above over another.
  std::unique_ptr<record_store> faulty(std::unique_ptr<record_store> inner);

  // -- what must hold ---------------------------------------------------------
  // That a rule is judged is a situation that a campaign must reach. What a rule
  // throws violates it, unless it is a `failure`, which has a name of its own.
  // Throws `misuse` where there is no function.

  using condition = std::function<bool()>;

  /// Why it does not hold; empty if it does.
  using explained = std::function<std::string()>;

  /// When the scene is set, and after every step.
  void always(std::string name, condition holds);
  void always(std::string name, explained why_not);

  /// Whenever nobody has mail.
  void at_rest(std::string name, condition holds);
  void at_rest(std::string name, explained why_not);

  /// In the end, when all is fair and no fault happens any more.
  void eventually(std::string name, condition holds);
  void eventually(std::string name, explained why_not);

  /// At least once in a campaign; asked after every step.
  void sometimes(std::string name, condition reached);

  /// The same, reached here.
  void reached(std::string_view name);

  /// Done after the fair phase, in the order given: a shutdown, and what must
  /// hold after it (throw a `failure`).
  void finally(std::function<void()> what);

  /// Reports a violation from where one must not throw. It fails the run,
  /// wherever it comes from, be it a destructor when this ends, and whoever
  /// catches what is thrown for it.
  void violated(std::string name, const std::string& detail);

  // -- for who runs it --------------------------------------------------------

  /// Chaos for so many steps, then fairness until all is done, for so many.
  /// Throws `failure`; also if time stood still in the last half of those, and
  /// for more than 100 steps.
  void run(std::size_t chaos_steps, std::size_t fair_steps);

  /// What was `violated` first while this ended; may be kept for longer.
  std::shared_ptr<const std::optional<failure>> late() const noexcept {
    return late_;
  }

  /// All that was declared by `fault`.
  std::set<std::string> faults() const;

  /// Those of them that happened.
  std::set<std::string> fired() const;

  /// What `fires` was asked for and is none of those.
  const std::set<std::string, std::less<>>& unknown_faults() const noexcept {
    return unknown_faults_;
  }

  /// The situations of `sometimes` and those above, and whether each was
  /// reached.
  const std::map<std::string, bool, std::less<>>& situations() const noexcept {
    return situations_;
  }

private:
  struct named {
    std::string name;
    explained why_not;
    bool judged = false;
  };

  struct fault_state {
    double p;
    random_stream random;
    bool asked = false;
    bool fired = false;
  };

  static explained explain(const std::string& name, condition holds);
  void add_rule(std::deque<named>& to, std::string name, explained why_not);
  bool happens(std::string_view name);
  void after_step();
  void be_fair(std::size_t steps);
  void judge_now();
  void judge(std::deque<named>& what);
  void kill_someone();

  std::uint64_t seed_;
  double early_timers_;
  bool chaos_ = true;
  bool ends_ = false;
  std::shared_ptr<std::optional<failure>> late_
    = std::make_shared<std::optional<failure>>();
  std::map<std::string, fault_state, std::less<>> faults_;
  std::set<std::string, std::less<>> unknown_faults_;
  std::vector<caf::actor> mortals_;
  std::deque<named> always_;
  std::deque<named> at_rest_;
  std::deque<named> eventually_;
  std::deque<std::pair<std::string, condition>> sometimes_;
  std::map<std::string, bool, std::less<>> situations_;
  std::deque<std::function<void()>> finally_;
  std::vector<std::shared_ptr<void>> kept_;
  random_stream victims_;
  testkit::sim sim_; // the last: who ends with it may use all of the above
};

} // namespace steward::testkit
