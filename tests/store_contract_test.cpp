// What every record store promises, on SQLite and on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/core/iso_time.hpp>
#include <steward/storage/record_store.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <thread>

using namespace steward;
using namespace record_test;
namespace data = boost::unit_test::data;

namespace {

// A database of one test, that others can open, too.
struct fixture {
  temp_dir dir;
  std::unique_ptr<record_store> store;
  std::string url;

  void open(const std::string& kind) {
    if (kind == "sqlite") {
      url = "sqlite:" + (dir / "records.db").string();
    } else {
      static std::atomic<int> count{0};
      auto schema = "t" + std::to_string(::getpid()) + "_"
                    + std::to_string(++count);
      url = postgres_url();
      admin("CREATE SCHEMA " + schema);
      url += (url.find('?') == url.npos ? "?" : "&");
      url += "options=-csearch_path%3D" + schema;
    }
    store = open_record_store(url, 20s);
  }

  void admin(const std::string& sql) const;

  // What somebody does to the tables by hand.
  void change(const std::string& kind, const std::string& in_sqlite,
              const std::string& in_postgresql) const {
    if (kind != "sqlite")
      return admin(in_postgresql);
    SQLite::Database{dir / "records.db", SQLite::OPEN_READWRITE}.exec(
      in_sqlite);
  }

  record_answer write_one(const record_write& x) {
    return store->write(std::span{&x, 1}, 5s).at(0);
  }
};

} // namespace

void fixture::admin(const std::string& sql) const {
  auto* link = PQconnectdb(url.c_str());
  auto* said = PQexec(link, sql.c_str());
  BOOST_REQUIRE_MESSAGE(PQresultStatus(said) == PGRES_COMMAND_OK
                          || PQresultStatus(said) == PGRES_TUPLES_OK,
                        PQerrorMessage(link));
  PQclear(said);
  PQfinish(link);
}

BOOST_FIXTURE_TEST_SUITE(contract, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_new_name_is_created_and_found_as_written,
                       data::make(both), kind) {
  open(kind);
  auto row = draft("a", 1);
  row.journal = "pgid 17";
  row.attributes = "quotes \" ' \\ { } , and NULL, and ünïcode\n";
  auto answer = write_one(create_record{row});
  BOOST_TEST(answer.verdict == record_verdict::created);
  std::vector<std::string> names{"b", "a"};
  auto rows = store->find(names, 1s);
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST(!rows[0].has_value());
  BOOST_REQUIRE(rows[1].has_value());
  auto& found = *rows[1];
  BOOST_TEST(found.id == answer.row.id);
  BOOST_TEST(found.name == "a");
  BOOST_TEST(found.pool == "sessions");
  BOOST_TEST(found.key == "tenant-7");
  BOOST_TEST(found.attributes == row.attributes);
  BOOST_TEST(found.journal == "pgid 17");
  BOOST_TEST(found.owner == "test-1");
  BOOST_TEST(found.version == 1);
  BOOST_TEST(found.open);
  BOOST_TEST((found.creator == token(1)));
  BOOST_TEST((found.writer == token(1)));
  BOOST_TEST((found.print == fingerprint_of(row.attributes)));
  BOOST_TEST((found.opened_at == noon));
}

BOOST_DATA_TEST_CASE_F(fixture, created_means_that_the_row_carries_our_token,
                       data::make(both), kind) {
  open(kind);
  auto first = write_one(create("a", 1));
  auto second = write_one(create("a", 2));
  auto again = write_one(create("a", 1)); // as after a lost answer
  BOOST_TEST(second.verdict == record_verdict::existed);
  BOOST_TEST((second.row.creator == token(1)));
  BOOST_TEST(again.verdict == record_verdict::created);
  BOOST_TEST(second.row.id == first.row.id);
  BOOST_TEST(again.row.id == first.row.id);
}

BOOST_DATA_TEST_CASE_F(fixture, who_is_strict_hears_of_other_attributes,
                       data::make(both), kind) {
  open(kind);
  write_one(create("a", 1));
  auto other = draft("a", 2);
  other.attributes = "dsn=db2";
  BOOST_TEST(write_one(create_record{other}).verdict
             == record_verdict::existed);
  auto answer = write_one(create_record{other, true});
  BOOST_TEST(answer.verdict == record_verdict::conflict);
  BOOST_TEST(answer.row.attributes == "dsn=db1"); // theirs
  // The same attributes are no conflict, and nor are changed ones.
  write_one(update_record{"a", 1, "dsn=db3", {}, token(9)});
  auto same = write_one(create_record{draft("a", 3), true});
  BOOST_TEST(same.verdict == record_verdict::existed);
}

BOOST_DATA_TEST_CASE_F(fixture, an_update_needs_the_version_that_it_saw,
                       data::make(both), kind) {
  open(kind);
  write_one(create("a", 1));
  auto won = write_one(update_record{"a", 1, {}, "step 1", token(5)});
  BOOST_TEST(won.verdict == record_verdict::existed);
  BOOST_TEST(won.row.version == 2);
  BOOST_TEST(won.row.journal == "step 1");
  BOOST_TEST(won.row.attributes == "dsn=db1"); // what is not given stays
  auto lost = write_one(update_record{"a", 1, "x", {}, token(6)});
  BOOST_TEST(lost.verdict == record_verdict::conflict);
  BOOST_TEST(lost.row.journal == "step 1");
  auto again = write_one(update_record{"a", 1, {}, "step 1", token(5)});
  BOOST_TEST(again.verdict
             == record_verdict::existed); // as after a lost answer
  BOOST_TEST(again.row.version == 2);
  auto nobody = write_one(update_record{"b", 1, "x", {}, token(7)});
  BOOST_TEST(nobody.verdict == record_verdict::unavailable);
  BOOST_TEST((nobody.trouble == record_trouble::unknown_name));
}

BOOST_DATA_TEST_CASE_F(fixture, closing_keeps_the_first_reason,
                       data::make(both), kind) {
  open(kind);
  write_one(create("a"));
  auto closed = write_one(close("a", close_reason::lifetime));
  BOOST_TEST(closed.verdict == record_verdict::existed);
  auto again = write_one(close("a", close_reason::drained, noon + 1h));
  BOOST_TEST(!again.row.open);
  BOOST_TEST((again.row.reason == close_reason::lifetime));
  BOOST_TEST((again.row.closed_at == noon + 5min));
  BOOST_TEST(again.row.version == 2);
  auto nobody = write_one(close("nobody"));
  BOOST_TEST(nobody.verdict == record_verdict::unavailable);
  BOOST_TEST(nobody.cause == "there is no record 'nobody'");
}

BOOST_DATA_TEST_CASE_F(fixture, writes_of_a_batch_happen_in_order,
                       data::make(both), kind) {
  open(kind);
  auto answers = store->write(
    batch{create("b", 1), create("a", 2), close("b", close_reason::evicted),
          create("b", 3), update_record{"a", 1, "x", {}, token(4)},
          update_record{"a", 2, "y", {}, token(5)}, close("c")},
    5s);
  BOOST_REQUIRE_EQUAL(answers.size(), 7u);
  BOOST_TEST(answers[0].verdict == record_verdict::created);
  BOOST_TEST(answers[1].verdict == record_verdict::created);
  BOOST_TEST(answers[2].verdict == record_verdict::existed);
  BOOST_TEST((answers[2].row.reason == close_reason::evicted));
  BOOST_TEST(answers[3].verdict == record_verdict::existed);
  BOOST_TEST(!answers[3].row.open);
  BOOST_TEST(answers[4].row.attributes == "x");
  BOOST_TEST(answers[5].verdict == record_verdict::existed);
  BOOST_TEST(answers[5].row.attributes == "y");
  BOOST_TEST(answers[6].verdict == record_verdict::unavailable);
}

BOOST_DATA_TEST_CASE_F(fixture, a_row_that_cannot_be_written_takes_all_along,
                       data::make(both), kind) {
  open(kind);
  for (std::size_t size : {0u, 1025u}) {
    auto x = failure_of([&] {
      store->write(batch{create("a"), create(std::string(size, 'n'))}, 5s);
    });
    BOOST_TEST((x.reaction() == reaction::bisect));
    BOOST_TEST(store->list("", 5s).empty());
  }
}

BOOST_DATA_TEST_CASE_F(fixture, pages_go_by_id_and_filters_narrow_them,
                       data::make(both), kind) {
  open(kind);
  batch all;
  for (int i = 0; i < 25; ++i) {
    auto row = draft("n" + std::to_string(i), static_cast<unsigned>(i));
    row.pool = i % 2 == 0 ? "even" : "odd";
    row.key = "k" + std::to_string(i % 5);
    row.owner = i < 20 ? "me" : "you";
    all.push_back(create_record{row});
  }
  all.push_back(close("n0"));
  store->write(all, 5s);
  std::vector<std::int64_t> ids;
  for (record_query next{.rows_max = 10};;) {
    auto rows = store->page(next, 5s);
    for (auto& row : rows)
      ids.push_back(row.id);
    if (rows.size() < next.rows_max)
      break;
    next.after = rows.back().id;
  }
  BOOST_TEST(ids.size() == 25u);
  BOOST_TEST(std::is_sorted(ids.begin(), ids.end()));
  BOOST_TEST(store->page({.pool = "even"}, 5s).size() == 13u);
  BOOST_TEST(store->page({.pool = "even", .key = "k0"}, 5s).size() == 3u);
  BOOST_TEST(store->page({.owner = "you"}, 5s).size() == 5u);
  BOOST_TEST(store->page({.open = false}, 5s).size() == 1u);
  BOOST_TEST(store->page({.pool = "even", .open = true}, 5s).size() == 12u);
  BOOST_TEST(store->list("me", 5s).size() == 20u);
}

BOOST_DATA_TEST_CASE_F(fixture, a_page_ends_with_rows_or_bytes,
                       data::make(both), kind) {
  open(kind);
  auto dead = store->join({0, "me", {}, false}, 1h, 5s);
  batch all;
  for (unsigned i = 0; i < 5; ++i) {
    auto row = draft("n" + std::to_string(i), i);
    row.incarnation = dead;
    row.attributes.assign(page_bytes_max / 5, 'x');
    row.journal.assign(page_bytes_max / 5, 'y');
    all.push_back(create_record{row});
  }
  store->write(all, 5s);
  auto sizes_of = [](auto next) {
    std::string sizes;
    for (auto more = true; more;) {
      auto page = next();
      more = page.more;
      sizes += std::to_string(page.rows.size()) + (more ? "+" : "");
    }
    return sizes;
  };
  for (std::size_t rows_max : {std::size_t{1000}, SIZE_MAX}) {
    record_query query{.rows_max = rows_max};
    BOOST_TEST(sizes_of([&] {
                 auto page = store->read_page(query, 5s);
                 query.after = page.last;
                 return page;
               })
               == "3+2");
  }
  BOOST_TEST(store->read_page({.rows_max = 2}, 5s).more);
  BOOST_TEST(!store->read_page({.rows_max = 0}, 5s).more);
  BOOST_TEST(store->list("", 5s).size() == 5u);
  adoption what{.from = dead, .to = dead + 1, .surely_dead = true};
  what.rows_max = SIZE_MAX;
  BOOST_TEST(sizes_of([&] {
               auto page = store->adopt(what, 5s);
               BOOST_TEST(page.rows.front().incarnation == what.to);
               BOOST_TEST(page.rows.front().version == 2);
               return page;
             })
             == "3+2");
}

BOOST_DATA_TEST_CASE_F(fixture, a_time_that_cannot_be_read_back_is_moved,
                       data::make(both), kind) {
  open(kind);
  auto early = draft("early");
  early.opened_at = time_point::min();
  auto late = draft("late", 2);
  late.opened_at = never;
  auto said = store->write(batch{create_record{early}, create_record{late},
                                 close("late", close_reason::idle, never)},
                           5s);
  auto rows = store->page({}, 5s);
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST(to_iso_text(rows[0].opened_at) == "1678-01-01T00:00:00.000Z");
  BOOST_TEST(to_iso_text(rows[1].opened_at) == "2261-12-31T23:59:59.999Z");
  BOOST_TEST((rows[1].closed_at == rows[1].opened_at));
  BOOST_TEST((said[0].row.opened_at == rows[0].opened_at));
  BOOST_TEST(store->purge(never, 10, 5s).gone == 0u);
}

BOOST_DATA_TEST_CASE_F(fixture, who_names_a_creator_closes_no_other_row,
                       data::make(both), kind) {
  open(kind);
  store->write(batch{create("a", 1), create("b", 2)}, 5s);
  auto said
    = store->write(batch{close_record{"a", close_reason::idle, noon, token(1)},
                         close_record{"b", close_reason::idle, noon, token(1)}},
                   5s);
  BOOST_TEST(!said[0].row.open);
  BOOST_TEST(said[1].row.open);
}

BOOST_DATA_TEST_CASE_F(fixture, purge_removes_what_was_closed_long_ago,
                       data::make(both), kind) {
  open(kind);
  store->write(batch{create("old", 1), create("older", 2), create("new", 3),
                     create("open", 4),
                     close("old", close_reason::idle, noon + 1h),
                     close("older", close_reason::idle, noon),
                     close("new", close_reason::idle, noon + 2h)},
               5s);
  BOOST_TEST(store->purge(noon + 2h, 1, 5s).gone == 1u);
  BOOST_TEST(store->list("", 5s).size() == 3u); // the oldest goes first
  BOOST_TEST(store->purge(noon + 2h, SIZE_MAX, 5s).gone == 1u);
  BOOST_TEST(store->purge(noon + 2h, 100, 5s).gone == 0u);
  std::vector<std::string> names{"old", "older", "new", "open"};
  auto rows = store->find(names, 5s);
  BOOST_TEST((!rows[0] && !rows[1] && rows[2] && rows[3]));
  BOOST_TEST(write_one(create("old", 9)).verdict == record_verdict::created);
}

BOOST_DATA_TEST_CASE_F(fixture, verify_finds_what_must_not_be, data::make(both),
                       kind) {
  open(kind);
  write_one(create("a"));
  BOOST_TEST(store->verify(5s).empty());
  change(kind, "DROP INDEX record_by_pool", "DROP INDEX steward_record_pool");
  auto wrong = store->verify(5s);
  BOOST_REQUIRE_EQUAL(wrong.size(), 1u);
  BOOST_TEST(contains(wrong[0], "pool"), wrong[0]);
  BOOST_TEST(contains(wrong[0], "is missing"), wrong[0]);
}

BOOST_DATA_TEST_CASE_F(fixture, a_row_that_cannot_be_read_hides_no_other,
                       data::make(both), kind) {
  open(kind);
  store->write(batch{create("a"), create("b", 2), create("c", 3), close("b")},
               5s);
  change(kind, "UPDATE record SET close_reason = 'boredom' WHERE name = 'b'",
         "UPDATE steward_record SET close_reason = 'boredom' WHERE name = 'b'");
  auto page = store->read_page({}, 5s);
  BOOST_TEST(page.rows.size() == 2u);
  BOOST_REQUIRE_EQUAL(page.unreadable.size(), 1u);
  BOOST_TEST(contains(page.unreadable[0], "'b' has an unknown close reason"));
  BOOST_TEST(page.last == page.rows[1].id);
  BOOST_TEST(
    (failure_of([&] { store->page({}, 5s); }).code() == store_errc::damaged));
  // A page may end with one.
  auto part = store->read_page({.rows_max = 2}, 5s);
  BOOST_TEST(part.size() == 2u);
  BOOST_TEST(store->page({.after = part.last}, 5s).at(0).name == "c");
}

BOOST_DATA_TEST_CASE_F(fixture, a_row_that_cannot_be_read_stops_no_other,
                       data::make(both), kind) {
  open(kind);
  store->write(batch{create("b", 2), close("b")}, 5s);
  change(kind, "UPDATE record SET close_reason = 'boredom' WHERE name = 'b'",
         "UPDATE steward_record SET close_reason = 'boredom' WHERE name = 'b'");
  for (auto& beside : {batch{create("b", 3), create("c", 4)},
                       batch{close("b"), create("d", 5)}}) {
    auto x = failure_of([&] { store->write(beside, 5s); });
    BOOST_TEST((x.code() == store_errc::damaged));
    BOOST_TEST((x.reaction() == reaction::bisect)); // as for a bad row
  }
  BOOST_TEST(write_one(create("c", 4)).verdict == record_verdict::created);
  BOOST_TEST(write_one(create("d", 5)).verdict == record_verdict::created);
}

BOOST_DATA_TEST_CASE_F(fixture, records_of_a_dead_node_go_to_one_taker,
                       data::make(both), kind) {
  open(kind);
  auto dead = store->join({0, "first", {"here", 1, 2}, false}, 0s, 5s);
  auto watched = [&](const char* name, std::int64_t by) {
    auto row = draft(name);
    row.incarnation = by;
    write_one(create_record{row});
  };
  watched("a", dead);
  watched("b", dead);
  auto living = store->join({0, "other", {"here", 3, 4}, false}, 1h, 5s);
  watched("c", living);
  write_one(close("b"));
  auto me = store->join({0, "me", {"here", 5, 6}, false}, 1h, 5s);
  BOOST_TEST(me != living);
  auto nodes = store->nodes(5s);
  BOOST_REQUIRE_EQUAL(nodes.size(), 3u);
  BOOST_TEST(nodes[0].expired);
  BOOST_TEST((nodes[0].process == process_id{"here", 1, 2}));
  BOOST_TEST(!nodes[1].expired);
  // A lease that is good protects, whoever asks.
  BOOST_TEST(store->adopt({.from = living, .to = me}, 5s).size() == 0u);
  BOOST_TEST(store->adopt({.from = dead, .to = me, .pool = "none"}, 5s).size()
             == 0u);
  auto rows = store->adopt({.from = dead, .to = me}, 5s).rows;
  BOOST_REQUIRE_EQUAL(rows.size(), 1u); // what is closed stays
  BOOST_TEST(rows[0].name == "a");
  BOOST_TEST(rows[0].incarnation == me);
  BOOST_TEST(store->adopt({.from = dead, .to = living}, 5s).size() == 0u);
  // Who is seen to be dead need not be waited for.
  auto now
    = store->adopt({.from = living, .to = me, .surely_dead = true}, 5s).rows;
  BOOST_REQUIRE_EQUAL(now.size(), 1u);
  BOOST_TEST(now[0].name == "c");
}

BOOST_DATA_TEST_CASE_F(fixture, a_lease_that_is_over_is_never_renewed,
                       data::make(both), kind) {
  open(kind);
  auto dead = store->join({0, "first", {}, false}, 0s, 5s);
  auto living = store->join({0, "other", {}, false}, 1h, 5s);
  BOOST_TEST(!store->beat(dead, 1h, 5s));
  BOOST_TEST(store->beat(living, 1h, 5s));
  BOOST_TEST(!store->beat(4711, 1h, 5s));
  store->leave(living, 5s);
  BOOST_TEST(!store->beat(living, 1h, 5s));
  BOOST_TEST(store->nodes(5s).empty());
}

BOOST_DATA_TEST_CASE_F(fixture, many_can_make_the_schema_at_once,
                       data::make(both), kind) {
  open(kind);
  if (std::string{kind} == "postgresql")
    admin("DROP TABLE steward_record, steward_node, steward_shard,"
          " steward_schema");
  else
    url = "sqlite:" + (dir / "fresh.db").string();
  constexpr int openers = 4;
  std::barrier start{openers};
  std::vector<std::string> errors(openers);
  std::vector<std::thread> threads;
  for (int i = 0; i < openers; ++i)
    threads.emplace_back([&, i] {
      try {
        start.arrive_and_wait();
        auto mine = open_record_store(url, 20s);
        mine->write(
          batch{create("n" + std::to_string(i), static_cast<unsigned>(i))},
          20s);
      } catch (const std::exception& x) {
        errors[static_cast<std::size_t>(i)] = x.what();
      }
    });
  for (auto& x : threads)
    x.join();
  for (auto& error : errors)
    BOOST_TEST(error == "");
  BOOST_TEST(open_record_store(url, 5s)->list("", 5s).size() == openers);
}

BOOST_DATA_TEST_CASE_F(fixture,
                       batches_that_share_names_do_not_block_each_other,
                       data::make(both), kind) {
  open(kind);
  constexpr int writers = 4;
  constexpr int rounds = 10;
  std::vector<std::string> errors(writers);
  std::vector<std::thread> threads;
  std::atomic<int> created{0};
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&, i] {
      try {
        auto mine = open_record_store(url, 20s);
        for (int round = 0; round < rounds; ++round) {
          batch names;
          for (int n = 0; n < 200; ++n) // each in an order of its own
            names.push_back(create(std::to_string(round) + "/"
                                     + std::to_string((n * (7 + 6 * i)) % 200),
                                   static_cast<unsigned>(i * 10'000 + n)));
          for (auto& x : mine->write(names, 20s))
            created += x.verdict == record_verdict::created;
        }
      } catch (const std::exception& x) {
        errors[static_cast<std::size_t>(i)] = x.what();
      }
    });
  for (auto& x : threads)
    x.join();
  for (auto& error : errors)
    BOOST_TEST(error == "");
  BOOST_TEST(store->list("", 5s).size() == 200u * rounds);
  BOOST_TEST(created == 200 * rounds);
}

BOOST_AUTO_TEST_SUITE_END()
