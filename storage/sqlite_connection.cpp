#include <steward/storage/internal/sqlite_connection.hpp>

#include <steward/core/planted.hpp>
#include <steward/storage/internal/sqlite_schema.hpp>
#include <steward/storage/record_store.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <thread>

namespace steward {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The only way to lose: a name that is there already. Any other constraint
// raises, which INSERT OR IGNORE would swallow.
constexpr const char* insert_sql = R"(
INSERT INTO record(name, pool, key, attributes, owner, state, opened_at,
                   creator, writer, journal, incarnation, fingerprint)
VALUES(?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?7, ?8, ?9, ?10)
ON CONFLICT(name) DO NOTHING)";

constexpr const char* close_sql = R"(
UPDATE record SET state = 'closed', close_reason = ?2, closed_at = ?3,
                  version = version + 1
WHERE name = ?1 AND state = 'open' AND (?4 IS NULL OR creator = ?4))";

constexpr const char* update_sql = R"(
UPDATE record SET attributes = coalesce(?3, attributes),
                  journal = coalesce(?4, journal),
                  writer = ?5, version = version + 1
WHERE name = ?1 AND version = ?2)";

[[noreturn]] void fail(store_errc code, const fs::path& path,
                       const std::string& why) {
  throw store_failure{code,
                      "cannot open records " + path.string() + ": " + why};
}

std::string error_text(int code) {
  return std::generic_category().message(code);
}

void sync(const fs::path& path, int flags) {
  auto file = ::open(path.c_str(), flags | O_CLOEXEC);
  auto done = file >= 0 && ::fsync(file) == 0;
  auto why = errno;
  if (file >= 0)
    ::close(file);
  if (!done)
    throw store_failure{store_errc::io,
                        "cannot open records: syncing " + path.string() + ": "
                          + error_text(why),
                        reaction::reopen};
}

bool may_write(const fs::path& path, int rights = W_OK) {
  return ::faccessat(AT_FDCWD, path.c_str(), rights, AT_EACCESS) == 0;
}

// SQLite says "unable to open database file" to all of these.
void require_usable_path(const fs::path& path, store_use use) {
  auto directory = path.parent_path();
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0)
    fail(store_errc::cannot_open, path,
         directory.string() + ": " + error_text(errno));
  if (!S_ISDIR(info.st_mode))
    fail(store_errc::cannot_open, path,
         directory.string() + " is not a directory");
  auto exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    fail(store_errc::cannot_open, path, "it is a directory");
  if (exists && !S_ISREG(info.st_mode))
    fail(store_errc::cannot_open, path, "it is not a regular file");
  if (!exists && use != store_use::keep)
    fail(store_errc::cannot_open, path, "no such file");
  if (exists && info.st_size == 0 && use != store_use::keep)
    fail(store_errc::cannot_open, path, "the file is empty");
  // SQLite takes a file of one byte for an empty one and would overwrite it.
  if (exists && info.st_size == 1)
    fail(store_errc::not_a_database, path, "file is not a database");
  if (use == store_use::look)
    return;
  if (!may_write(directory, W_OK | X_OK))
    fail(store_errc::read_only, path,
         "its directory, where the write-ahead log lies, cannot be written: "
           + error_text(errno));
  if (exists && !may_write(path))
    fail(store_errc::read_only, path,
         "the file cannot be written: " + error_text(errno));
}

const fs::path& checked(const fs::path& path, store_use use) {
  if (path != sqlite_connection::memory)
    require_usable_path(path, use);
  return path;
}

std::string uri_of(const fs::path& path) {
  std::string result = "file:";
  for (auto c : path.string())
    switch (c) {
      case '%': result += "%25"; break;
      case '?': result += "%3f"; break;
      case '#': result += "%23"; break;
      default: result += c;
    }
  return result;
}

// Who may not write cannot make the files beside the database that readers
// share, either. Where they are, they will do; where they are not, nobody has it
// open, and the file alone is all there is, until somebody opens it.
SQLite::Database open_file(const fs::path& path, store_use use) {
  using namespace SQLite;
  if (use != store_use::look)
    return {path.string(), OPEN_READWRITE | OPEN_CREATE | OPEN_NOMUTEX};
  if (may_write(path) && may_write(path.parent_path(), W_OK | X_OK))
    return {path.string(), OPEN_READWRITE | OPEN_NOMUTEX};
  std::error_code none;
  auto is_there = [&](const char* suffix) {
    return fs::exists(path.string() + suffix, none);
  };
  auto log = is_there("-wal");
  auto shared = is_there("-shm");
  if (log && !shared && !fs::is_empty(path.string() + "-wal", none))
    fail(store_errc::read_only, path,
         "it was not closed, and to recover it somebody must open it who may "
         "write there");
  auto alone = !(log && shared) && !is_there("-journal");
  return {uri_of(path) + (alone ? "?immutable=1" : ""),
          OPEN_READONLY | OPEN_URI | OPEN_NOMUTEX};
}

} // namespace

const std::string& sqlite_connection::select_record() const {
  static const std::string first = "SELECT id, name, pool, key, attributes,"
                                   " owner, state, close_reason, opened_at,"
                                   " closed_at, creator, ";
  static const auto present
    = first + "writer, journal, incarnation, fingerprint, version FROM record ";
  // What the migration from there writes into the columns.
  static const auto of_version_1 = first + "'', '', 0, '', 1 FROM record ";
  return schema_version_ == 1 ? of_version_1 : present;
}

sqlite_connection::statements::statements(const SQLite::Database& db)
  : insert(db, insert_sql), close(db, close_sql), update(db, update_sql) {
}

// -- construction -------------------------------------------------------------

sqlite_connection::sqlite_connection(const fs::path& path, duration wait_max,
                                     store_use use)
  : path_(checked(path, use)), db_(open_file(path, use)), file_(id_of(path)) {
  wait_at_most(wait_max);
  sqlite3_busy_handler(db_.getHandle(), &on_busy, this);
  // Until we know that it is ours, nothing moves into the file.
  set_checkpoint_on_close(false);
  if (use != store_use::look
      && sqlite3_db_readonly(db_.getHandle(), "main") == 1)
    fail(store_errc::read_only, path_, "the file cannot be written");
  schema_version_ = migrate_sqlite(db_, path_, use);
  accept(use);
  by_name_ = std::make_unique<SQLite::Statement>(db_, select_record()
                                                        + "WHERE name = ?1");
}

void sqlite_connection::accept(store_use use) {
  if (use == store_use::look) {
    db_.exec("PRAGMA query_only = ON");
    // As the last one that has it open leaves it, nothing lies beside the file.
    set_checkpoint_on_close(true);
    return;
  }
  set_and_verify();
  secure_log();
  set_checkpoint_on_close(true);
  accepted_ = true;
  sql_ = std::make_unique<statements>(db_);
  note_companions();
}

sqlite_connection::~sqlite_connection() {
  if (!accepted_)
    return;
  // The last connection does this when it closes; this is for the others.
  sqlite3_wal_checkpoint_v2(db_.getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                            nullptr, nullptr);
}

void sqlite_connection::enter_wal() {
  if (path_ == memory) // where there is nothing to log ahead of
    return;
  // Changing the mode does not always ask the busy handler.
  for (int tries = 0;; ++tries) {
    try {
      db_.execAndGet("PRAGMA journal_mode = WAL");
      return;
    } catch (const SQLite::Exception& x) {
      if (x.getErrorCode() != SQLITE_BUSY || on_busy(this, tries) == 0)
        throw;
    }
  }
}

void sqlite_connection::set_and_verify() {
  struct setting {
    const char* name;
    const char* value;
  };
  enter_wal();
  db_.exec("PRAGMA synchronous = FULL");
  db_.exec("PRAGMA cache_size = -65536");
  db_.execAndGet("PRAGMA wal_autocheckpoint = 8000");
  if (STEWARD_PLANTED(synchronous_off)) {
    db_.exec("PRAGMA synchronous = OFF");
    return;
  }
  // FULL reads back as 2. NORMAL would lose acknowledged rows in a power cut.
  for (auto [name, value] :
       {setting{"journal_mode", path_ == memory ? "memory" : "wal"},
        setting{"synchronous", "2"}, setting{"cache_size", "-65536"},
        setting{"wal_autocheckpoint", "8000"}}) {
    auto is = db_.execAndGet(std::string{"PRAGMA "} + name).getString();
    if (is != value)
      fail(store_errc::misuse, path_,
           std::string{name} + " is '" + is + "' where '" + value
             + "' was set");
  }
}

// What somebody wrote and died before it was synced, or could not sync, is read
// from the log like all else, and must not be answered with before a power cut
// cannot take it away. So it goes into the file, which is synced then. What
// others still read around, or has no room there, stays in the log: that is
// synced as it is. // I10
void sqlite_connection::secure_log() {
  if (path_ == memory || STEWARD_PLANTED(log_not_secured))
    return;
  int frames = 0;
  int moved = 0;
  auto code = sqlite3_wal_checkpoint_v2(
    db_.getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_FULL)
    throw SQLite::Exception{db_.getHandle(), code};
  if (code == SQLITE_OK && moved == frames)
    return;
  sync(path_.string() + "-wal", O_RDONLY);
  sync(path_.parent_path(), O_RDONLY | O_DIRECTORY);
}

void sqlite_connection::note_companions() {
  if (path_ == memory)
    return;
  db_.execAndGet("SELECT count(*) FROM (SELECT 1 FROM record LIMIT 1)");
  for (auto* suffix : {"-wal", "-shm"}) { // which the first reading makes
    fs::path path = path_.string() + suffix;
    auto file = id_of(path);
    companions_.emplace_back(std::move(path), file);
  }
}

void sqlite_connection::set_checkpoint_on_close(bool on) {
  sqlite3_db_config(db_.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                    on ? 0 : 1, nullptr);
}

// -- waiting ------------------------------------------------------------------

void sqlite_connection::wait_at_most(duration wait_max) {
  auto bounded = std::clamp<duration>(wait_max, duration::zero(), 24h);
  give_up_at_ = std::chrono::steady_clock::now() + bounded;
}

// One bound for all locks of a call: SQLite's own timeout starts anew for each.
int sqlite_connection::on_busy(void* self, int tries) {
  auto give_up_at = static_cast<sqlite_connection*>(self)->give_up_at_;
  auto left = give_up_at - std::chrono::steady_clock::now();
  if (left <= left.zero())
    return 0;
  // Often at first: who writes without a pause leaves only short gaps.
  auto pause = std::chrono::milliseconds{std::min(tries / 8 + 1, 10)};
  std::this_thread::sleep_for(std::min<duration>(left, pause));
  return 1;
}

// -- queries ------------------------------------------------------------------

// Asks for nothing but the number of the file. Who asks for its times, as stat
// does, makes the next write note new ones: on Linux since 6.13 that is, before
// each commit, a third more for its sync.
file_id sqlite_connection::id_of(const std::filesystem::path& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &info) != 0)
    return {};
  return {info.stx_dev_major, info.stx_dev_minor, info.stx_ino};
}

void sqlite_connection::require_file(const fs::path& path,
                                     const file_id& file) {
  if (id_of(path) != file)
    throw store_failure{store_errc::cannot_open,
                        "the records " + path.string()
                          + " were removed or replaced while in use"};
}

void sqlite_connection::require_companions() const {
  for (auto& [path, file] : companions_)
    require_file(path, file);
}

void sqlite_connection::set_pages_max(std::int64_t pages) {
  constexpr std::int64_t default_max = 4'294'967'294;
  db_.execAndGet("PRAGMA max_page_count = "
                 + std::to_string(pages > 0 ? pages : default_max));
}

bool sqlite_connection::in_transaction() const {
  return sqlite3_get_autocommit(db_.getHandle()) == 0;
}

} // namespace steward
