#pragma once

#include <steward/apps/bench/key_sources.hpp>
#include <steward/apps/bench/machine.hpp>
#include <steward/apps/bench/pacer.hpp>
#include <steward/apps/bench/stage.hpp>
#include <steward/apps/bench/subject.hpp>

#include <cstdint>
#include <thread>
#include <vector>

namespace steward::bench {

/// How many operations client `index` does, at most.
inline std::uint64_t quota_of(const run_options& run, std::size_t index) {
  if (!run.operations)
    return ~std::uint64_t{0};
  return *run.operations / run.clients
         + (index < *run.operations % run.clients ? 1 : 0);
}

/// The clients of a run as threads: they start at once and wait for the first
/// phase. The destructor waits for their end.
template <subject S, class Source>
class thread_crew {
public:
  thread_crew(S& what, const run_options& run, std::vector<Source> sources,
              stage& when, std::vector<client_log>& logs) {
    for (std::size_t i = 0; i < sources.size(); ++i)
      threads_.emplace_back([&what, &when, &log = logs[i],
                             quota = quota_of(run, i),
                             pace = pacer{run.pace, i, sources.size()},
                             source = std::move(sources[i])]() mutable {
        while (when.now() == phase::hold)
          std::this_thread::yield();
        work(what, source, pace, quota, when, log);
        pace.charge(log.times);
      });
  }

  void join() {
    threads_.clear();
  }

private:
  static void work(S& what, Source& source, pacer& pace, std::uint64_t quota,
                   const stage& when, client_log& log) {
    for (; quota > 0; --quota) {
      auto now = when.now();
      if (now == phase::over)
        return;
      if (now != phase::time) {
        log.ended(now, use(what, source, when, log));
        continue;
      }
      if (pace.has_pace() && !pace.wait(when))
        return;
      auto start = pace.has_pace() ? pace.due() : clock_ns();
      auto worth = use(what, source, when, log);
      log.times.add(clock_ns() - start);
      log.ended(now, worth);
      pace.next();
    }
  }

  // Returns what the operation counts for.
  static std::uint64_t use(S& what, Source& source, const stage& when,
                           client_log& log) {
    auto x = source();
    for (;;) {
      if (auto lease = what.borrow(x.key.view(), x.params))
        return worth_of(source);
      if (when.now() == phase::over)
        return 0;
      ++log.refused;
      std::this_thread::yield();
    }
  }

  std::vector<std::jthread> threads_;
};

} // namespace steward::bench
