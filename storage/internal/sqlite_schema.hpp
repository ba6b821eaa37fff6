#pragma once

// Not installed: users of the store have no SQLiteCpp.

#include <steward/storage/record_store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace steward {

/// The version that `migrate_sqlite` leads to.
inline constexpr std::int64_t sqlite_schema_version = 2;

/// The first version that has a table of nodes.
inline constexpr std::int64_t sqlite_schema_with_nodes = 2;

/// Makes the schema in a blank database, or brings an older one of ours up to
/// date, in one transaction, as far as the use permits; several processes may do
/// so at once. Returns the version that it has then. Throws `store_failure` and
/// leaves everything as it is if the database is not ours.
std::int64_t migrate_sqlite(SQLite::Database& db,
                            const std::filesystem::path& path, store_use use);

/// Makes the schema of some version in a blank database.
void make_sqlite_schema(SQLite::Database& db, std::int64_t version);

/// The tables and indexes of this version that are not there, or not as they
/// were made; a line each.
std::vector<std::string> what_sqlite_lacks(SQLite::Database& db,
                                           std::int64_t version);

} // namespace steward
