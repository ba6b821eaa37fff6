#pragma once

// A pool, clients who use it in every way there is, and the truth about what
// they got. Each seed draws another workload.

#include <steward/runtime/runtime.hpp>
#include <steward/testkit.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace explored {

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

/// What the clients of one run have in common.
struct workload {
  unsigned clients = 3;
  unsigned rounds = 3;
  unsigned keys = 2;
  unsigned params = 1;
  duration hold_max = 0s;
  duration think_max = 0s;
  duration deadline = 1h;
  bool by_message = false;  ///< leases in messages instead of `lease<T>`
  bool by_thread = false;   ///< try_acquire first, as a thread does
  double evicts = 0;        ///< how often a client evicts a key
  double unhealthy = 0;     ///< how often a holder gives its resource up
  double breaks = 0;        ///< how often one breaks, which only `check` sees
  double twice = 0;         ///< how often a lease is given back once more
  double forgets = 0;       ///< how often a client dies with its lease
  bool on_the_tick = false; ///< holds and thinks for whole seconds
  bool impatient = false;   ///< some deadlines are a few milliseconds
  bool patient_only = true; ///< nothing is slow, so no deadline may pass
};

/// What clients saw. They may be gone when somebody asks.
struct ledger {
  std::uint64_t asked = 0;
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;
  std::uint64_t widowed = 0;           ///< asked by who died before the answer
  std::uint64_t full = 0;              ///< refused for a limit
  bool drained = false;                ///< nobody is there to answer
  std::set<std::uint64_t> broken = {}; ///< ids, for the opener's `check`

  std::uint64_t open_questions() const {
    return asked - granted - refused - widowed;
  }
};

/// Everything of one run.
class pool_scenario {
public:
  struct options {
    pool_options pool;
    workload load;
    opener_script script;
    bool inline_opener = false;
    bool recorded = false;
    duration drain_patience = 1h;
  };

  /// Draws what `how` leaves open from the seed of `w`.
  static options draw(world& w);

  pool_scenario(world& w, options how);
  ~pool_scenario();

  runtime& rt() noexcept {
    return *rt_;
  }

  const pool<fake_resource>& things() const noexcept {
    return *things_;
  }

  const truth& book() const noexcept {
    return *book_;
  }

  const options& how() const noexcept {
    return how_;
  }

  const ledger& seen() const noexcept {
    return *seen_;
  }

  /// All that a campaign must come across.
  void expect_variety();

  /// Ends the runtime and judges what is left. // I11
  void shut_down(duration patience);

private:
  void start_clients();
  void judge();
  void use_all();
  void judge_records();
  bool on_time() const;

  world& world_;
  options how_;
  std::shared_ptr<record_store> database_; // of what is recorded
  std::shared_ptr<truth> book_;
  std::shared_ptr<ledger> seen_;
  std::unique_ptr<runtime> rt_;
  std::optional<pool<fake_resource>> things_;
  drain_report report_;
  bool drained_ = false;
};

/// All of it with the faults that a seed draws, for `explore`.
void any_pool(world& w);

/// A small one, whose speed is measured: about 200 messages.
void standard_pool(world& w);

/// The runtime is drained while clients are at work.
void pool_that_drains(world& w);

} // namespace explored
