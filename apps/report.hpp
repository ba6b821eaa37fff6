#pragma once

#include <steward/apps/command_line.hpp>
#include <steward/apps/log_reader.hpp>

#include <chrono>
#include <string>

namespace steward {

/// All that a report tells about: what was asked, what was read, what came out.
struct replay_report {
  const replay_arguments& arguments;
  const request_log& log;
  const replay_result& result;
  std::chrono::nanoseconds read_time{0};
};

/// The outcome as a table and in plain words, for people.
std::string to_table(const replay_report& report);

/// The outcome as one JSON object with a line end, for programs.
std::string to_json(const replay_report& report);

} // namespace steward
