#pragma once

#include <string_view>

namespace steward {

/// Which database said something.
enum class backend : unsigned char { sqlite, postgresql };

/// What was under way when it went wrong.
enum class database_stage : unsigned char {
  connect,   ///< opening a connection
  begin,     ///< starting a transaction, or reading
  statement, ///< a statement of a transaction that is not committed yet
  commit,    ///< COMMIT, or a statement that commits by itself
};

/// What a database said, in its own words.
struct database_code {
  /// SQLite: the extended result code.
  int number = 0;

  /// PostgreSQL: the SQLSTATE, the first one if there were several. Empty where
  /// libpq gives none.
  std::string_view state = {};

  /// PostgreSQL: the connection is bad, or nothing came until the deadline.
  bool link_lost = false;

  /// A unique constraint was violated, and it is the one of names.
  bool of_name = false;
};

/// What can be done about it. A closed list.
enum class reaction : unsigned char {
  retry,           ///< nothing was written: the same batch again, later
  reread,          ///< a name is taken: the same batch again, in a new snapshot
  unknown_outcome, ///< perhaps written: again with the same tokens, elsewhere
  reopen,          ///< nothing was written: again, on a new connection
  bisect,          ///< one of the rows can never be written: find it
  fail,            ///< only somebody's help changes it
};

std::string_view to_string(reaction x);

/// What can be done about an error of a database. // I10
reaction classify(backend from, const database_code& code,
                  database_stage where);

/// Whether the batch waits and is written again without anybody's help.
constexpr bool heals(reaction x) {
  return x != reaction::bisect && x != reaction::fail;
}

} // namespace steward
