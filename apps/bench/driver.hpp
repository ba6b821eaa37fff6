#pragma once

#include <steward/apps/bench/driver_status.hpp>
#include <steward/apps/bench/expiry_run.hpp>
#include <steward/apps/bench/run.hpp>
#include <steward/apps/interrupt.hpp>
#include <steward/apps/output.hpp>

#include <csignal>
#include <exception>
#include <string>

namespace steward::bench {

template <subject S, class Source>
measurement run_steadily(const run_options& run,
                         const std::atomic<bool>& stop) {
  std::vector<Source> sources;
  for (std::size_t i = 0; i < run.clients; ++i)
    sources.emplace_back(run, i);
  return steady_run<S, Source>{run, std::move(sources), stop}();
}

template <subject S>
measurement measure_zipf(const run_options& run,
                         const std::atomic<bool>& stop) {
  std::vector<zipf_keys> sources;
  {
    zipf law{run.keys, zipf_keys::exponent, stop};
    for (std::size_t i = 0; i < run.clients; ++i)
      sources.emplace_back(run, law, i);
  }
  return steady_run<S, zipf_keys>{run, std::move(sources), stop}();
}

template <subject S>
measurement measure_hand_overs(const run_options& run,
                               const std::atomic<bool>& stop) {
  auto last = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<one_key> sources;
  for (std::size_t i = 0; i < run.clients; ++i)
    sources.emplace_back(run, i).share(last);
  return steady_run<S, one_key>{run, std::move(sources), stop}();
}

/// One run of the subject `S`. Ends early when `stop` is set. Throws
/// `cannot_run`.
template <subject S>
measurement measure(const run_options& run, const std::atomic<bool>& stop) {
  switch (run.what) {
    case workload::w1: return run_steadily<S, uniform_keys>(run, stop);
    case workload::w2: return measure_zipf<S>(run, stop);
    case workload::w3: return run_steadily<S, alternating_keys>(run, stop);
    case workload::w4:
      if constexpr (expiring_subject<S>)
        return expiry_run<S>{run, stop}();
      break;
    case workload::w5: return measure_hand_overs<S>(run, stop);
  }
  throw cannot_run{std::string{S::name} + " cannot do "
                   + std::string{to_string(run.what)}};
}

/// `main` of a driver: reads the words after the program's name, runs, prints
/// one JSON object on one line. Complaints are one line on standard error.
template <subject S>
int drive(int count, const char* const* words) {
  try {
    if (asks_for_help(count, words)) {
      write_stdout(help_of_driver(S::name));
      return 0;
    }
    auto run = parse_run(count, words);
    write_stdout(to_line(measure<S>(run, interrupted())) + '\n');
    return interrupted() ? 128 + interrupt_signal() : 0;
  } catch (const unusable_run& error) {
    complain(error.what(), S::name);
    return driver_words_unusable;
  } catch (const cannot_run& error) {
    complain(error.what(), S::name);
    return driver_cannot_run;
  } catch (const std::exception& error) {
    complain(error.what(), S::name);
    return driver_failed;
  }
}

} // namespace steward::bench
