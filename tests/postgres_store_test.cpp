// What only a server can do to records.
#include <boost/test/unit_test.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/internal/pg_rows.hpp>
#include <steward/storage/postgres_store.hpp>

#include <libpq-fe.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

using namespace steward;
using namespace record_test;

namespace {

constexpr postgres_limits quick{2s, 200ms, 1s, 1500ms};

struct fixture {
  static postgres_server& server() {
    static postgres_server one;
    return one;
  }

  std::string url = server().url();
  postgres_store store{url, 20s, quick};
  pg_connection admin{url, quick, {}};

  fixture() {
    admin.exec(database_stage::commit, "TRUNCATE steward_record");
  }

  record_answer write_one(const record_write& x) {
    return store.write(std::span{&x, 1}, 5s).at(0);
  }

  store_failure failure_to_write(const record_write& x) {
    return failure_of([&] { write_one(x); });
  }
};

std::string failure_to_open(const std::string& url, store_errc expected) {
  auto x = failure_of([&] { postgres_store store(url, 0s, quick); });
  BOOST_TEST(x.code() == expected, x.what());
  return x.what();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(postgres, fixture)

BOOST_AUTO_TEST_CASE(no_password_is_ever_shown) {
  for (auto bad :
       {"postgresql://me:s3cret@127.0.0.1:1/db",
        "postgresql://me:s3cret@127.0.0.1:1/db?connect_timeout=x",
        "postgresql://me@127.0.0.1:1/db?password=s3cret",
        "postgresql://me:s3cret@[::1", "postgresql://me:s3cret%zz@h/"}) {
    auto said = failure_of([&] { postgres_store other(bad, 0s, quick); });
    BOOST_TEST(!contains(said.what(), "s3cret"), said.what());
  }
  auto& folder = server().folder();
  postgres_store mine{
    "postgresql://steward:s3cret@/postgres?host=" + folder.string(), 5s, quick};
  BOOST_TEST(mine.where()
             == "postgresql://steward@/postgres?host=" + folder.string());
}

BOOST_AUTO_TEST_CASE(who_cannot_be_reached_is_named) {
  auto said = failure_to_open("postgresql://me@127.0.0.1:1/db",
                              store_errc::busy);
  BOOST_TEST(contains(said, "cannot open records postgresql://me@127.0.0.1:1/db"
                            ": "),
             said);
}

BOOST_AUTO_TEST_CASE(settings_are_in_force_whatever_the_default_is) {
  auto is = [&](const char* name) {
    pg_connection c{url + "&options=-csynchronous_commit%3Doff", quick, {}};
    return c.exec(database_stage::begin, std::string{"SHOW "} + name)
      .string(0, 0);
  };
  BOOST_TEST(is("synchronous_commit") == "on");
  BOOST_TEST(is("default_transaction_isolation") == "read committed");
  BOOST_TEST(is("lock_timeout") == "200ms");
  BOOST_TEST(is("statement_timeout") == "1s");
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_flush_is_refused) {
  postgres_server careless{"fsync = off\n"};
  auto said = failure_to_open(careless.url(), store_errc::misuse);
  BOOST_TEST(contains(said, "fsync 'off' where 'on' is needed"), said);
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_left_as_it_is) {
  admin.exec(database_stage::commit,
             "INSERT INTO steward_schema(version) VALUES(99)");
  auto said = failure_to_open(url, store_errc::newer_schema);
  admin.exec(database_stage::commit,
             "DELETE FROM steward_schema WHERE version = 99");
  BOOST_TEST(contains(said, "version is 99, this program knows up to 1"), said);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_ended_leaves_the_outcome_open) {
  write_one(create("a", 1));
  admin.exec(database_stage::begin,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid"
             " <> pg_backend_pid() AND application_name = 'steward'");
  auto x = failure_to_write(create("b", 2));
  BOOST_TEST((x.reaction() == reaction::unknown_outcome), x.what());
  // The same again settles it.
  BOOST_TEST(write_one(create("b", 2)).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_committed_yet_is_waited_for) {
  admin.begin();
  admin.exec(database_stage::statement,
             "INSERT INTO steward_record(name, pool, key, attributes, journal,"
             " owner, incarnation, state, opened_at, creator, writer,"
             " fingerprint) SELECT 'a', '', '', '', '', 'they', 0, 'open',"
             " now(), u, u, u FROM gen_random_uuid() u");
  auto x = failure_to_write(create("a", 1));
  BOOST_TEST((x.reaction() == reaction::retry), x.what());
  BOOST_TEST(contains(x.what(), "55P03"), x.what());
  admin.commit();
  auto answer = write_one(create("a", 1));
  BOOST_TEST(answer.verdict == record_verdict::existed);
  BOOST_TEST(answer.row.owner == "they");
}

BOOST_AUTO_TEST_CASE(a_statement_that_takes_too_long_is_tried_again) {
  admin.exec(database_stage::commit,
             "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
             " 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'");
  admin.exec(database_stage::commit,
             "CREATE TRIGGER slow BEFORE INSERT ON steward_record FOR EACH ROW"
             " EXECUTE FUNCTION dawdle()");
  auto x = failure_to_write(create("a", 1));
  admin.exec(database_stage::commit, "DROP FUNCTION dawdle CASCADE");
  BOOST_TEST((x.reaction() == reaction::retry), x.what());
  BOOST_TEST(contains(x.what(), "57014"), x.what());
  BOOST_TEST(write_one(create("a", 1)).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_server_that_only_reads_is_left_for_another) {
  admin.exec(database_stage::commit,
             "ALTER DATABASE postgres SET default_transaction_read_only = on");
  auto said = failure_of([&] { postgres_store other(url, 0s, quick); });
  admin.exec(database_stage::commit, "ALTER DATABASE postgres RESET ALL");
  BOOST_TEST(heals(said.reaction()), said.what());
  BOOST_TEST(contains(said.what(), "read-only"), said.what());
}

BOOST_AUTO_TEST_CASE(who_only_looks_may_look_at_a_server_that_only_reads) {
  write_one(create("a", 1));
  auto look = [&](store_use use) {
    return postgres_store{url + "&options=-cdefault_transaction_read_only%3Don",
                          0s, quick, use};
  };
  auto reader = look(store_use::look);
  BOOST_TEST(reader.list("", 5s).size() == 1u);
  BOOST_TEST(reader.verify(5s).empty());
  BOOST_TEST(
    contains(failure_of([&] { look(store_use::tend); }).what(), "read-only"));
}

BOOST_AUTO_TEST_CASE(
  names_that_stand_twice_are_looked_for_as_long_as_it_takes) {
  write_one(create("a", 1));
  admin.exec(database_stage::commit,
             "ALTER TABLE steward_record DROP CONSTRAINT"
             " steward_record_name_key");
  admin.exec(database_stage::commit,
             "INSERT INTO steward_record(name, pool, key, attributes, journal,"
             " owner, incarnation, state, opened_at, creator, writer,"
             " fingerprint) SELECT 'a', '', '', '', '', 'they', 0, 'open',"
             " now(), u, u, u FROM gen_random_uuid() u");
  auto wrong = store.verify(5s);
  BOOST_REQUIRE_EQUAL(wrong.size(), 2u);
  BOOST_TEST(contains(wrong[0], "nothing keeps names unique"), wrong[0]);
  BOOST_TEST(wrong[1] == "two records are called 'a'");
  admin.exec(database_stage::commit, "TRUNCATE steward_record");
  admin.exec(database_stage::commit, "ALTER TABLE steward_record ADD CONSTRAINT"
                                     " steward_record_name_key UNIQUE (name)");
  // The limit of other statements is 1 s, and stays that.
  pg_connection c{url, quick, {}};
  BOOST_TEST(c.exec_within(10s, "SELECT 1 FROM pg_sleep(1.3)").rows() == 1);
  BOOST_CHECK_THROW(c.exec(database_stage::begin, "SELECT pg_sleep(1.3)"),
                    pg_failure);
}

BOOST_AUTO_TEST_CASE(what_somebody_did_to_the_tables_is_named) {
  struct deed {
    const char* done;
    const char* undone;
    const char* said;
  };
  for (auto& x : {
         deed{"ALTER TABLE steward_record ALTER journal DROP NOT NULL",
              "ALTER TABLE steward_record ALTER journal SET NOT NULL",
              "the column journal of steward_record is not as it was made: it "
              "is \"text\""},
         deed{"ALTER TABLE steward_record ALTER version SET DEFAULT 2",
              "ALTER TABLE steward_record ALTER version SET DEFAULT 1",
              "the column version of steward_record is not"},
         deed{"ALTER TABLE steward_node ALTER pid TYPE integer",
              "ALTER TABLE steward_node ALTER pid TYPE bigint",
              "it is \"integer NOT NULL\""},
         deed{"ALTER TABLE steward_record ADD color text",
              "ALTER TABLE steward_record DROP color",
              "the column color of steward_record is not ours"},
         deed{"ALTER TABLE steward_record DROP CONSTRAINT"
              " steward_record_state_check",
              "ALTER TABLE steward_record ADD CHECK (state IN ('open',"
              " 'closed'))",
              "the constraint steward_record_state_check of steward_record is "
              "missing"},
         deed{"CREATE UNIQUE INDEX one_a_key ON steward_record(key)",
              "DROP INDEX one_a_key",
              "the index one_a_key of steward_record is not ours"},
         deed{"ALTER INDEX steward_record_key RENAME TO kept",
              "ALTER INDEX kept RENAME TO steward_record_key",
              "the index steward_record_key of steward_record is missing"},
         deed{"CREATE TRIGGER spy BEFORE UPDATE ON steward_record FOR EACH ROW"
              " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
              "DROP TRIGGER spy ON steward_record",
              "the trigger spy of steward_record is not ours"},
         deed{
           "CREATE RULE no AS ON DELETE TO steward_record DO INSTEAD NOTHING",
           "DROP RULE no ON steward_record",
           "the rule no of steward_record is not ours"},
         deed{"ALTER TABLE steward_record ENABLE ROW LEVEL SECURITY",
              "ALTER TABLE steward_record DISABLE ROW LEVEL SECURITY",
              "the row security of steward_record is not ours"},
         deed{"ALTER TABLE steward_record SET UNLOGGED",
              "ALTER TABLE steward_record SET LOGGED",
              "it is \"not kept through a crash\""},
         deed{"ALTER TABLE steward_shard RENAME TO elsewhere",
              "ALTER TABLE elsewhere RENAME TO steward_shard",
              "the table steward_shard is missing"},
       }) {
    admin.exec(database_stage::commit, x.done);
    auto wrong = store.verify(5s);
    BOOST_TEST(wrong.size() == 1u, x.done);
    BOOST_TEST((!wrong.empty() && contains(wrong[0], x.said)),
               (wrong.empty() ? x.done : wrong[0]));
    admin.exec(database_stage::commit, x.undone);
    BOOST_TEST(store.verify(5s).empty(), x.undone);
  }
}

BOOST_AUTO_TEST_CASE(what_two_versions_word_differently_is_the_same) {
  auto now
    = pg_wording("CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text])))");
  BOOST_TEST(now == pg_wording("CHECK (state = ANY (ARRAY['open','closed']))"));
  BOOST_TEST(now != pg_wording("CHECK (state = ANY (ARRAY['open', 'shut']))"));
  BOOST_TEST(now
             != pg_wording("CHECK (state = ANY (ARRAY['open', 'closed'])) NOT "
                           "VALID"));
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_costs_no_more_than_the_limit) {
  write_one(create("a", 1));
  std::atomic<int> looks{0};
  store.on_wait([&] { ++looks; });
  write_one(create("a", 1));
  auto backend = admin.exec(database_stage::begin,
                            "SELECT pid FROM pg_stat_activity WHERE"
                            " application_name = 'steward' AND pid <>"
                            " pg_backend_pid() ORDER BY backend_start DESC");
  auto stopped = static_cast<pid_t>(backend.number(0, 0));
  ::kill(stopped, SIGSTOP);
  auto start = std::chrono::steady_clock::now();
  auto x = failure_to_write(create("b", 2));
  auto took = std::chrono::steady_clock::now() - start;
  ::kill(stopped, SIGCONT);
  BOOST_TEST((x.reaction() == reaction::unknown_outcome), x.what());
  BOOST_TEST(contains(x.what(), "no answer in time"), x.what());
  BOOST_TEST((took >= quick.answer && took < quick.answer + 5s));
  BOOST_TEST(looks > 10);
  BOOST_TEST(write_one(create("b", 2)).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_server_that_was_killed_and_came_back_has_what_it_said) {
  for (unsigned i = 0; i < 20; ++i)
    write_one(create("n" + std::to_string(i), i));
  server().kill_all();
  auto x = failure_to_write(create("b", 99));
  BOOST_TEST(heals(x.reaction()), x.what());
  server().start();
  BOOST_TEST(write_one(create("b", 99)).verdict == record_verdict::created);
  BOOST_TEST(store.list("", 5s).size() == 21u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_make_a_bad_row) {
  for (const std::string& bad :
       {std::string{"a\0b", 3}, std::string{"a\xff"}}) {
    auto x = failure_to_write(create(bad, 1));
    BOOST_TEST((x.reaction() == reaction::bisect), x.what());
  }
}

BOOST_AUTO_TEST_CASE(a_zero_byte_in_what_is_looked_for_is_refused_at_once) {
  write_one(create("a", 1));
  const std::string zero{"a\0b", 3};
  auto found = failure_of([&] { store.find(std::span{&zero, 1}, 5s); });
  BOOST_TEST(found.code() == store_errc::bad_row);
  BOOST_TEST(contains(found.what(), "zero byte"), found.what());
  for (auto& what : {record_query{.pool = zero}, record_query{.key = zero},
                     record_query{.owner = zero}}) // libpq would look for "a"
    BOOST_TEST(failure_of([&] { store.read_page(what, 5s); }).code()
               == store_errc::bad_row);
}

BOOST_AUTO_TEST_CASE(who_has_had_enough_of_a_server_ends_the_call) {
  struct enough {};
  write_one(create("a", 1));
  pg_connection other{url, quick, {}};
  other.begin();
  other.exec(database_stage::statement, "LOCK TABLE steward_record");
  store.on_wait([] { throw enough{}; });
  BOOST_CHECK_THROW(write_one(create("b", 2)), enough);
  store.on_wait({});
  other.commit();
  BOOST_TEST(write_one(create("b", 2)).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(what_is_locked_is_not_purged_and_counted) {
  store.write(batch{create("a", 1), create("b", 2), close("a"), close("b")},
              5s);
  admin.begin();
  admin.exec(database_stage::statement,
             "SELECT 1 FROM steward_record WHERE name = 'a' FOR UPDATE");
  auto some = store.purge(noon + 1h, 10, 5s);
  BOOST_TEST(some.gone == 1u);
  BOOST_TEST(some.locked == 1u);
  admin.commit();
  auto rest = store.purge(noon + 1h, 10, 5s);
  BOOST_TEST(rest.gone == 1u);
  BOOST_TEST(rest.locked == 0u);
}

BOOST_AUTO_TEST_CASE(
  what_was_committed_of_a_batch_is_not_forgotten_by_its_failure) {
  auto theirs = draft("b", 1);
  theirs.owner = "they";
  write_one(create_record{theirs}); // and the next batch will not look
  // Lets the first insert go, and takes away the row that it met; the second
  // one finds somebody else's lock.
  admin.exec(database_stage::commit,
             "CREATE FUNCTION take_theirs() RETURNS trigger LANGUAGE plpgsql AS"
             " 'BEGIN DELETE FROM steward_record WHERE owner = ''they'';"
             " IF NOT FOUND THEN RAISE EXCEPTION ''busy'' USING ERRCODE ="
             " ''55P03''; END IF; RETURN NULL; END'");
  admin.exec(database_stage::commit,
             "CREATE TRIGGER taken AFTER INSERT ON steward_record FOR EACH"
             " STATEMENT EXECUTE FUNCTION take_theirs()");
  const batch both_names{create("a", 2), create("b", 3)};
  auto x = failure_of([&] { store.write(both_names, 5s); });
  admin.exec(database_stage::commit, "DROP FUNCTION take_theirs CASCADE");
  BOOST_TEST(contains(x.what(), "55P03"), x.what());
  BOOST_TEST(store.list("", 5s).size() == 1u); // "a" stands
  BOOST_TEST((x.reaction() == reaction::unknown_outcome), x.what());
  for (auto& answer : store.write(both_names, 5s))
    BOOST_TEST(answer.verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_commit_without_its_standby_is_not_acknowledged) {
  postgres_server alone;
  postgres_store mine{alone.url(), 20s, quick};
  pg_connection boss{alone.url(), quick, {}};
  auto set_standbys = [&](const std::string& names) {
    boss.exec(database_stage::commit,
              "ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    boss.exec(database_stage::commit, "SELECT pg_reload_conf()");
  };
  auto waiting = [&](const std::string& what) {
    return boss
      .exec(database_stage::begin,
            "SELECT count(" + what
              + ") FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
      .number(0, 0);
  };
  auto write = [&](const char* name, unsigned by) {
    auto one = create(name, by);
    return mine.write(std::span{&one, 1}, 5s).at(0);
  };
  write("a", 1);
  set_standbys("nobody");
  // Somebody loses patience with it: it stands, and only here.
  mine.on_wait([&] { waiting("pg_cancel_backend(pid)"); });
  auto x = failure_of([&] {
    for (unsigned i = 0; i < 5'000; ++i) // the setting arrives a little later
      write(("b" + std::to_string(i)).c_str(), i);
  });
  BOOST_TEST((x.reaction() == reaction::unknown_outcome), x.what());
  BOOST_TEST(contains(x.what(), "its standby has not confirmed it"), x.what());
  mine.on_wait({});
  auto rows = mine.list("", 5s);
  auto& last = rows.back();
  auto again = create_record{last};
  auto write_again = [&] {
    record_write one{again};
    return mine.write(std::span{&one, 1}, 5s).at(0);
  };
  // That it can be seen does not make it safe.
  BOOST_TEST((failure_of(write_again).reaction() == reaction::unknown_outcome));
  set_standbys("");
  BOOST_TEST(write_again().verdict == record_verdict::created);
}

// To make sure of what it finds then it needs no right beyond these.
BOOST_AUTO_TEST_CASE(who_may_only_use_the_tables_outlives_an_unknown_outcome) {
  for (auto* sql :
       {"CREATE ROLE clerk LOGIN",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON steward_record, steward_node,"
        " steward_shard TO clerk",
        "GRANT SELECT ON steward_schema TO clerk",
        "REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text,"
        " text) FROM PUBLIC"})
    admin.exec(database_stage::commit, sql);
  auto as_clerk = url;
  as_clerk.replace(as_clerk.find("steward@"), 8, "clerk@");
  postgres_store mine{as_clerk, 5s, quick};
  const batch one{create("a", 1)};
  mine.write(one, 5s);
  admin.exec(database_stage::begin,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
             " usename = 'clerk'");
  auto x = failure_of([&] { mine.write(one, 5s); });
  BOOST_TEST((x.reaction() == reaction::unknown_outcome), x.what());
  BOOST_TEST(mine.write(one, 5s)[0].verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(batches_of_all_kinds_never_wait_for_each_other) {
  constexpr unsigned names_max = 50;
  constexpr postgres_limits patient{2s, 20s, 20s, 30s};
  auto names = [](const char* part) {
    std::vector<std::string> result;
    for (unsigned i = 0; i < names_max; ++i)
      result.push_back(part + std::to_string(i));
    return result;
  };
  batch rows;
  for (auto* part : {"a", "b"})
    for (auto& name : names(part))
      rows.push_back(create(name));
  store.write(rows, 5s);
  std::barrier together{2};
  std::array<std::string, 2> failures;
  auto write = [&](std::size_t me, const char* closed, const char* changed) {
    postgres_store mine{url, 5s, patient};
    batch all;
    for (auto& name : names(closed))
      all.push_back(close(name));
    for (auto& name : names(changed))
      all.push_back(update_record{name, 1, "new", {}, token(7)});
    together.arrive_and_wait();
    try {
      mine.write(all, 5s);
    } catch (const store_failure& x) {
      failures[me] = x.what();
    }
  };
  std::thread other{[&] { write(1, "b", "a"); }};
  write(0, "a", "b");
  other.join();
  BOOST_TEST(failures[0] == "");
  BOOST_TEST(failures[1] == "");
}

BOOST_AUTO_TEST_CASE(a_commit_that_rolled_back_is_no_commit) {
  pg_connection c{url, quick, {}};
  c.begin();
  BOOST_CHECK_THROW(c.exec(database_stage::statement, "SELECT 1 / 0"),
                    pg_failure);
  BOOST_CHECK_EXCEPTION(c.commit(), pg_failure, [](auto& x) {
    return x.to_do() == reaction::retry && x.state() == "25P02";
  });
}

BOOST_AUTO_TEST_SUITE_END()
