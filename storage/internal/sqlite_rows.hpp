#pragma once

// Not installed: users of the store have no SQLiteCpp.

#include <steward/core/record.hpp>
#include <steward/storage/internal/sqlite_connection.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace steward {

/// A statement while it runs. Resets on every way out: a statement that is not
/// makes COMMIT fail with a code that looks like somebody else's lock.
class sqlite_execution {
public:
  explicit sqlite_execution(SQLite::Statement& sql) : sql_(sql) {
  }

  sqlite_execution(const sqlite_execution&) = delete;
  sqlite_execution& operator=(const sqlite_execution&) = delete;

  ~sqlite_execution() {
    sql_.tryReset();
  }

  bool step() {
    return sql_.executeStep();
  }

  int change() {
    sql_.executeStep();
    return sql_.getChanges();
  }

private:
  SQLite::Statement& sql_;
};

/// The row on which a statement of `select_record()` stands.
record read_row(SQLite::Statement& row);

std::int64_t id_of_row(SQLite::Statement& row);

/// How much of it may be large.
std::size_t bytes_of_row(SQLite::Statement& row);

/// The row of this name, if there is one.
std::optional<record> read_by_name(sqlite_connection& c,
                                   const std::string& name);

/// Writes a batch in one transaction. If `look_first`, it looks for what is
/// there without a lock, which may be all; then it calls `looked`, if given.
std::vector<record_answer> write_batch(sqlite_connection& c,
                                       std::span<const record_write> batch,
                                       bool look_first,
                                       const std::function<void()>& looked);

} // namespace steward
