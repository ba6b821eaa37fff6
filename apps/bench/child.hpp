#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace steward::bench {

/// How another program ended.
struct child_outcome {
  int status = -1; ///< 128 + n if signal n killed it; 127 if it cannot be run
  std::string out;
  std::string err;
  bool timed_out = false; ///< it was killed because it took too long
};

/// Runs a program to its end, without input; it ends with us at the latest. It
/// is not in our process group, so that Ctrl-C does not reach it: when `stop`
/// is set it gets one SIGINT, as it would have had. Throws `std::runtime_error`
/// where the machine has no more processes or descriptors.
child_outcome run_child(const std::vector<std::string>& words,
                        const std::atomic<bool>& stop,
                        std::chrono::seconds patience);

/// Splits at blanks; quotes have no meaning.
std::vector<std::string> split_words(const std::string& text);

} // namespace steward::bench
