#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/fingerprint.hpp>
#include <steward/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace steward {

/// Names one request to write a record, the same on every retry of it. A row
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
  std::string journal;    ///< how to take the resource back after a crash
  std::string owner;      ///< which run of which program wrote it
  /// Which start of the owner answers for the resource, see `node`; 0: nobody
  /// watches over it, and it is never reclaimed.
  std::int64_t incarnation = 0;
  creator_token creator{};
  creator_token writer{};   ///< of the last update; at first the creator
  fingerprint print{};      ///< of the attributes it was created with
  std::int64_t version = 1; ///< goes up with every change
  bool open = true;
  close_reason reason{}; ///< meaningful if `!open`
  time_point opened_at{};
  time_point closed_at{}; ///< meaningful if `!open`
};

/// "There must be a record of this name." `id`, `open`, `reason`, `closed_at`,
/// `writer`, `print` and `version` of the draft are ignored.
struct create_record {
  record draft;
  bool strict = false; ///< other attributes than ours are a conflict
};

/// "The resource of this record is closed." Closing a closed or an unknown
/// record changes nothing.
struct close_record {
  std::string name;
  close_reason reason{};
  time_point closed_at{};
  /// Only if this token created it: for who does not know whether it was he.
  std::optional<creator_token> creator = {};
};

/// "If the record still has this version, change it." What is not given stays.
struct update_record {
  std::string name;
  std::int64_t version = 1;
  std::optional<std::string> attributes = {};
  std::optional<std::string> journal = {};
  creator_token token{}; ///< as that of a creator: the same on every retry
};

using record_write = std::variant<create_record, close_record, update_record>;

/// Whose record it is.
inline const std::string& name_of(const record_write& x) {
  if (auto create = std::get_if<create_record>(&x))
    return create->draft.name;
  if (auto close = std::get_if<close_record>(&x))
    return close->name;
  return std::get<update_record>(x).name;
}

/// About how many bytes it sends to the database.
std::size_t size_of(const record_write& x);

/// What is larger than that is a bad row: it would hold up all others.
inline constexpr std::size_t record_bytes_max = 16'000'000;

/// How a request for a record ended. A conflict is an answer, not an error.
enum class record_verdict : unsigned char {
  created,     ///< the row carries this request's token
  existed,     ///< there is such a row: another's, or as we changed it
  conflict,    ///< another's, with other attributes or of another version
  unavailable, ///< not known to be written before the deadline
};

constexpr std::string_view to_string(record_verdict x) {
  switch (x) {
    case record_verdict::created: return "created";
    case record_verdict::existed: return "existed";
    case record_verdict::conflict: return "conflict";
    case record_verdict::unavailable: break;
  }
  return "unavailable";
}

/// Why a record is unavailable. A closed list.
enum class record_trouble : unsigned char {
  none,         ///< it is available
  queue_full,   ///< `queue_max` writes wait already
  timed_out,    ///< the deadline came first
  closing,      ///< records are being closed
  unknown_name, ///< there is no such record to close or to change
  bad_row,      ///< the database will never take this row
  storage_full, ///< no space left until the deadline
  failed,       ///< only somebody's help changes it; `cause` says more
};

constexpr std::string_view to_string(record_trouble x) {
  switch (x) {
    case record_trouble::none: return "none";
    case record_trouble::queue_full: return "queue_full";
    case record_trouble::timed_out: return "timed_out";
    case record_trouble::closing: return "closing";
    case record_trouble::unknown_name: return "unknown_name";
    case record_trouble::bad_row: return "bad_row";
    case record_trouble::storage_full: return "storage_full";
    case record_trouble::failed: break;
  }
  return "failed";
}

/// The answer to a request for a record.
struct record_answer {
  record_verdict verdict = record_verdict::unavailable;
  record row; ///< as it stands in the database; empty if unavailable
  bool lost_race = false; ///< looked, found none, and yet met another's row
  std::string cause;      ///< one line; empty unless unavailable
  record_trouble trouble = record_trouble::none;
  /// Unavailable, and yet perhaps written: a commit is under way, or its answer
  /// was lost. Asking again with another token answers `existed` then.
  bool may_exist = false;
};

/// The answer to who wants this record and meets `row` in the database.
record_answer answer_to(const create_record& wanted, record row);

/// The answer to who wants this change and now finds `row`.
record_answer answer_to(const update_record& wanted, record row);

/// "It is not to be had."
record_answer unavailable(record_trouble why, std::string cause);

} // namespace steward
