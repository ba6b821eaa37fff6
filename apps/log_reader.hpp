#pragma once

#include <steward/runtime/replay.hpp>

#include <steward/apps/byte_source.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

enum class log_format : unsigned char {
  automatic, ///< CSV if the first line is its header, else web server's log
  clf,       ///< common or combined log format
  csv,       ///< header `time,key[,params]`
};

enum class log_order : unsigned char {
  sort,  ///< by time; lines of one time stay in the order of the log
  clamp, ///< as in the log; an earlier time becomes the latest before it
};

enum class params_source : unsigned char {
  automatic, ///< the column `params` of CSV, if there is one
  none,      ///< every request has empty params
  agent,     ///< the user agent of the combined log format
};

constexpr std::string_view to_string(log_format x) {
  switch (x) {
    case log_format::clf: return "clf";
    case log_format::csv: return "csv";
    case log_format::automatic: break;
  }
  return "auto";
}

constexpr std::string_view to_string(log_order x) {
  return x == log_order::sort ? "sort" : "clamp";
}

constexpr std::string_view to_string(params_source x) {
  switch (x) {
    case params_source::none: return "none";
    case params_source::agent: return "agent";
    case params_source::automatic: break;
  }
  return "auto";
}

/// How far reading has come.
struct read_progress {
  std::uint64_t bytes = 0;       ///< read from the file
  std::uint64_t bytes_total = 0; ///< in the file; 0 if unknown
  std::uint64_t lines = 0;
};

struct log_options {
  log_format format = log_format::automatic;
  log_order order = log_order::sort;
  params_source params = params_source::automatic;
  /// A longer line (or CSV record) is a bad line.
  std::size_t line_bytes_max = 64 * 1024;
  /// Ends the reading early; see `request_log::stopped`.
  const std::atomic<bool>* stop = nullptr;
  /// Called every few thousand lines.
  std::function<void(const read_progress&)> progress;
};

/// A line that cannot be parsed.
struct bad_line {
  std::uint64_t number = 0; ///< the first line of the input is 1
  std::string reason;
  std::string text; ///< the front of it, fit to be printed
};

/// Each distinct text once.
class text_store;

/// The requests of a log, in the order of replay, and what reading it found.
struct request_log {
  request_log();
  request_log(request_log&&) noexcept;
  request_log& operator=(request_log&&) noexcept;
  ~request_log();

  std::unique_ptr<text_store> texts; ///< what the requests' views point into
  std::vector<timed_request> requests;
  log_format format = log_format::clf; ///< what it turned out to be
  bool compressed = false;
  std::uint64_t lines = 0; ///< good and bad; no empty ones, no header
  std::uint64_t bad = 0;
  std::uint64_t late = 0;          ///< earlier than the latest before them
  std::uint64_t keys = 0;          ///< distinct ones
  std::vector<bad_line> bad_lines; ///< the first five
  bool stopped = false;            ///< `stop` was set: the rest was not read
};

/// Reads the log at `path`, `-` for standard input, packed by gzip or not.
/// Throws `unusable_input` if it cannot be read, has no request, or if more
/// than half of its lines are bad; the sentence begins with the path.
request_log read_log(const std::string& path, const log_options& options);

} // namespace steward
