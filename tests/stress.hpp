#pragma once

// What the programs for the thread sanitizer share.

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

/// Prints how often everything happened, and ends the program with 1 if something
/// never did: a stress that never got somewhere proves nothing there.
inline void conclude(std::initializer_list<event> events) {
  auto all = true;
  std::printf("%s:", program);
  for (const auto& x : events) {
    std::printf(" %s=%llu", x.name, static_cast<unsigned long long>(x.times));
    all = all && x.times > 0;
  }
  std::printf("\n");
  std::fflush(stdout);
  must(all, "something that should happen never did");
}

} // namespace stress
