// Who owns a shard, and who only believes so.
#include <boost/test/unit_test.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/postgres_store.hpp>
#include <steward/storage/shard_leases.hpp>

#include <libpq-fe.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace steward;
using namespace record_test;

namespace {

struct fixture {
  std::string url = postgres_url();
  postgres_store store{url, 20s};
  shard_leases leases{url, 20s};
  pg_connection admin{url, {}, {}};

  fixture() {
    admin.exec(database_stage::commit,
               "TRUNCATE steward_shard, steward_node, steward_record");
  }

  std::int64_t join(duration ttl) {
    return store.join({0, "node", {}, false}, ttl, 5s);
  }

  void expire(std::int64_t node) {
    admin.exec(database_stage::commit,
               "UPDATE steward_node SET expires_at = clock_timestamp() WHERE"
               " id = "
                 + std::to_string(node));
  }
};

create_record one(const std::string& name, unsigned by = 1) {
  return {draft(name, by)};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(shards, fixture)

BOOST_AUTO_TEST_CASE(a_shard_has_one_owner) {
  leases.make(4);
  leases.make(4); // nothing new
  auto a = join(1h);
  auto b = join(1h);
  auto first = leases.claim(a, 3);
  auto second = leases.claim(b, 3);
  BOOST_TEST(first.size() == 3u);
  BOOST_TEST(second.size() == 1u);
  BOOST_TEST(leases.claim(b, 3).empty());
  std::set<std::int32_t> all;
  for (auto* list : {&first, &second})
    for (auto& x : *list) {
      all.insert(x.shard);
      BOOST_TEST(x.epoch == 1);
    }
  BOOST_TEST(all.size() == 4u);
}

BOOST_AUTO_TEST_CASE(an_owner_whose_lease_is_over_cannot_write_any_more) {
  leases.make(1);
  auto a = join(1h);
  auto b = join(1h);
  auto old = leases.claim(a, 1).at(0);
  std::vector<create_record> rows{one("b"), one("a")};
  auto written = leases.create(old, rows);
  BOOST_REQUIRE(written.has_value());
  BOOST_TEST(written->at(0).row.name == "b");
  BOOST_TEST(written->at(0).verdict == record_verdict::created);
  BOOST_TEST(leases.claim(b, 1).empty());
  expire(a);
  auto taken = leases.claim(b, 1).at(0);
  BOOST_TEST(taken.epoch == old.epoch + 1);
  std::vector<create_record> stale{one("c")};
  BOOST_TEST(!leases.create(old, stale).has_value());
  BOOST_TEST(store.list("", 5s).size() == 2u);
  // That all are there already is something else.
  std::vector<create_record> again{one("a", 2)};
  auto existed = leases.create(taken, again);
  BOOST_REQUIRE(existed.has_value());
  BOOST_TEST(existed->at(0).verdict == record_verdict::existed);
  leases.release(old); // it is not ours to let go
  BOOST_TEST(leases.claim(join(1h), 1).empty());
  leases.release(taken);
  BOOST_TEST(leases.claim(join(1h), 1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_has_no_lease_gets_no_shard) {
  leases.make(1);
  BOOST_TEST(leases.claim(join(0s), 1).empty());
  BOOST_TEST(leases.claim(4711, 1).empty());
}

// Nodes come and go, stop for longer than their lease, and go on as if nothing
// had been: what was written after a takeover has the epoch of it, or a later.
BOOST_AUTO_TEST_CASE(no_write_of_a_stale_owner_gets_through) {
  constexpr auto ttl = 30ms;
  constexpr int nodes = 4;
  leases.make(2);
  std::atomic<unsigned> count{0};
  std::atomic<int> refused{0};
  std::atomic<int> takeovers{0};
  std::atomic<bool> enough{false};
  std::vector<std::string> errors(nodes);
  std::vector<std::thread> threads;
  for (int n = 0; n < nodes; ++n)
    threads.emplace_back([&, n] {
      try {
        postgres_store mine{url, 20s};
        shard_leases shards{url, 20s};
        while (!enough) {
          auto me = mine.join({0, "node", {}, false}, ttl, 5s);
          for (auto& lease : shards.claim(me, 1)) {
            takeovers += lease.epoch > 1;
            // Never renews, never looks at the time: only the fence stops it.
            for (bool own = true; own && !enough;) {
              auto id = ++count;
              auto row = one("n" + std::to_string(id), id);
              row.draft.pool = std::to_string(lease.shard);
              row.draft.attributes = std::to_string(lease.epoch);
              own = shards.create(lease, std::span{&row, 1}).has_value();
              refused += own ? 0 : 1;
            }
          }
          enough = enough || (refused >= 20 && count > 400) || count > 20'000;
        }
      } catch (const std::exception& x) {
        errors[static_cast<std::size_t>(n)] = x.what();
        enough = true;
      }
    });
  for (auto& x : threads)
    x.join();
  for (auto& error : errors)
    BOOST_TEST(error == "");
  BOOST_TEST(refused >= 20);
  BOOST_TEST(takeovers >= 20);
  std::map<std::string, std::int64_t> epochs;
  for (auto& row : store.list("", 5s)) { // by id, so in order of writing
    auto epoch = std::stoll(row.attributes);
    BOOST_TEST(epoch >= epochs[row.pool], row.name << " is stale");
    epochs[row.pool] = std::max<std::int64_t>(epochs[row.pool], epoch);
  }
}

BOOST_AUTO_TEST_SUITE_END()
