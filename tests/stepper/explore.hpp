#pragma once

#include <steward/tests/stepper/run.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace stepper {

/// How much of a program is explored.
struct bounds {
  method how = method::reduced;
  std::size_t preemptions_max = 0;  ///< where it is `bounded`
  std::size_t runs_max = 2'000'000; ///< more is an exploration without end
};

/// Every run with so many preemptions at most: where a thread that could have
/// gone on had to let another go first.
constexpr bounds with_preemptions(std::size_t n) {
  return {method::bounded, n};
}

/// What came of an exploration.
struct findings {
  bool complete = false;     ///< all runs within the bounds were tried
  std::size_t runs = 0;      ///< executions, the redundant ones included
  std::size_t redundant = 0; ///< that were left when it showed
  std::size_t steps_most = 0;
  std::set<std::string, std::less<>> reached;
  std::set<std::string> ends; ///< as the program words them

  std::string failure; ///< of the first run that broke; else empty
  std::string choices; ///< of that run: what `replay` takes
  std::string trace;   ///< of that run: a line per step

  /// Nothing broke, and nothing was left out.
  bool proved() const {
    return complete && failure.empty();
  }
};

using set_up = std::function<void(run&)>;

/// Executes the program that `make` sets up in every way within the bounds,
/// until one breaks; of those that break, one with few preemptions is reported.
/// If the program has a name, prints a line on how many ways there were. With
/// `STEWARD_STEPS="<name>=<choices>"` in the environment, only that run of the
/// program of that name is executed, and its steps are printed.
findings explore(std::string_view name, const bounds& within,
                 const set_up& make);

/// Executes one run: as often as `choices` say, then as it comes.
findings replay(std::string_view choices, const set_up& make);

/// The same for a type whose constructor takes the run, and then `args`.
template <class Program, class... Args>
findings explore(std::string_view name, const bounds& within, Args... args) {
  return explore(name, within, set_up{[=](run& r) {
                   r.keep(std::make_shared<Program>(r, args...));
                 }});
}

} // namespace stepper
