#pragma once

#include <steward/testkit/history_check.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Whether a database kept its word: what clients heard, and what stands in it
// after all is over, by six rules:
//
//   1  a name has one row, a row one id
//   2  whoever heard of a name heard the id that the row has
//   3  what anybody heard of is in the database
//   4  `created` was said to whom the row names as its creator, and to no other
//   5  there is no row that nobody asked for
//   6  every request was answered by its deadline
//
// As rows never change their name, these six imply that each name is a register
// that is created once; and that is checked by `check_get_or_create`, too.

namespace steward::testkit {

/// A row as it stands in the database in the end.
struct stored_row {
  std::string name;
  std::string id;
  std::string creator; ///< the token of who created it
};

/// What breaks a rule.
struct broken_rule {
  int rule = 0;
  std::string name;
  std::string why;
};

struct record_check_options {
  /// Longest time from question to answer; not judged if 0.
  stamp answer_max = 0;
};

/// Judges `get_or_create NAME TOKEN` operations, each with a token of its own,
/// whose results are `created ID CREATOR` and `existed ID CREATOR`. A failed one
/// must have left no row; one in doubt may have.
std::vector<broken_rule> check_records(std::span<const operation> all,
                                       std::span<const stored_row> rows,
                                       record_check_options how = {});

} // namespace steward::testkit
