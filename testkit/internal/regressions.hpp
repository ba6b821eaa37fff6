#pragma once

#include <steward/testkit/explore.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace steward::testkit {

/// A run that failed once.
struct regression {
  std::uint64_t seed = 0;
  /// The schedule, shrunk. Its own if it ended the program.
  std::optional<std::vector<std::uint16_t>> listed;
};

/// All that are kept for a campaign, oldest first. Throws `failure` with file
/// and line for what cannot be read.
std::vector<regression> read_regressions(const explore_options& o);

/// Keeps one more. A line for the report: where, or why not; empty if none are
/// kept.
std::string add_regression(const explore_options& o, const run_result& failed);

/// The file of a campaign; empty if none are kept.
std::filesystem::path regression_file(const explore_options& o);

/// The begin of a line for a run that ends the program, up to the remark.
std::string begin_of_line(std::uint64_t seed,
                          const std::vector<std::uint16_t>* listed);

/// A campaign's name as that of a file: a slash would be another folder.
std::string file_name_of(const explore_options& o);

} // namespace steward::testkit
