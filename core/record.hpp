#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

namespace steward {

/// Names one request to create a record, the same on every retry of it. A row
/// is ours if and only if it carries our token; that an INSERT reported success
/// proves nothing after a lost answer.
using creator_token = std::array<std::byte, 16>;

/// A durable row about one named resource.
struct record {
  std::int64_t id = 0;
  std::string name; ///< unique, 1 to 1024 bytes
  std::string pool;
  std::string key;
  std::string attributes; ///< free text: params, JSON, ...
  std::string owner;      ///< which run of which program wrote it
  creator_token creator{};
  bool open = true;
  close_reason reason{}; ///< meaningful if `!open`
  time_point opened_at{};
  time_point closed_at{}; ///< meaningful if `!open`
};

/// "There must be a record of this name." `id`, `open`, `reason` and
/// `closed_at` of the draft are ignored.
struct create_record {
  record draft;
};

/// "The resource of this record is closed." Closing a closed or an unknown
/// record changes nothing.
struct close_record {
  std::string name;
  close_reason reason{};
  time_point closed_at{};
};

using record_write = std::variant<create_record, close_record>;

/// How a request for a record ended. A conflict is an answer, not an error.
enum class record_verdict : unsigned char {
  created,     ///< the row carries this request's token
  existed,     ///< somebody else's row won; it is returned
  unavailable, ///< not known to be written before the deadline
};

constexpr std::string_view to_string(record_verdict x) {
  switch (x) {
    case record_verdict::created: return "created";
    case record_verdict::existed: return "existed";
    case record_verdict::unavailable: break;
  }
  return "unavailable";
}

/// The answer to a request for a record.
struct record_answer {
  record_verdict verdict = record_verdict::unavailable;
  record row; ///< as it stands in the database; empty if unavailable
  bool lost_race = false; ///< looked, found none, and yet met another's row
  std::string cause;      ///< one line; empty unless unavailable
};

} // namespace steward
