#include <steward/storage/shard_leases.hpp>

#include <steward/storage/internal/pg_rows.hpp>
#include <steward/storage/internal/record_text.hpp>
#include <steward/storage/postgres_store.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace steward {

// Goes through a store, which knows how to connect, and what an error means.
class shard_leases::connection {
public:
  connection(const std::string& url, duration wait_max) : store(url, wait_max) {
  }

  postgres_store store;
};

namespace {

constexpr auto committing = database_stage::commit;

constexpr const char* claim_sql = R"(
WITH d AS (SELECT shard_id FROM steward_shard s WHERE owner IS NULL OR NOT
  EXISTS (SELECT 1 FROM steward_node n WHERE n.id = s.owner AND n.expires_at >
  clock_timestamp()) ORDER BY random() LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
UPDATE steward_shard s SET owner = $1::bigint, epoch = epoch + 1 FROM d
WHERE s.shard_id = d.shard_id AND EXISTS (SELECT 1 FROM steward_node n WHERE
  n.id = $1::bigint AND n.expires_at > clock_timestamp())
RETURNING s.shard_id, s.epoch)";

// FOR SHARE makes a takeover wait for us, and us see one that came first.
std::string fence_sql() {
  return R"(
WITH f AS (SELECT 1 FROM steward_shard WHERE shard_id = $11::integer AND owner =
  $12::bigint AND epoch = $13::bigint FOR SHARE), ins AS ()"
         + pg_insert_into + " AND EXISTS (SELECT 1 FROM f) " + pg_insert_rest
         + R"()
SELECT n, name, id FROM (SELECT count(*) AS n FROM f) c LEFT JOIN ins ON true)";
}

} // namespace

shard_leases::shard_leases(const std::string& url, duration wait_max)
  : c_(std::make_unique<connection>(url, wait_max)) {
}

shard_leases::~shard_leases() = default;

void shard_leases::make(std::int32_t count) {
  const std::array<std::string, 1> values = {std::to_string(count)};
  c_->store.with_connection("make the shards of", [&](pg_connection& c) {
    c.exec(committing,
           "INSERT INTO steward_shard(shard_id) SELECT n FROM"
           " generate_series(0, $1::integer - 1) n ON CONFLICT (shard_id) DO"
           " NOTHING",
           values);
  });
}

std::vector<shard_lease> shard_leases::claim(std::int64_t node,
                                             std::size_t shards_max) {
  const std::array<std::string, 2> values = {std::to_string(node),
                                             std::to_string(shards_max)};
  std::vector<shard_lease> result;
  c_->store.with_connection("claim shards of", [&](pg_connection& c) {
    auto said = c.exec(committing, claim_sql, values);
    for (int row = 0; row < said.rows(); ++row)
      result.push_back({static_cast<std::int32_t>(said.number(row, 0)), node,
                        said.number(row, 1)});
  });
  return result;
}

void shard_leases::release(const shard_lease& what) {
  const std::array<std::string, 3> values = {std::to_string(what.shard),
                                             std::to_string(what.owner),
                                             std::to_string(what.epoch)};
  c_->store.with_connection("release a shard of", [&](pg_connection& c) {
    c.exec(committing,
           "UPDATE steward_shard SET owner = NULL WHERE shard_id = $1::integer"
           " AND owner = $2::bigint AND epoch = $3::bigint",
           values);
  });
}

std::optional<std::vector<record_answer>>
shard_leases::create(const shard_lease& as,
                     std::span<const create_record> batch) {
  std::vector<const record*> drafts;
  std::vector<std::string_view> names;
  for (auto& x : batch) {
    drafts.push_back(&x.draft);
    names.push_back(x.draft.name);
  }
  // All who lock names do so in this order.
  std::sort(drafts.begin(), drafts.end(),
            [](auto* a, auto* b) { return a->name < b->name; });
  auto values = pg_create_values(drafts);
  values.push_back(std::to_string(as.shard));
  values.push_back(std::to_string(as.owner));
  values.push_back(std::to_string(as.epoch));
  std::optional<std::vector<record_answer>> result;
  c_->store.with_connection("write records to", [&](pg_connection& c) {
    auto said = c.exec(committing, fence_sql(), values);
    if (said.number(0, 0) == 0)
      return;
    auto rows = pg_read_by_name(c, names);
    result.emplace();
    for (auto& x : batch) {
      auto row = rows.find(x.draft.name);
      result->push_back(row == rows.end()
                          ? unavailable(record_trouble::failed,
                                        "the record was purged meanwhile")
                          : answer_to(x, row->second));
    }
  });
  return result;
}

} // namespace steward
