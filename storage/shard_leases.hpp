#pragma once

#include <steward/storage/record_store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace steward {

/// The right to write for one shard. Whoever gets it next has a higher epoch.
struct shard_lease {
  std::int32_t shard = 0;
  std::int64_t owner = 0; ///< a node, see `record_store::join`
  std::int64_t epoch = 0;

  friend bool operator==(const shard_lease&, const shard_lease&) = default;
};

/// Shards of the key space that nodes own, one owner at a time, in a PostgreSQL
/// database. A node that lost its lease, and has not heard of it, cannot write
/// any more: each write asks in the same statement. With SQLite there is nothing
/// to share out. One thread at a time; throws `store_failure`.
class shard_leases {
public:
  /// Connects, and brings the schema up to date. Waits as a record store does.
  shard_leases(const std::string& url, duration wait_max);

  ~shard_leases();

  /// Makes the shards 0 to `count` - 1 where they are missing.
  void make(std::int32_t count);

  /// Takes at most `shards_max` that nobody owns, or whose owner's lease is over
  /// by the clock of the database. Never waits for who else claims.
  std::vector<shard_lease> claim(std::int64_t node, std::size_t shards_max);

  /// Lets go of a shard, if it still is ours.
  void release(const shard_lease& what);

  /// Creates records as the owner of a shard; nothing if we are not any more,
  /// and then nothing was written. A takeover waits for writes under way.
  std::optional<std::vector<record_answer>>
  create(const shard_lease& as, std::span<const create_record> batch);

private:
  class connection;

  std::unique_ptr<connection> c_;
};

} // namespace steward
