#include <steward/storage/internal/sqlite_schema.hpp>

#include <steward/core/fingerprint.hpp>
#include <steward/storage/internal/record_text.hpp>
#include <steward/storage/record_store.hpp>

#include <sqlite3.h>

#include <array>
#include <map>
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

// Whether nothing is to be done for this use.
bool will_do(const identity& x, const fs::path& path, store_use use) {
  if (x.is_blank()) {
    if (use != store_use::keep)
      refuse(store_errc::cannot_open, path, "the database is empty");
    return false;
  }
  require_ours(x, path);
  return use == store_use::look || x.version == sqlite_schema_version;
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

// @pre A transaction is under way.
void migrate(SQLite::Database& db, std::int64_t from, std::int64_t to) {
  db.createFunction("steward_fingerprint", 1, true, nullptr,
                    &compute_fingerprint);
  for (auto i = from; i < to; ++i)
    db.exec(migrations[static_cast<std::size_t>(i)]);
  db.exec("PRAGMA application_id = " + std::to_string(application_id));
  db.exec("PRAGMA user_version = " + std::to_string(to));
}

// What each table and index was made by. What SQLite makes by itself has no
// text.
std::map<std::string, std::string> parts_of(SQLite::Database& db) {
  SQLite::Statement sql{db, "SELECT type || ' ' || name, coalesce(sql, '') FROM"
                            " sqlite_schema"};
  std::map<std::string, std::string> result;
  while (sql.executeStep())
    result.emplace(sql.getColumn(0).getString(), sql.getColumn(1).getString());
  return result;
}

// Of what somebody may have added: plain indexes and tables do no harm.
std::vector<std::string> what_may_change_rows(SQLite::Database& db) {
  SQLite::Statement sql{db,
                        "SELECT type || ' ' || name FROM sqlite_schema WHERE"
                        " type = 'trigger' OR (type = 'index' AND sql LIKE"
                        " '%unique%') ORDER BY 1"};
  std::vector<std::string> result;
  while (sql.executeStep())
    result.push_back(sql.getColumn(0).getString());
  return result;
}

} // namespace

std::int64_t migrate_sqlite(SQLite::Database& db, const fs::path& path,
                            store_use use) {
  {
    SQLite::Transaction snapshot{db};
    if (auto found = read_identity(db); will_do(found, path, use))
      return found.version;
  }
  // Others may be doing the same: whoever gets the lock looks again. All in
  // one transaction, and for a new file before WAL, so that nobody sees half
  // of it.
  SQLite::Transaction making{db, SQLite::TransactionBehavior::IMMEDIATE};
  auto found = read_identity(db);
  if (will_do(found, path, use))
    return found.version;
  migrate(db, found.version, sqlite_schema_version);
  making.commit();
  return sqlite_schema_version;
}

void make_sqlite_schema(SQLite::Database& db, std::int64_t version) {
  SQLite::Transaction making{db};
  migrate(db, 0, version);
  making.commit();
}

std::vector<std::string> what_sqlite_lacks(SQLite::Database& db,
                                           std::int64_t version) {
  SQLite::Database model{":memory:",
                         SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  make_sqlite_schema(model, version);
  auto made = parts_of(model);
  auto there = parts_of(db);
  std::vector<std::string> result;
  for (auto& [part, sql] : made) {
    auto found = there.find(part);
    if (found == there.end())
      result.push_back("the " + part + " is missing");
    else if (found->second != sql)
      result.push_back("the " + part + " is not as it was made");
  }
  for (auto& part : what_may_change_rows(db))
    if (!made.contains(part))
      result.push_back("the " + part + " is not ours");
  return result;
}

} // namespace steward
