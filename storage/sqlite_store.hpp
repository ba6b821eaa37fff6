#pragma once

#include <steward/storage/looking.hpp>
#include <steward/storage/record_store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace steward {

class sqlite_connection;
struct file_id;

/// Records in one SQLite file, durable (WAL, synchronous FULL) and readable
/// with the `sqlite3` shell while the program runs and after it. Several
/// processes of one machine may use the file at once; a network file system
/// will not do. One thread at a time.
class sqlite_store final : public record_store {
public:
  /// Opens `path`, and makes it if it is missing or empty and to be kept. Waits
  /// at most `wait_max` for others that use it. Throws `store_failure`; a file
  /// that is not a record database of this version stays as it is.
  sqlite_store(const std::filesystem::path& path, duration wait_max,
               store_use use = store_use::keep);

  /// Records in memory, gone with the store: for tests.
  static std::unique_ptr<sqlite_store> in_memory();

  /// Moves everything into the one file, as far as other readers permit.
  ~sqlite_store() override;

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override;

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override;

  record_page read_page(const record_query& what, duration wait_max) override;

  purged_records purge(time_point before, std::size_t rows_max,
                       duration wait_max) override;

  std::vector<std::string> verify(duration wait_max) override;

  std::int64_t join(const node& x, duration ttl, duration wait_max) override;

  bool beat(std::int64_t id, duration ttl, duration wait_max) override;

  void leave(std::int64_t id, duration wait_max) override;

  std::vector<node> nodes(duration wait_max) override;

  std::vector<std::int64_t> strays(duration wait_max) override;

  record_page adopt(const adoption& what, duration wait_max) override;

  std::string where() const override;

  /// Lets the file grow to `pages` pages and no further, then `full`; a number
  /// below its present size means its present size, 0 the default (4e9).
  void set_pages_max(std::int64_t pages);

  /// Looks in every `write`, and calls `fun` between that and the insert, which
  /// is where a race is lost: the seam that lets tests lose it on purpose.
  void on_looked(std::function<void()> fun);

private:
  template <class Fun>
  auto run(const char* what, duration wait_max, Fun fun);

  std::filesystem::path path_;
  store_use use_;
  std::unique_ptr<sqlite_connection> connection_; // none after an I/O error
  std::unique_ptr<file_id> file_; // the one that was opened first
  std::int64_t pages_max_ = 0;
  std::function<void()> looked_;
  looking look_;
};

} // namespace steward
