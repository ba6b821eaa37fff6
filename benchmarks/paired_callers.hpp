#pragma once

// What the callers of a store get done, one way against another, turn by turn
// in one run: on a machine that has other things to do both suffer the same.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace paired {

using clock = std::chrono::steady_clock;

/// What the callers of one turn did.
struct turn {
  double calls_per_s = 0;
  double cpu_us = 0; ///< of this process, for each call
  double batch = 0;  ///< calls for each transaction
  std::vector<double> waits_us;
};

/// One call; returns when it is answered.
using ask = std::function<void()>;

inline double cpu_now_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto us = [](const timeval& x) {
    return static_cast<double>(x.tv_sec) * 1e6 + static_cast<double>(x.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

/// Sums up what each caller waited.
inline turn turn_of(const std::vector<std::vector<double>>& waits,
                    clock::duration took, double cpu_us) {
  turn result;
  for (auto& x : waits)
    result.waits_us.insert(result.waits_us.end(), x.begin(), x.end());
  auto calls = static_cast<double>(result.waits_us.size());
  result.calls_per_s = calls / std::chrono::duration<double>(took).count();
  result.cpu_us = cpu_us / calls;
  return result;
}

/// `callers` threads call, wait, call again, for so long. Making the threads
/// does not count.
inline turn run_threads(std::size_t callers, clock::duration how_long,
                        const ask& call) {
  std::vector<std::vector<double>> waits(callers);
  std::atomic<std::size_t> ready{0};
  std::atomic<bool> go{false};
  clock::time_point end;
  std::vector<std::thread> threads;
  for (auto& mine : waits)
    threads.emplace_back([&] {
      ++ready;
      go.wait(false);
      for (auto now = clock::now(); now < end;) {
        call();
        auto then = clock::now();
        mine.push_back(
          std::chrono::duration<double, std::micro>(then - now).count());
        now = then;
      }
    });
  while (ready < callers)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  auto cpu = cpu_now_us();
  auto start = clock::now();
  end = start + how_long;
  go = true;
  go.notify_all();
  for (auto& x : threads)
    x.join();
  return turn_of(waits, clock::now() - start, cpu_now_us() - cpu);
}

inline double quantile(std::vector<double> x, double q) {
  std::sort(x.begin(), x.end());
  return x.at(static_cast<std::size_t>(q * static_cast<double>(x.size() - 1)));
}

/// All turns of one way.
struct summary {
  std::vector<turn> turns;

  double calls_per_s() const {
    return median([](auto& x) { return x.calls_per_s; });
  }

  double cpu_us() const {
    return median([](auto& x) { return x.cpu_us; });
  }

  double batch() const {
    return median([](auto& x) { return x.batch; });
  }

  /// The wait that so many of all calls did not exceed.
  double wait_us(double q) const {
    std::vector<double> all;
    for (auto& x : turns)
      all.insert(all.end(), x.waits_us.begin(), x.waits_us.end());
    return quantile(std::move(all), q);
  }

private:
  template <class Fun>
  double median(Fun of) const {
    std::vector<double> all;
    for (auto& x : turns)
      all.push_back(of(x));
    return quantile(std::move(all), 0.5);
  }
};

/// Runs a turn, and divides its calls by the transactions that `count` counts.
template <class Run, class Count>
turn counted(Run run, Count count) {
  auto before = count();
  turn result = run();
  auto batches = count() - before;
  result.batch = batches == 0 ? 0
                              : static_cast<double>(result.waits_us.size())
                                  / static_cast<double>(batches);
  return result;
}

/// Median over the rounds of what `x` got done for each call of `base` in the
/// turn beside it.
inline double share(const summary& x, const summary& base) {
  std::vector<double> all;
  for (std::size_t i = 0; i < x.turns.size(); ++i)
    all.push_back(x.turns[i].calls_per_s / base.turns[i].calls_per_s);
  return quantile(std::move(all), 0.5);
}

} // namespace paired
