#include <steward/storage/internal/sqlite_schema.hpp>

#include <steward/core/fingerprint.hpp>
#include <steward/storage/internal/record_text.hpp>
#include <steward/storage/record_store.hpp>

#include <sqlite3.h>

#include <array>
#include <string>

namespace steward {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t application_id = 0x73747764; // "stwd"

// The n-th leads from version n to n + 1. What stands here has been in
// somebody's hands: it is never changed, only added to. Columns are text where
// a person reads them. Times sort as text.
constexpr std::array<const char*, sqlite_schema_version> migrations = {
  R"(
CREATE TABLE record(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
    CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 1024),
  pool TEXT NOT NULL,
  key TEXT NOT NULL,
  attributes TEXT NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  close_reason TEXT,
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  creator TEXT NOT NULL CHECK (length(creator) = 32),
  CHECK ((state = 'closed') = (close_reason IS NOT NULL)),
  CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;
)",
  // The defaults are for a program of version 1 that has the file open.
  R"(
ALTER TABLE record ADD COLUMN journal TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN writer TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
UPDATE record SET fingerprint = steward_fingerprint(attributes),
                  writer = creator;
CREATE INDEX record_by_pool ON record(pool, id);
CREATE INDEX record_by_key ON record(key, id);
CREATE INDEX record_by_owner ON record(owner, id);
CREATE INDEX record_open ON record(id) WHERE state = 'open';
CREATE INDEX record_closed ON record(closed_at) WHERE state = 'closed';
CREATE TABLE node(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  pid_started INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
)",
};

[[noreturn]] void refuse(store_errc code, const fs::path& path,
                         const std::string& why) {
  throw store_failure{code,
                      "cannot open records " + path.string() + ": " + why};
}

struct identity {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::int64_t tables = 0;

  bool is_blank() const {
    return application == 0 && version == 0 && tables == 0;
  }
};

// @pre A transaction is under way, so that the three belong together.
identity read_identity(SQLite::Database& db) {
  return {db.execAndGet("PRAGMA application_id").getInt64(),
          db.execAndGet("PRAGMA user_version").getInt64(),
          db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64()};
}

void require_ours(const identity& x, const fs::path& path) {
  if (x.application != application_id)
    refuse(store_errc::not_a_database, path,
           "it is the database of another application");
  if (x.version > sqlite_schema_version)
    refuse(store_errc::newer_schema, path,
           "its schema version is " + std::to_string(x.version)
             + ", this program knows up to "
             + std::to_string(sqlite_schema_version));
  if (x.version < 1)
    refuse(store_errc::damaged, path,
           "there is no schema version " + std::to_string(x.version));
}

bool is_up_to_date(const identity& x, const fs::path& path) {
  if (x.is_blank())
    return false;
  require_ours(x, path);
  return x.version == sqlite_schema_version;
}

void compute_fingerprint(sqlite3_context* context, int, sqlite3_value** args) {
  auto bytes = sqlite3_value_bytes(args[0]);
  auto text = reinterpret_cast<const char*>(sqlite3_value_text(args[0]));
  std::string_view view{text == nullptr ? "" : text,
                        static_cast<std::size_t>(bytes)};
  auto hex = to_hex(fingerprint_of(view));
  sqlite3_result_text(context, hex.data(), static_cast<int>(hex.size()),
                      SQLITE_TRANSIENT);
}

} // namespace

void migrate_sqlite(SQLite::Database& db, const fs::path& path) {
  {
    SQLite::Transaction snapshot{db};
    if (is_up_to_date(read_identity(db), path))
      return;
  }
  // Others may be doing the same: whoever gets the lock looks again. All in
  // one transaction, and for a new file before WAL, so that nobody sees half
  // of it.
  SQLite::Transaction making{db, SQLite::TransactionBehavior::IMMEDIATE};
  auto found = read_identity(db);
  if (is_up_to_date(found, path))
    return;
  db.createFunction("steward_fingerprint", 1, true, nullptr,
                    &compute_fingerprint);
  for (auto i = found.version; i < sqlite_schema_version; ++i)
    db.exec(migrations[static_cast<std::size_t>(i)]);
  db.exec("PRAGMA application_id = " + std::to_string(application_id));
  db.exec("PRAGMA user_version = " + std::to_string(sqlite_schema_version));
  making.commit();
}

} // namespace steward
