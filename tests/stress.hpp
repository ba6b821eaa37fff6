#pragma once

// What the programs for the thread sanitizer share.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace stress {

/// The name of the program, for what it says.
extern const char* const program;

/// Ends it with 1 unless that holds.
inline void must(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "%s: broken: %s\n", program, what);
  std::_Exit(1);
}

/// Something that should happen, and how often it did.
struct event {
  const char* name;
  const std::atomic<std::uint64_t>& times;
};

/// Plays so many rounds, `round(i)`, and more where something has not happened
/// yet, as on a busy machine: five times as many at most. Prints how often
/// everything happened, and ends the program with 1 if something never did: a
/// stress that never got somewhere proves nothing there.
template <class F>
void play(int rounds, F round, std::initializer_list<event> events) {
  constexpr int patience = 5;
  auto all_happened = [&] {
    return std::all_of(events.begin(), events.end(),
                       [](const event& x) { return x.times > 0; });
  };
  for (int i = 0; i < rounds || (i < patience * rounds && !all_happened()); ++i)
    round(i);
  std::printf("%s:", program);
  for (const auto& x : events)
    std::printf(" %s=%llu", x.name, static_cast<unsigned long long>(x.times));
  std::printf("\n");
  std::fflush(stdout);
  must(all_happened(), "something that should happen never did");
}

} // namespace stress
