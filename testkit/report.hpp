#pragma once

#include <steward/testkit/explore.hpp>

#include <span>
#include <string>
#include <vector>

namespace steward::testkit {

/// The smallest schedule that still fails, as it was run once more.
struct told_run {
  run_result result;
  std::vector<event> events;
  bool smallest; ///< see `shrunk_schedule`
};

/// All that a person needs to understand a failure and to repeat it: what was
/// violated, when, the seed, the command, and the shrunk schedule as a sequence
/// of messages. Writes a chart where the options say so.
std::string report_of(const explore_options& options, const run_result& failed,
                      const told_run& shortest);

/// Where two runs of one seed part: the first step that differs.
std::string first_difference(const explore_options& options,
                             const scenario& what, std::uint64_t seed);

/// A sequence chart of events for a browser: HTML with a drawing, which needs no
/// script, and the same for Mermaid.
std::string chart_of(const std::string& title, std::span<const event> events);

} // namespace steward::testkit
