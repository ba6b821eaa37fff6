#pragma once

// Not installed: users of the store have no SQLiteCpp.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>

namespace steward {

/// The version that `migrate_sqlite` leads to.
inline constexpr std::int64_t sqlite_schema_version = 2;

/// Makes the schema in a blank database, or brings an older one of ours up to
/// date, in one transaction; several processes may do so at once. Throws
/// `store_failure` and leaves everything as it is if the database is not ours.
void migrate_sqlite(SQLite::Database& db, const std::filesystem::path& path);

} // namespace steward
