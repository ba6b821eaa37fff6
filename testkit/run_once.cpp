// One run of a scenario, and what came of it.
#include <steward/core/one_line.hpp>
#include <steward/testkit/explore.hpp>
#include <steward/testkit/internal/environment.hpp>
#include <steward/testkit/internal/last_words.hpp>
#include <steward/testkit/internal/regressions.hpp>
#include <steward/testkit/internal/thrown.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace steward::testkit {

namespace {

std::vector<policy> usual_policies() {
  return {fair_random{}, pct{2}, fair_random{}, pct{3}, fair_random{}, pct{4},
          fair_random{}, pct{3}, fair_random{}, fifo{}};
}

world::options world_of(const explore_options& o, std::uint64_t seed) {
  static const auto usual = usual_policies();
  const auto& policies = o.policies.empty() ? usual : o.policies;
  world::options result;
  result.seed = seed;
  auto& order = result.of_sim.order;
  order.seed = seed;
  order.how = policies[seed % policies.size()];
  if (!std::holds_alternative<fifo>(order.how) && !o.early_timers.empty())
    order.early_timers
      = o.early_timers[random_stream{seed, "early timers"}.below(
        o.early_timers.size())];
  // Nobody knows how many decisions there will be: with many in view a run of
  // few would hardly ever change a priority.
  constexpr std::array<std::size_t, 4> horizons{300, 100, 30, 10};
  order.horizon
    = horizons[random_stream{seed, "horizon"}.below(horizons.size())];
  return result;
}

void note(campaign& c, const world& w) {
  for (const auto& [name, reached] : w.situations())
    c.situations[name] += reached ? 1 : 0;
  for (const auto& name : w.faults())
    c.faults[name] = true;
  for (const auto& name : w.fired())
    ++c.fired[name];
  for (const auto& name : w.unknown_faults())
    c.faults.emplace(name, false);
}

void note(campaign& c, const run_result& r) {
  ++c.runs;
  c.steps += r.steps;
  c.hash = (c.hash ^ r.hash) * 0x100000001b3ULL;
  if (r.violated.empty())
    return;
  ++c.failures;
  ++c.violations[r.violated];
  if (!c.first_failure)
    c.first_failure = r;
}

// Of a run that comes to no end of its own.
std::string last_words_of(const explore_options& o, const run_result& r,
                          const std::vector<std::uint16_t>* listed) {
  if (!last_words::prepared())
    return {};
  auto seed = std::to_string(r.seed);
  auto list = listed == nullptr ? std::string{} : options_text(*listed);
  return " in " + o.name + ", seed " + seed + ", policy "
         + (listed != nullptr ? "listed" : to_string(r.how))
         + "\n  to repeat: STEWARD_TESTKIT_ONLY=" + shell_word(o.name)
         + " STEWARD_TESTKIT_SEED=" + seed
         + (listed != nullptr ? " STEWARD_TESTKIT_SCHEDULE=" + list : "") + " "
         + command_line() + "\n";
}

void violate(run_result& r, const failure& x) {
  r.violated = x.name().empty() ? "a failure without a name"
                                : one_line(x.name());
  r.detail = x.detail();
}

void conduct(world& w, const explore_options& o, const scenario& what,
             run_result& r) {
  try {
    what(w);
    w.run(o.chaos_steps, o.fair_steps);
  } catch (const misuse& x) { // in other runs it may not come to that
    throw misuse(x.name(), x.detail() + "; in " + o.name + ", seed "
                             + std::to_string(r.seed));
  } catch (const failure& x) {
    violate(r, x);
  } catch (...) {
    r.violated = "an exception";
    r.detail = text_of_exception(std::current_exception());
  }
  r.steps = w.sim().steps();
  r.hash = w.sim().hash();
  r.contents = w.sim().contents();
  r.ended = w.sim().now();
  r.decisions = w.sim().order().taken();
}

} // namespace

run_result run_once(const explore_options& options, const scenario& what,
                    const run_order& order) {
  auto how = world_of(options, order.seed);
  how.of_sim.traced = order.events != nullptr;
  how.of_sim.digests_contents = order.digests_contents;
  // Whatever the seed says, a list says by itself whether time waits in it.
  if (order.listed != nullptr)
    how.of_sim.order.early_timers
      = std::count(order.listed->begin(), order.listed->end(), early_timer) > 0
          ? 1
          : 0;
  run_result result;
  result.seed = order.seed;
  result.how = how.of_sim.order.how;
  result.listed = order.listed != nullptr;
  result.early_timers = how.of_sim.order.early_timers;
  run_under_way telling{last_words_of(options, result, order.listed),
                        begin_of_line(order.seed, order.listed)};
  std::shared_ptr<const std::optional<failure>> late;
  {
    world w{how};
    late = w.late();
    if (order.listed != nullptr)
      w.sim().set_order(schedule{*order.listed});
    conduct(w, options, what, result);
    if (order.into != nullptr)
      note(*order.into, w);
    if (order.events != nullptr)
      *order.events = w.sim().events().events();
  }
  if (result.violated.empty() && *late) // of a destructor
    violate(result, **late);
  if (order.into != nullptr)
    note(*order.into, result);
  return result;
}

} // namespace steward::testkit
