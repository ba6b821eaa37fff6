#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the environment says about campaigns. What cannot be understood is a
// `misuse`.

namespace steward::testkit {

/// `STEWARD_TESTKIT_SEEDS`: how many seeds, if it says so.
std::optional<std::uint64_t> seeds_wanted();

/// One run instead of a campaign.
struct run_wanted {
  std::uint64_t seed = 0;

  /// Its schedule instead of its own; an empty one is that of `fifo`.
  std::optional<std::vector<std::uint16_t>> listed;
};

/// `STEWARD_TESTKIT_SEED` and `STEWARD_TESTKIT_SCHEDULE`.
std::optional<run_wanted> single_run_wanted();

/// Whether a campaign of this name is to run, as far as `STEWARD_TESTKIT_ONLY`
/// says. A program of which it wants none ends with 2, and says why.
bool is_wanted(const std::string& campaign);

/// How this program was called, for a shell, as far as the system tells.
const std::string& command_line();

/// A word for a shell, in quotes if it needs them.
std::string shell_word(const std::string& word);

} // namespace steward::testkit
