#pragma once

// Not installed: users of the store have no SQLiteCpp.

#include <steward/core/database_error.hpp>
#include <steward/core/time.hpp>
#include <steward/storage/record_store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace steward {

/// Which file a path leads to.
struct file_id {
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t inode = 0;
  bool operator==(const file_id&) const = default;
};

/// One connection to a record database: identified as ours, its schema made,
/// its settings set and read back, its statements prepared; or, to look only,
/// just identified. Pinned to its address, because SQLite calls it back.
class sqlite_connection {
public:
  /// Those that write. All statements are reset when nobody uses them: one that
  /// is not makes COMMIT fail.
  struct statements {
    explicit statements(const SQLite::Database& db);
    SQLite::Statement insert;
    SQLite::Statement close;
    SQLite::Statement update;
  };

  /// The path that SQLite takes for a database in memory.
  static constexpr const char* memory = ":memory:";

  /// Throws `store_failure`, or `SQLite::Exception` for a code of SQLite.
  sqlite_connection(const std::filesystem::path& path, duration wait_max,
                    store_use use = store_use::keep);

  sqlite_connection(const sqlite_connection&) = delete;
  sqlite_connection& operator=(const sqlite_connection&) = delete;

  /// Moves the write-ahead log into the file, as far as others permit.
  ~sqlite_connection();

  /// Bounds all waiting for locks from now until the next call.
  void wait_at_most(duration wait_max);

  /// Throws if `path` does not lead to `file` any more: SQLite would go on, or
  /// make a new one, and everything would be lost.
  static void require_file(const std::filesystem::path& path,
                           const file_id& file);

  /// The same for the write-ahead log and the index of it: others would make
  /// them anew, and no two of us see the same. Only who writes is sure of them.
  void require_companions() const;

  void set_pages_max(std::int64_t pages);

  /// Whether a transaction is under way.
  bool in_transaction() const;

  const file_id& file() const {
    return file_;
  }

  std::int64_t schema_version() const {
    return schema_version_;
  }

  /// Reads what `read_row` takes; a condition may follow.
  const std::string& select_record() const;

  /// What is under way, for the judgement of what goes wrong.
  database_stage stage = database_stage::begin;

  SQLite::Database& db() {
    return db_;
  }

  /// @pre Not only to look.
  statements& sql() {
    return *sql_;
  }

  SQLite::Statement& by_name() {
    return *by_name_;
  }

private:
  static file_id id_of(const std::filesystem::path& path);
  static int on_busy(void* self, int tries);

  void accept(store_use use);
  void set_and_verify();
  void enter_wal();
  void secure_log();
  void note_companions();
  void set_checkpoint_on_close(bool on);

  std::filesystem::path path_;
  std::chrono::steady_clock::time_point give_up_at_;
  SQLite::Database db_;
  file_id file_;
  std::vector<std::pair<std::filesystem::path, file_id>> companions_;
  bool accepted_ = false;
  std::int64_t schema_version_ = 0;
  std::unique_ptr<statements> sql_; // after db_: ends before it
  std::unique_ptr<SQLite::Statement> by_name_;
};

} // namespace steward
