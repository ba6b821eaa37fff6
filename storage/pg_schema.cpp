#include <steward/storage/internal/pg_rows.hpp>

#include <steward/storage/record_store.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

namespace {

// What stands here has been in somebody's hands: it is never changed, only
// added to.
constexpr std::array to_version_1 = {
  R"(CREATE TABLE steward_record(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 1024),
  pool text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  attributes text NOT NULL,
  journal text NOT NULL,
  owner text COLLATE "C" NOT NULL,
  incarnation bigint NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
  close_reason text,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  creator uuid NOT NULL,
  writer uuid NOT NULL,
  fingerprint uuid NOT NULL,
  version bigint NOT NULL DEFAULT 1,
  CONSTRAINT steward_record_name_key UNIQUE (name),
  CHECK ((state = 'closed') = (close_reason IS NOT NULL)),
  CHECK ((state = 'closed') = (closed_at IS NOT NULL))))",
  "CREATE INDEX steward_record_pool ON steward_record(pool, id)",
  "CREATE INDEX steward_record_key ON steward_record(key, id)",
  "CREATE INDEX steward_record_owner ON steward_record(owner, id)",
  "CREATE INDEX steward_record_open ON steward_record(id)"
  " WHERE state = 'open'",
  "CREATE INDEX steward_record_closed ON steward_record(closed_at)"
  " WHERE state = 'closed'",
  R"(CREATE TABLE steward_node(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner text NOT NULL,
  host text NOT NULL,
  pid bigint NOT NULL,
  pid_started bigint NOT NULL,
  expires_at timestamptz NOT NULL))",
  R"(CREATE TABLE steward_shard(
  shard_id integer PRIMARY KEY,
  owner bigint,
  epoch bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50))",
};

using statements = std::span<const char* const>;

// The n-th leads from version n to n + 1.
constexpr std::array migrations = {statements{to_version_1}};

constexpr std::int64_t version_known = migrations.size();

// Of the transaction, so that a pooler does no harm. Any number that no other
// program takes.
constexpr const char* lock_sql
  = "SELECT pg_advisory_xact_lock(8390891684357237604)";

std::int64_t read_version(pg_connection& c) {
  return c
    .exec(database_stage::statement,
          "SELECT coalesce(max(version), 0) FROM steward_schema")
    .number(0, 0);
}

bool is_there(pg_connection& c) {
  auto said = c.exec(database_stage::statement,
                     "SELECT to_regclass('steward_schema') IS NOT NULL");
  return said.text(0, 0) == "t";
}

void require_known(std::int64_t version, const std::string& where) {
  if (version > version_known)
    throw store_failure{
      store_errc::newer_schema,
      "cannot open records " + where + ": their schema version is "
        + std::to_string(version) + ", this program knows up to "
        + std::to_string(version_known)};
}

} // namespace

void pg_migrate(pg_connection& c, const std::string& where, store_use use) {
  auto stage = database_stage::statement;
  auto version = is_there(c) ? read_version(c) : 0;
  if (version == 0 && use != store_use::keep)
    throw store_failure{store_errc::cannot_open,
                        "cannot open records " + where + ": there are none"};
  require_known(version, where);
  if (version == version_known || use == store_use::look)
    return;
  c.begin();
  c.exec(stage, lock_sql);
  // Others may have done it meanwhile. To ask whether the table is there would
  // be answered from what this session remembers.
  c.exec(stage, "CREATE TABLE IF NOT EXISTS steward_schema(version bigint "
                "PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())");
  version = read_version(c);
  require_known(version, where);
  for (; version < version_known; ++version) {
    for (auto* sql : migrations[static_cast<std::size_t>(version)])
      c.exec(stage, sql);
    c.exec(stage, "INSERT INTO steward_schema(version) VALUES("
                    + std::to_string(version + 1) + ")");
  }
  c.commit();
}

} // namespace steward
