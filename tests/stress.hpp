#pragma once

// What the programs for the thread sanitizer share.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

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

/// Prints how often something happened; whether it did. A stress that never got
/// somewhere proves nothing there.
inline bool report(const char* name, const std::atomic<std::uint64_t>& n) {
  std::printf(" %s=%llu", name, static_cast<unsigned long long>(n));
  return n > 0;
}

} // namespace stress
