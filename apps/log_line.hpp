#pragma once

#include <steward/core/time.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// What one line of a log says. The views point into the line, or into the
/// parser that made them, until its next call.
struct log_line {
  time_point at;
  std::string_view key;
  std::string_view params;
};

/// Why a line cannot be used, as the end of the sentence "line 7: ...".
/// Null: it can.
using line_fault = const char*;

/// Reads `17/May/2015:10:05:03 +0000`, the time of a web server's log.
std::optional<time_point> parse_clf_time(std::string_view text);

/// Reads `1431857103.25` (seconds since 1970) or `2015-05-17T10:05:03.25+00:00`
/// (RFC 3339, zone required). Digits below a nanosecond are dropped; times
/// before the year 1970 or after 2199 are refused.
std::optional<time_point> parse_csv_time(std::string_view text);

/// Reads a line of the common or combined log format: the key is the client's
/// address; the params are the user agent, as escaped in the log, if `agent`,
/// else empty.
line_fault parse_clf(std::string_view line, bool agent, log_line& out);

/// Splits a CSV record into its fields as RFC 4180 says.
class csv_record {
public:
  enum class outcome {
    complete,
    open_quote, ///< the record ends inside of quotes: it may go on
    malformed,  ///< something stands behind a closing quote
  };

  /// Forgets the last record. The fields live until the next call, and `text`
  /// as long as they do.
  outcome split(std::string_view text);

  const std::vector<std::string_view>& fields() const {
    return fields_;
  }

private:
  std::vector<std::string_view> fields_;
  std::string unquoted_; // fields whose doubled quotes are made single
};

/// Which column of a CSV log has what.
struct csv_layout {
  std::size_t time = 0;
  std::size_t key = 0;
  std::optional<std::size_t> params;

  /// Finds the columns in a header; nothing unless `time` and `key` are there,
  /// each named once. Upper case, spaces around names and other columns do not
  /// matter.
  static std::optional<csv_layout> from_header(std::string_view line);

  /// Reads what a record says.
  line_fault parse(const csv_record& record, log_line& out) const;
};

} // namespace steward
