// Records behind a pooler of transactions, where no session is one's own.
#include <boost/test/unit_test.hpp>

#include "pooler.hpp"
#include "record_fixtures.hpp"

#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/postgres_store.hpp>

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

using namespace steward;
using namespace record_test;

namespace {

constexpr postgres_limits quick{2s, 200ms, 3s, 5s};

struct fixture {
  static postgres_server& server() {
    static postgres_server one;
    return one;
  }

  static const pooler& pool() {
    // Two sessions; between two transactions each forgets what was set.
    static pooler one{server(), "default_pool_size = 2\n"
                                "server_reset_query_always = 1\n"};
    return one;
  }

  postgres_store store{pool().url(), 20s, quick};
  pg_connection admin{server().url(), quick, {}};

  fixture() {
    admin.exec(database_stage::commit, "TRUNCATE steward_record");
  }

  std::vector<record_answer> write(const batch& rows) {
    return store.write(rows, 5s);
  }
};

boost::test_tools::assertion_result is_there(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result{pooler::is_installed()};
  if (!result)
    result.message() << "needs pgbouncer";
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(behind_a_pooler, fixture,
                         *boost::unit_test::precondition(&is_there))

BOOST_AUTO_TEST_CASE(records_work_whatever_session_runs_a_transaction) {
  auto answers = write({create("a"), create("b")});
  BOOST_TEST(answers[0].verdict == record_verdict::created);
  answers = write({close("a"), create("b", 2), create("c")});
  BOOST_TEST(answers[0].verdict == record_verdict::existed);
  BOOST_TEST(answers[1].verdict == record_verdict::existed);
  BOOST_TEST(answers[2].verdict == record_verdict::created);
  BOOST_TEST(store.list("", 5s).size() == 3u);
  BOOST_TEST(store.purge(noon + 1h, 10, 5s).gone == 1u);
}

BOOST_AUTO_TEST_CASE(settings_are_in_force_in_each_transaction) {
  pg_connection c{pool().url(), quick, {}};
  auto is = [&](const char* name) {
    return c.exec(database_stage::begin, std::string{"SHOW "} + name)
      .string(0, 0);
  };
  BOOST_TEST(is("synchronous_commit") == "on");
  BOOST_TEST(is("transaction_isolation") == "read committed");
  BOOST_TEST(is("lock_timeout") == "200ms");
  BOOST_TEST(is("statement_timeout") == "3s");
}

BOOST_AUTO_TEST_CASE(a_lock_is_waited_for_no_longer_than_the_limit) {
  write({create("a")});
  admin.begin();
  admin.exec(database_stage::statement,
             "SELECT 1 FROM steward_record FOR UPDATE");
  auto failure = failure_of([&] { write({close("a")}); });
  BOOST_TEST(contains(failure.what(), "55P03"), failure.what());
  BOOST_TEST((failure.reaction() == reaction::retry));
  BOOST_TEST(admin.roll_back());
  BOOST_TEST(write({close("a")})[0].verdict == record_verdict::existed);
}

// Others use the same sessions.
BOOST_AUTO_TEST_CASE(no_session_remembers_that_we_were_there) {
  postgres_server other;
  pooler sharing{other, "default_pool_size = 1\n"};
  postgres_store mine{sharing.url(), 20s, quick};
  BOOST_TEST(mine.write(batch{create("a")}, 5s)[0].verdict
             == record_verdict::created);
  std::unique_ptr<PGconn, decltype(&PQfinish)> stranger{
    PQconnectdb(sharing.url().c_str()), &PQfinish};
  for (auto* name : {"lock_timeout", "statement_timeout"}) {
    steward::pg_result is{
      PQexec(stranger.get(), (std::string{"SHOW "} + name).c_str())};
    BOOST_REQUIRE_EQUAL(is.rows(), 1);
    BOOST_TEST(is.text(0, 0) == "0", name);
  }
  steward::pg_result prepared{
    PQexec(stranger.get(), "SELECT count(*) FROM pg_prepared_statements")};
  BOOST_TEST(prepared.number(0, 0) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
