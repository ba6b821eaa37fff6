#include <steward/testkit/explore.hpp>

#include <steward/actors/log.hpp>
#include <steward/testkit/internal/regressions.hpp>
#include <steward/testkit/report.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace steward::testkit {

namespace {

using steady = std::chrono::steady_clock;

// More runs than that do not make a schedule much smaller.
constexpr std::size_t shrink_runs_max = 400;

std::vector<policy> usual_policies() {
  return {fair_random{}, pct{2}, fair_random{}, pct{3}, fair_random{}, pct{4},
          fair_random{}, pct{3}, fair_random{}, fifo{}};
}

// -- the environment ----------------------------------------------------------

std::optional<std::string> text_of(const char* variable) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional<std::string>{text};
}

std::optional<std::uint64_t> number_of(const char* variable) {
  auto text = text_of(variable).value_or("");
  if (text.empty())
    return std::nullopt;
  std::uint64_t result = 0;
  const auto* last = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), last, result);
  if (error != std::errc{} || end != last)
    throw failure("bad environment", std::string{variable} + " is \"" + text
                                       + "\"; allowed: a number");
  return result;
}

// Null if there is none; an empty one is that of `fifo`.
std::optional<std::vector<std::uint16_t>> schedule_of(const char* variable) {
  auto text = text_of(variable);
  if (!text)
    return std::nullopt;
  try {
    return parse_schedule(*text);
  } catch (const std::invalid_argument& x) {
    throw failure("bad environment", variable + (": " + std::string{x.what()}));
  }
}

// -- one run ------------------------------------------------------------------

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
  return result;
}

void note(campaign& c, const run_result& r, const world& w) {
  ++c.runs;
  c.steps += r.steps;
  c.hash = (c.hash ^ r.hash) * 0x100000001b3ULL;
  for (const auto& [name, reached] : w.situations())
    c.situations[name] += reached ? 1 : 0;
  if (r.violated.empty())
    return;
  ++c.failures;
  ++c.violations[r.violated];
  if (!c.first_failure)
    c.first_failure = r;
}

void conduct(world& w, const explore_options& o, const scenario& what,
             run_result& r) {
  try {
    what(w);
    w.run(o.chaos_steps, o.fair_steps);
  } catch (const failure& x) {
    r.violated = x.name();
    r.detail = x.detail();
  } catch (const std::exception& x) {
    r.violated = "an exception";
    r.detail = x.what();
  } catch (...) {
    r.violated = "an exception";
    r.detail = "it is no std::exception; has an assertion of the test "
               "framework failed?";
  }
  r.steps = w.sim().steps();
  r.hash = w.sim().hash();
  r.ended = w.sim().now();
  r.decisions = w.sim().order().taken();
}

} // namespace

run_result run_once(const explore_options& options, const scenario& what,
                    const run_order& order) {
  auto how = world_of(options, order.seed);
  how.of_sim.traced = order.events != nullptr;
  // Whatever the seed says: time does not wait in this one.
  if (order.listed != nullptr
      && std::find(order.listed->begin(), order.listed->end(), early_timer)
           != order.listed->end())
    how.of_sim.order.early_timers = 1;
  run_result result;
  result.seed = order.seed;
  result.how = how.of_sim.order.how;
  result.listed = order.listed != nullptr;
  result.early_timers = how.of_sim.order.early_timers;
  world w{how};
  if (order.listed != nullptr)
    w.sim().set_order(schedule{*order.listed});
  conduct(w, options, what, result);
  if (order.into != nullptr)
    note(*order.into, result, w);
  if (order.events != nullptr)
    *order.events = w.sim().events().events();
  return result;
}

// -- shrinking ----------------------------------------------------------------

namespace {

// Puts the options back to 0 in ever smaller pieces, as long as the same thing
// is violated.
class shrinker {
public:
  shrinker(const explore_options& o, const scenario& what,
           const run_result& failed)
    : options_(o), what_(what), failed_(failed) {
    for (auto d : failed.decisions)
      best_.push_back(d.taken);
  }

  std::vector<std::uint16_t> run() {
    if (try_list({}))
      return {};
    for (std::size_t pieces = 2; runs_ < shrink_runs_max;) {
      auto deviations = positions();
      if (deviations.empty())
        break;
      pieces = std::min(pieces, deviations.size());
      if (reset_some(deviations, pieces))
        continue;
      if (pieces == deviations.size())
        break;
      pieces *= 2;
    }
    return best_;
  }

private:
  std::vector<std::size_t> positions() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < best_.size(); ++i)
      if (best_[i] != 0)
        result.push_back(i);
    return result;
  }

  bool reset_some(const std::vector<std::size_t>& deviations,
                  std::size_t pieces) {
    for (std::size_t p = 0; p < pieces && runs_ < shrink_runs_max; ++p) {
      auto next = best_;
      auto first = deviations.size() * p / pieces;
      auto last = deviations.size() * (p + 1) / pieces;
      for (auto i = first; i < last; ++i)
        next[deviations[i]] = 0;
      if (first != last && try_list(std::move(next)))
        return true;
    }
    return false;
  }

  bool try_list(std::vector<std::uint16_t> listed) {
    ++runs_;
    auto r = run_once(options_, what_, {failed_.seed, &listed});
    if (r.violated != failed_.violated)
      return false;
    while (!listed.empty() && listed.back() == 0)
      listed.pop_back();
    best_ = std::move(listed);
    return true;
  }

  const explore_options& options_;
  const scenario& what_;
  const run_result& failed_;
  std::vector<std::uint16_t> best_;
  std::size_t runs_ = 0;
};

} // namespace

std::vector<std::uint16_t> shrink(const explore_options& options,
                                  const scenario& what,
                                  const run_result& failed) {
  return shrinker{options, what, failed}.run();
}

// -- a campaign ---------------------------------------------------------------

namespace {

class silence {
public:
  silence() {
    for (const auto* part : log_parts) {
      auto& logger = logger_of(part);
      before_.emplace_back(&logger, logger.level());
      logger.set_level(spdlog::level::off);
    }
  }

  ~silence() {
    for (auto [logger, level] : before_)
      logger->set_level(level);
  }

  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;

private:
  std::vector<std::pair<spdlog::logger*, spdlog::level::level_enum>> before_;
};

class explorer {
public:
  explorer(const explore_options& o, const scenario& what)
    : options_(o), what_(what) {
    if (auto n = number_of("STEWARD_TESTKIT_SEEDS"))
      options_.seeds = *n;
    if (options_.time_limit.count() > 0)
      until_ = steady::now() + options_.time_limit;
  }

  campaign run() {
    auto only = text_of("STEWARD_TESTKIT_ONLY").value_or("");
    if (!only.empty() && only != options_.name)
      return {};
    auto seed = number_of("STEWARD_TESTKIT_SEED");
    auto listed = schedule_of("STEWARD_TESTKIT_SCHEDULE");
    if (seed)
      judge(run_once(options_, what_,
                     {*seed, listed ? &*listed : nullptr, &campaign_}),
            false);
    else if (listed)
      throw failure("bad environment",
                    "STEWARD_TESTKIT_SCHEDULE needs STEWARD_TESTKIT_SEED");
    else
      run_all();
    return std::move(campaign_);
  }

private:
  void run_all() {
    for (const auto& x : read_regressions(options_))
      judge(run_once(options_, what_, {x.seed, &x.listed, &campaign_}), false);
    for (std::uint64_t i = 0; i < options_.seeds && has_time(); ++i)
      run_seed(i);
    if (options_.exhaustive > 0)
      deviate({}, 0, options_.exhaustive);
    if (campaign_.runs == 0)
      throw failure("nothing was explored",
                    options_.name + " has no seeds and is not exhaustive");
    if (!options_.count_failures)
      require_situations();
  }

  bool has_time() {
    if (steady::now() >= until_)
      campaign_.out_of_time = true;
    return !campaign_.out_of_time;
  }

  void run_seed(std::uint64_t number) {
    auto seed = options_.first_seed + number;
    auto r = run_once(options_, what_, {seed, nullptr, &campaign_});
    if (options_.recheck > 0 && number % options_.recheck == 0) {
      auto again = run_once(options_, what_, {seed});
      if (again.hash != r.hash || again.violated != r.violated)
        throw failure("not repeatable",
                      first_difference(options_, what_, seed));
    }
    judge(r, true);
  }

  // All schedules that add up to `left` deviations behind position `from`.
  void deviate(const std::vector<std::uint16_t>& listed, std::size_t from,
               unsigned left) {
    if (!has_time())
      return;
    auto r = run_once(options_, what_,
                      {options_.first_seed, &listed, &campaign_});
    judge(r, true);
    if (left == 0)
      return;
    for (auto i = from; i < r.decisions.size(); ++i) {
      auto [taken, count, timer] = r.decisions[i];
      for (std::uint16_t option = 1; option < count; ++option) {
        auto next = listed;
        next.resize(i);
        next.push_back(timer && option == count - 1 ? early_timer : option);
        deviate(next, i + 1, left - 1);
      }
    }
  }

  void judge(const run_result& r, bool is_new) {
    if (r.violated.empty() || options_.count_failures)
      return;
    auto shrunk = shrink(options_, what_, r);
    auto smallest = run_once(options_, what_, {r.seed, &shrunk});
    if (smallest.violated != r.violated)
      throw failure("not repeatable",
                    "\"" + r.violated + "\": " + r.detail + ", but only once; "
                      + first_difference(options_, what_, r.seed));
    auto text = report_of(options_, what_, r, shrunk);
    if (is_new)
      text += add_regression(options_, smallest);
    throw failure(r.violated, text);
  }

  void require_situations() const {
    for (const auto& [name, runs] : campaign_.situations)
      if (runs == 0)
        throw failure("never reached", "\"" + name + "\" in "
                                         + std::to_string(campaign_.runs)
                                         + " runs of " + options_.name);
  }

  explore_options options_;
  const scenario& what_;
  campaign campaign_;
  steady::time_point until_ = steady::time_point::max();
};

} // namespace

campaign explore(const explore_options& options, const scenario& what) {
  // What is planted would be reported line by line.
  silence quiet;
  return explorer{options, what}.run();
}

} // namespace steward::testkit
