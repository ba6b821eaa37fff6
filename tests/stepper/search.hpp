#pragma once

#include <steward/tests/stepper/footprint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace stepper {

inline constexpr std::size_t threads_max = 7;
inline constexpr std::size_t nobody = threads_max;

/// Which threads can go on, a bit each.
using thread_set = std::uint8_t;

constexpr thread_set only(std::size_t thread) {
  return static_cast<thread_set>(1u << thread);
}

constexpr bool contains(thread_set set, std::size_t thread) {
  return (set & only(thread)) != 0;
}

/// Who goes on next, and whether its operation fails for no reason, as a weak
/// compare-and-swap may.
struct choice {
  std::size_t thread = nobody;
  bool fails = false;

  friend bool operator==(const choice&, const choice&) = default;
};

/// What may be chosen from.
struct crossroads {
  thread_set ready = 0;
  thread_set may_fail = 0;      ///< of those
  std::size_t running = nobody; ///< whose turn it was
};

/// Makes the choices of a run.
class chooser {
public:
  virtual ~chooser() = default;

  /// Who goes on.
  virtual choice pick(const crossroads& at) = 0;

  /// What the step that was picked last touched.
  virtual void took(const footprint& what) = 0;
};

/// How a search makes them.
enum class method {
  all,     ///< every sequence
  reduced, ///< one of all sequences that differ in independent steps only
  bounded, ///< every sequence with so many preemptions at most
};

/// Goes through the sequences of choices of a program, depth first, one run
/// after the other. Knows nothing of threads but their numbers and what their
/// steps touch.
///
/// `reduced` is dynamic partial-order reduction with source sets and sleep sets
/// (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014). Where one of two racing
/// steps may have to wait, which that paper leaves out, it tries everybody.
class search final : public chooser {
public:
  search(method how, std::size_t preemptions_max);

  /// The next run begins; false if there is none.
  bool next();

  choice pick(const crossroads& at) override;
  void took(const footprint& what) override;

  /// The rest of this run is one that has been seen in another order.
  bool redundant() const {
    return redundant_;
  }

private:
  // How many events of each thread happened before.
  using clock = std::array<std::uint32_t, threads_max>;

  struct sleeper {
    std::size_t thread;
    footprint what;
  };

  struct node {
    crossroads at;
    choice chosen;
    thread_set todo = 0;
    thread_set done = 0;
    thread_set asleep = 0; // from before
    std::size_t preemptions = 0;
    std::vector<sleeper> sleepers; // the threads asleep, and those done
    footprint touched;             // by all ways of the chosen thread
    footprint step;                // by the chosen one
    clock before{};                // what `step` depends on, itself included
  };

  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  node make_node(const crossroads& at) const;
  choice first_choice(node& n) const;
  bool is_preemption(const node& n, std::size_t thread) const;
  bool go_on_with(node& n);
  std::size_t last_of(std::size_t thread, std::size_t before) const;
  void look_for_races(std::size_t at);
  bool at_once(std::size_t earlier, std::size_t later) const;
  thread_set could_go_first(std::size_t earlier, std::size_t later) const;

  method how_;
  std::size_t preemptions_max_;
  std::vector<node> nodes_;
  std::size_t position_ = 0; // of the next choice
  std::size_t fresh_ = 0;    // from here on steps were not looked at yet
  bool begun_ = false;
  bool redundant_ = false;
};

} // namespace stepper
