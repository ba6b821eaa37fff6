#pragma once

#include <steward/apps/bench/actor_crew.hpp>
#include <steward/apps/bench/fairness.hpp>
#include <steward/apps/bench/key_sources.hpp>
#include <steward/apps/bench/machine.hpp>
#include <steward/apps/bench/measurement.hpp>
#include <steward/apps/bench/stage.hpp>
#include <steward/apps/bench/subject.hpp>
#include <steward/apps/bench/thread_crew.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace steward::bench {

/// A workload that this driver cannot do. `what()` is one line.
class cannot_run : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

// Below that many resources, what else goes on shows in the bytes per key.
inline constexpr std::uint64_t keys_to_weigh = 10'000;

inline std::optional<double> per_key(std::uint64_t before, std::uint64_t after,
                                     std::uint64_t keys) {
  if (keys < keys_to_weigh)
    return std::nullopt;
  auto difference = static_cast<double>(after) - static_cast<double>(before);
  return std::max(difference, 0.0) / static_cast<double>(keys);
}

/// Sums up what all clients saw, but for the rate.
void summarize(const std::vector<client_log>& logs, measurement& to);

/// Runs clients on a subject that is made for it. `S` is the subject, `Source`
/// what gives a client its keys.
template <subject S, class Source>
class steady_run {
public:
  steady_run(const run_options& run, std::vector<Source> sources,
             const std::atomic<bool>& stop)
    : run_(run), sources_(std::move(sources)), stage_(stop),
      logs_(sources_.size()) {
    result_.driver = S::name;
    result_.run = run;
    result_.clock_ns = clock_cost_ns();
  }

  measurement operator()() {
    auto before = settled_bytes();
    S what{limits{run_.limit, run_.total}};
    if (!run_.operations)
      fill(what);
    result_.bytes_per_key = per_key(before, settled_bytes(), what.open());
    if (run_.from == origin::threads)
      with_crew<thread_crew<S, Source>>(what);
    else if constexpr (actor_subject<S>)
      with_crew<actor_crew<S, Source>>(what);
    else
      throw cannot_run{std::string{S::name} + " has no --from actors"};
    summarize(logs_, result_);
    result_.peak_rss_bytes = peak_resident_bytes();
    result_.stopped = stage_.stopped();
    return result_;
  }

private:
  // Every key has a resource, or the limit of all is reached.
  void fill(S& what) {
    if constexpr (std::is_same_v<Source, zipf_keys>) {
      auto source = sources_.front();
      for (auto i = zipf_keys::draws_max;
           i > 0 && what.open() < run_.total && !stage_.stopped(); --i)
        (void)what.borrow(source().key.view(), {});
    } else {
      for (std::uint32_t i = 0; i < run_.keys && !stage_.stopped(); ++i)
        (void)what.borrow(key_text{i}.view(), {});
    }
  }

  template <class Crew>
  void with_crew(S& what) {
    for (auto& log : logs_)
      log.counts_all = run_.operations || run_.pace;
    Crew crew{what, run_, std::move(sources_), stage_, logs_};
    if (run_.operations) {
      counted(what, [&] {
        auto start = clock_ns();
        stage_.set(phase::time);
        crew.join();
        return static_cast<double>(clock_ns() - start) / 1e9;
      });
    } else if (run_.pace) {
      counted(what, [&] { return stage_.play(phase::time, run_.seconds); });
    } else {
      stage_.play(phase::warm, run_.seconds / 4);
      counted(what, [&] { return stage_.play(phase::rate, run_.seconds); });
      stage_.play(phase::time, run_.seconds / 2);
    }
    stage_.set(phase::over);
    crew.join();
    finish();
  }

  // Observes what `go` does, which returns how many seconds that took.
  template <class F>
  void counted(S& what, F go) {
    auto opened = what.opened();
    auto cpu = cpu_seconds();
    seconds_ = go();
    result_.cpu_seconds = cpu_seconds() - cpu;
    opened_ = what.opened() - opened;
  }

  void finish() {
    auto& done = result_.operations;
    for (const auto& log : logs_)
      done += log.counted;
    if (seconds_ <= 0 || done == 0)
      return;
    result_.rate = static_cast<double>(done) / seconds_;
    if (run_.what == workload::w5)
      return;
    result_.hit_rate = std::max(
      0.0, 1 - static_cast<double>(opened_) / static_cast<double>(done));
  }

  run_options run_;
  std::vector<Source> sources_;
  stage stage_;
  std::vector<client_log> logs_;
  std::uint64_t opened_ = 0;
  double seconds_ = 0;
  measurement result_;
};

} // namespace steward::bench
