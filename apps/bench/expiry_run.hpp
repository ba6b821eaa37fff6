#pragma once

#include <steward/apps/bench/run.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace steward::bench {

/// W4: lets many idle resources expire at once while clients borrow others,
/// each time with a look at the clock. Time is the subject's own, so that all
/// fall due in the same moment.
template <expiring_subject S>
class expiry_run {
public:
  expiry_run(const run_options& run, const std::atomic<bool>& stop)
    : run_(run), stage_(stop), logs_(run.clients) {
    result_.driver = S::name;
    result_.run = run;
    result_.clock_ns = clock_cost_ns();
  }

  measurement operator()() {
    auto before = settled_bytes();
    S what{limits{run_.limit, run_.total, timeout, true}};
    for (std::uint32_t i = 0; i < run_.keys && !stage_.stopped(); ++i)
      (void)what.borrow(key_text{i}.view(), {});
    result_.bytes_per_key = per_key(before, settled_bytes(), what.open());
    if (!stage_.stopped())
      idle_ticks(what);
    if (!stage_.stopped()) {
      if (run_.from == origin::threads)
        expire<thread_crew<S, probe_keys>>(what);
      else if constexpr (actor_subject<S>)
        expire<actor_crew<S, probe_keys>>(what);
      else
        throw cannot_run{std::string{S::name} + " has no --from actors"};
    }
    // And the keys themselves.
    what.pass(timeout + std::chrono::seconds{100});
    what.pass(timeout + std::chrono::seconds{100});
    result_.bytes_per_key_after = per_key(before, settled_bytes(), run_.keys);
    result_.peak_rss_bytes = peak_resident_bytes();
    result_.stopped = stage_.stopped();
    return result_;
  }

private:
  static constexpr std::chrono::seconds timeout{300};

  // All ticks at which nothing is due, but the first: that one takes note of
  // what was opened before it.
  void idle_ticks(S& what) {
    constexpr auto tick = std::chrono::seconds{1};
    what.pass(tick);
    std::vector<std::uint64_t> times;
    for (auto at = 2 * tick; at < timeout - tick; at += tick) {
      auto start = clock_ns();
      what.pass(tick);
      times.push_back(clock_ns() - start);
    }
    std::sort(times.begin(), times.end());
    result_.tick_idle_us = static_cast<double>(times[times.size() / 2]) / 1e3;
    result_.tick_idle_max_us = static_cast<double>(times.back()) / 1e3;
  }

  template <class Crew>
  void expire(S& what) {
    std::vector<probe_keys> sources(run_.clients, probe_keys{run_});
    auto others = what.open();
    Crew crew{what, run_, std::move(sources), stage_, logs_};
    stage_.play(phase::warm, 0.05);
    auto cpu = cpu_seconds();
    auto start = clock_ns();
    stage_.set(phase::time);
    what.pass(std::chrono::seconds{4});
    while (what.open() > probe_keys::count && !stage_.stopped())
      std::this_thread::sleep_for(std::chrono::microseconds{100});
    auto end = clock_ns();
    stage_.set(phase::over);
    crew.join();
    result_.cpu_seconds = cpu_seconds() - cpu;
    summarize(logs_, result_);
    result_.longest_wait_ns = result_.max_ns;
    result_.operations = others;
    result_.expire_all_ms = static_cast<double>(end - start) / 1e6;
    result_.rate
      = static_cast<double>(others) * 1e9
        / static_cast<double>(std::max<std::uint64_t>(end - start, 1));
  }

  run_options run_;
  stage stage_;
  std::vector<client_log> logs_;
  measurement result_;
};

} // namespace steward::bench
