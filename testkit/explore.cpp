#include <steward/testkit/explore.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/one_line.hpp>
#include <steward/testkit/internal/environment.hpp>
#include <steward/testkit/internal/last_words.hpp>
#include <steward/testkit/internal/regressions.hpp>
#include <steward/testkit/report.hpp>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace steward::testkit {

namespace {

using steady = std::chrono::steady_clock;

template <class Unit>
void check_limit(const char* option, Unit limit) {
  constexpr auto most = std::chrono::hours{24 * 365};
  constexpr auto name = std::is_same_v<Unit, std::chrono::seconds> ? " s"
                                                                   : " ms";
  if (limit < limit.zero() || limit > most)
    throw misuse("bad option", option + (" is " + std::to_string(limit.count()))
                                 + name + "; allowed: 0 to a year");
}

void check_folder(const char* option, const std::filesystem::path& folder) {
  std::error_code ignored; // what is not there can be made
  if (std::filesystem::exists(folder, ignored)
      && !std::filesystem::is_directory(folder, ignored))
    throw misuse("bad option", option + (" is \"" + folder.string())
                                 + "\", which is no folder");
}

void check_name(const std::string& name) {
  auto shown = one_line(name);
  if (name.empty() || shown != name)
    throw misuse("bad option",
                 "name is \"" + shown + "\"; allowed: one line of text");
}

void check(const explore_options& o, const scenario& what) {
  check_name(o.name);
  if (!what)
    throw misuse("nothing to call", o.name + " has no scenario");
  for (const auto& x : o.policies)
    schedule{schedule::options{.how = x}};
  for (auto x : o.early_timers)
    schedule{schedule::options{.early_timers = x}};
  if (o.seeds > 0 && o.first_seed > ~std::uint64_t{0} - (o.seeds - 1))
    throw misuse("bad option", "first_seed is " + std::to_string(o.first_seed)
                                 + ", with so few seeds from there on: "
                                 + std::to_string(o.seeds) + " are wanted");
  check_limit("run_time_max", o.run_time_max);
  check_limit("time_limit", o.time_limit);
  check_limit("shrink_time_max", o.shrink_time_max);
  check_folder("regressions", o.regressions);
  check_folder("charts", o.charts);
}

// Nothing is logged as long as there is any, in whichever thread.
class silence {
public:
  silence() {
    std::lock_guard lock{all().guard};
    if (all().count++ > 0)
      return;
    for (const auto* part : log_parts) {
      auto& logger = logger_of(part);
      all().before.emplace_back(&logger, logger.level());
      logger.set_level(spdlog::level::off);
    }
  }

  ~silence() {
    std::lock_guard lock{all().guard};
    if (--all().count > 0)
      return;
    for (auto [logger, level] : std::exchange(all().before, {}))
      logger->set_level(level);
  }

  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;

private:
  struct shared {
    std::mutex guard;
    std::size_t count = 0;
    std::vector<std::pair<spdlog::logger*, spdlog::level::level_enum>> before;
  };

  static shared& all() {
    static shared result;
    return result;
  }
};

class explorer {
public:
  explorer(const explore_options& o, const scenario& what)
    : options_(o), what_(what) {
    if (auto n = seeds_wanted())
      options_.seeds = *n;
    check(options_, what);
    // A campaign that was cut short proves nothing by what it did not reach.
    runs_needed_ = o.sometimes_after > 0 ? o.sometimes_after : o.seeds;
    if (options_.time_limit.count() > 0)
      until_ = steady::now() + options_.time_limit;
  }

  campaign run() {
    if (!is_wanted(options_.name))
      return {};
    if (auto one = single_run_wanted()) { // by a debugger, with all its time
      last_words in_case{std::chrono::seconds{0}};
      run_listed_or_not(*one);
    } else {
      run_regressions();
      run_all();
    }
    return std::move(campaign_);
  }

private:
  void run_listed_or_not(const run_wanted& one) {
    const auto* listed = one.listed ? &*one.listed : nullptr;
    auto r = run_once(options_, what_, {one.seed, listed, &campaign_});
    judge(r, false);
    if (listed != nullptr && r.violated.empty())
      check_followed(*listed, r);
  }

  // A run that holds by another schedule than the one that was asked for says
  // nothing about that.
  void check_followed(const std::vector<std::uint16_t>& listed,
                      const run_result& r) const {
    for (std::size_t i = 0; i < std::min(listed.size(), r.decisions.size());
         ++i) {
      const auto& [taken, options, timer] = r.decisions[i];
      if (listed[i] != taken)
        throw misuse("bad environment",
                     "STEWARD_TESTKIT_SCHEDULE takes an option at decision "
                       + std::to_string(i) + " that there is not in this run "
                       + "of " + options_.name + ": " + option_text(listed[i])
                       + "; allowed: 0 to "
                       + std::to_string(options - 1 - (timer ? 1 : 0))
                       + (timer ? " and t" : ""));
    }
    if (listed.size() > r.decisions.size())
      throw misuse("bad environment", "STEWARD_TESTKIT_SCHEDULE has a decision "
                                        + std::to_string(listed.size() - 1)
                                        + ", and this run of " + options_.name
                                        + " is over after "
                                        + std::to_string(r.decisions.size()));
  }

  void run_regressions() {
    last_words in_case{options_.run_time_max};
    for (const auto& x : read_regressions(options_))
      judge(run_once(options_, what_,
                     {x.seed, x.listed ? &*x.listed : nullptr, &campaign_}),
            false);
  }

  void run_all() {
    last_words in_case{options_.run_time_max,
                       regression_file(options_).string()};
    if (options_.exhaustive > 0)
      run_exhaustively();
    for (std::uint64_t i = 0; i < options_.seeds && has_time(); ++i)
      run_seed(i);
    if (campaign_.runs == 0)
      throw misuse("nothing was explored",
                   options_.name + " has no seeds and is not exhaustive");
    if (!options_.count_failures && campaign_.runs >= runs_needed_)
      judge_faults();
    judge_situations();
  }

  bool has_time() {
    if (steady::now() >= until_)
      campaign_.out_of_time = true;
    return !campaign_.out_of_time;
  }

  void run_seed(std::uint64_t number) {
    run_order order{.seed = options_.first_seed + number, .into = &campaign_};
    order.digests_contents = options_.recheck > 0
                             && number % options_.recheck == 0;
    auto r = run_once(options_, what_, order);
    if (order.digests_contents) {
      order.into = nullptr;
      auto again = run_once(options_, what_, order);
      if (again.hash != r.hash || again.contents != r.contents
          || again.violated != r.violated)
        throw failure("not repeatable",
                      first_difference(options_, what_, r.seed));
    }
    judge(r, true);
  }

  void run_exhaustively() {
    run_result plain;
    if (has_time())
      plain = run_listed({});
    else
      campaign_.left_out = "none of them was run";
    for (std::size_t i = 0; i < plain.decisions.size(); ++i) {
      deviate_at(i, {}, plain, options_.exhaustive);
      if (campaign_.out_of_time) {
        campaign_.left_out = "those that deviate first at decision "
                             + std::to_string(i) + " or later, of "
                             + std::to_string(plain.decisions.size())
                             + ", were not all run";
        break;
      }
    }
    if (!campaign_.left_out.empty() && !options_.count_failures)
      throw failure("not exhaustive",
                    "of the schedules of " + options_.name + " with at most "
                      + std::to_string(options_.exhaustive) + " deviations "
                      + campaign_.left_out + ", as time was up");
  }

  run_result run_listed(const std::vector<std::uint16_t>& listed) {
    auto r = run_once(options_, what_,
                      {options_.first_seed, &listed, &campaign_});
    judge(r, true);
    return r;
  }

  // All schedules that do as `before`, whose run is known, but deviate at
  // decision `i`, and then `left - 1` times more at most.
  void deviate_at(std::size_t i, const std::vector<std::uint16_t>& before,
                  const run_result& run, unsigned left) {
    auto [taken, count, timer] = run.decisions[i];
    for (std::uint16_t option = 1; option < count; ++option) {
      if (!has_time())
        return;
      auto next = before;
      next.resize(i);
      next.push_back(timer && option == count - 1 ? early_timer : option);
      auto r = run_listed(next);
      for (auto j = i + 1; left > 1 && j < r.decisions.size(); ++j)
        deviate_at(j, next, r, left - 1);
    }
  }

  void judge(const run_result& r, bool is_new) {
    if (r.violated.empty() || options_.count_failures)
      return;
    auto shrunk = shrink(options_, what_, r);
    // What is told is what was judged: no run after this one can hold.
    told_run shortest{.result = {}, .events = {}, .smallest = shrunk.smallest};
    shortest.result = run_once(
      options_, what_, {r.seed, &shrunk.listed, nullptr, &shortest.events});
    if (shortest.result.violated != r.violated)
      throw failure("not repeatable",
                    "\"" + r.violated + "\": " + shown(r.detail)
                      + ", but only once; "
                      + first_difference(options_, what_, r.seed));
    auto text = report_of(options_, r, shortest);
    if (is_new)
      text += add_regression(options_, shortest.result);
    throw failure(r.violated, text);
  }

  // A name that nobody knows is one that was misspelt.
  void judge_faults() {
    std::string unknown;
    std::string known;
    for (const auto& [name, declared] : campaign_.faults) {
      auto& all = declared ? known : unknown;
      all += (all.empty() ? "\"" : ", \"") + name + '"';
    }
    if (!unknown.empty())
      throw misuse("unknown fault", "somebody asks whether " + unknown
                                      + " fires; no run of " + options_.name
                                      + " has that, but "
                                      + (known.empty() ? "none" : known));
  }

  void judge_situations() {
    for (const auto& [name, runs] : campaign_.situations)
      if (runs == 0)
        campaign_.unreached.push_back(name);
    if (campaign_.unreached.empty() || options_.count_failures
        || campaign_.runs < runs_needed_)
      return;
    throw failure("never reached", "\"" + campaign_.unreached.front() + "\" in "
                                     + std::to_string(campaign_.runs)
                                     + " runs of " + options_.name);
  }

  explore_options options_;
  const scenario& what_;
  campaign campaign_;
  std::uint64_t runs_needed_ = 0;
  steady::time_point until_ = steady::time_point::max();
};

} // namespace

campaign explore(const explore_options& options, const scenario& what) {
  // What is planted would be reported line by line.
  silence quiet;
  return explorer{options, what}.run();
}

} // namespace steward::testkit
