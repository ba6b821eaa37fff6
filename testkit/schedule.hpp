#pragma once

#include <steward/testkit/random_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace steward::testkit {

/// Actors take turns in the order in which they got mail; time waits for them.
struct fifo {};

/// Any ready actor, with equal odds.
struct fair_random {};

/// Random priorities that change `depth - 1` times: finds a bug that needs so
/// many steps in the wrong order with a known probability (Burckhardt et al.,
/// ASPLOS 2010). Unfair.
struct pct {
  unsigned depth = 3;
};

using policy = std::variant<fifo, fair_random, pct>;

/// As it is written in a report: `fifo`, `random`, `pct2`.
std::string to_string(const policy& x);

/// The option to let the next timer fire although actors are ready.
inline constexpr std::uint16_t early_timer = 0xffff;

/// Among more ready actors nothing can be decided: options have 16 bits.
inline constexpr std::size_t ready_max = early_timer - 1;

/// What was decided where there was a choice: the option taken, of how many.
/// Option 0 is what `fifo` does.
struct decision {
  std::uint16_t taken;   ///< which of the ready actors, or `early_timer`
  std::uint16_t options; ///< how many there were
  bool timer = false;    ///< whether `early_timer` was one of them
};

/// A schedule as text: `12:3,57:t` takes option 3 at decision 12, lets a timer
/// fire at 57, and takes option 0 at all others.
std::string schedule_text(std::span<const decision> decisions);

/// An option as it stands there: its number, or `t`.
std::string option_text(std::uint16_t option);

/// The same of the options taken.
std::string options_text(std::span<const std::uint16_t> taken);

/// The options taken. Throws `std::invalid_argument` with what is wrong.
std::vector<std::uint16_t> parse_schedule(std::string_view text);

/// Decides what happens next, by a policy or by a list, and writes it down. The
/// same seed decides the same; one thread.
class schedule {
public:
  struct options {
    policy how = fifo{};
    std::uint64_t seed = 0;

    /// How readily a timer fires while actors are ready. 0: time waits.
    double early_timers = 0;

    /// In about how many decisions `pct` changes priorities.
    std::size_t horizon = 300;
  };

  /// Throws `misuse` for a depth or odds that are out of range.
  explicit schedule(const options& how);

  /// Takes the options listed, then 0; also 0 where there is no such option.
  explicit schedule(std::vector<std::uint16_t> listed);

  /// Which of `ready` (ids of actors, not empty) comes next, as an index;
  /// `ready.size()`: the timer. Throws `misuse` for more than `ready_max`, unless
  /// they just take turns. @pre there is a choice
  std::size_t choose(std::span<const std::uint64_t> ready, bool timer);

  /// From now on as `fifo`, and nothing is written down any more; but a list
  /// stays in force to its end.
  void be_fair() noexcept {
    fair_ = !listed_;
  }

  const std::vector<decision>& taken() const noexcept {
    return taken_;
  }

private:
  bool is_plain() const noexcept {
    return !listed_ && how_.early_timers == 0
           && std::holds_alternative<fifo>(how_.how);
  }

  std::size_t decide(std::span<const std::uint64_t> ready, bool timer);
  std::size_t highest(std::span<const std::uint64_t> ready);
  std::uint64_t& priority_of(std::uint64_t id);

  options how_;
  bool listed_ = false;
  bool fair_ = false;
  std::vector<std::uint16_t> list_;
  random_stream random_;
  std::vector<decision> taken_;
  std::vector<std::uint64_t> priorities_; // by actor id; 0: not drawn yet
  std::vector<std::size_t> changes_;      // decisions at which pct changes them
  std::uint64_t lowest_;
};

} // namespace steward::testkit
