#pragma once

#include <steward/actors/mutex.hpp>
#include <steward/core/atomic.hpp>
#include <steward/core/function_ref.hpp>
#include <steward/messages/acquire.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace steward {

/// Those who wait for a key where nothing is to be decided but whose turn it is:
/// who gives back passes the resource on to the first of them, and who comes
/// stands behind the last, without the supervisor. That opens the relay when it
/// has done its work, and calls everybody in before it does any. // I7
class relay {
public:
  using sink = std::shared_ptr<request_sink>;

  /// Who waits, and how long.
  struct runner {
    time_point deadline;
    sink who;
  };

  using line = std::deque<runner>;

  /// What holds while it is open: what all want, that the clock wakes the
  /// supervisor at `armed_at`, and how many may wait.
  struct terms {
    std::string params;
    time_point armed_at;
    std::size_t waiters_max;
  };

  /// `on_the_way`: messages to the supervisor that it has not handled yet.
  explicit relay(const atomic<std::uint32_t>& on_the_way)
    : on_the_way_(on_the_way) {
  }

  // -- the supervisor ---------------------------------------------------------

  /// @pre it is closed, and somebody waits.
  void open(terms what, line who);

  /// What they wait for.
  const std::string& params() const noexcept {
    return terms_.params;
  }

  /// Closes it; those who still wait, in order. Nothing if it was closed.
  line call_in();

  // -- anybody ----------------------------------------------------------------

  /// Who asks: somebody, or the supervisor for the message that it handles.
  enum class as { user, supervisor };

  /// Puts what `make` returns at the end of the line. False if the supervisor
  /// has to decide; then `make` was not called.
  bool join(std::string_view params, time_point deadline,
            function_ref<sink()> make, as who = as::user);

  /// Hands a hold on `place` over to whoever is first. False if that is nobody,
  /// or not ours to say: then the supervisor has to be sent it.
  bool pass_on(slot& place) noexcept;

private:
  // Whether a message is on its way to the supervisor. What was said before,
  // be it a request or an eviction, comes first.
  bool is_expected() const noexcept {
    return on_the_way_.load(std::memory_order_relaxed) > 0;
  }

  const atomic<std::uint32_t>& on_the_way_;
  mutex guard_;
  atomic<bool> open_{false}; // written under the lock
  terms terms_{};
  line line_;
};

} // namespace steward
