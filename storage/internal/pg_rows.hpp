#pragma once

// Not installed: users of the store have no libpq.

#include <steward/core/record.hpp>
#include <steward/storage/internal/pg_connection.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// Reads what `pg_read_row` takes; a condition may follow.
extern const std::string pg_select_record;

/// Columns of `pg_select_record` for a RETURNING.
extern const std::string pg_record_columns;

record pg_read_row(const pg_result& rows, int row);

/// How much of it may be large.
std::size_t pg_bytes_of_row(const pg_result& rows, int row);

std::vector<record> pg_read_rows(const pg_result& rows);

/// The rows of these names, if there are any, in a new snapshot.
std::map<std::string, record, std::less<>>
pg_read_by_name(pg_connection& c, std::span<const std::string_view> names);

/// INSERT of the rows that `pg_create_values` makes, up to its WHERE clause, to
/// which conditions may be added, and from there on: returns name and id of
/// those that are new.
extern const std::string pg_insert_into;
extern const std::string pg_insert_rest;

/// Parameters $1 to $10 of that. @pre sorted by name, no name twice.
std::vector<std::string>
pg_create_values(std::span<const record* const> drafts);

/// Writes a batch in one transaction, of one statement if that will do. Where
/// names are mostly there, to look first is cheaper: an INSERT that finds them
/// takes a number for each, and that is a commit to be flushed.
std::vector<record_answer> pg_write_batch(pg_connection& c,
                                          std::span<const record_write> batch,
                                          bool look_first);

/// Makes the schema, or brings an older one up to date, in one transaction, as
/// far as the use permits; several processes may do so at once. Throws
/// `store_failure`.
void pg_migrate(pg_connection& c, const std::string& where, store_use use);

/// How a server words a constraint or an index, without what it may put
/// elsewhere in another version: parentheses, spaces, and casts to text.
std::string pg_wording(std::string_view definition);

/// What of the tables is not as it was made, what was added to them that may
/// change or refuse rows, and names that stand twice; a line each.
std::vector<std::string> what_pg_lacks(pg_connection& c);

} // namespace steward
