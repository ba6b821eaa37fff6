// Two real processes on one database file.
#include <boost/test/unit_test.hpp>

#include "child_process.hpp"
#include "record_fixtures.hpp"

#include <steward/core/hex.hpp>
#include <steward/runtime/records.hpp>
#include <steward/storage/sqlite_store.hpp>
#include <steward/testkit/history_check.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace steward;
using namespace record_test;
using testkit::history;
using testkit::operation;

namespace {

constexpr std::size_t names_max = 1'000;
constexpr unsigned threads_max = 4;

std::string name_of(std::size_t i) {
  return "resource-" + std::to_string(i);
}

// One answer, as a process reports it.
struct report {
  std::string name;
  std::int64_t id = 0;
  std::string verdict;
  bool lost_race = false;
  std::string owner;
};

std::string to_line(const record_answer& x) {
  std::ostringstream out;
  out << x.row.name << ' ' << x.row.id << ' ' << to_string(x.verdict) << ' '
      << x.lost_race << ' ' << x.row.owner << '\n';
  return out.str();
}

// The same answer in a history, with the creator where the client knows its
// own token.
void tell(history::client& to, history::client::ticket which,
          const record_answer& x, const std::string& creator = {}) {
  if (x.verdict == record_verdict::unavailable)
    return to.in_doubt(which, x.cause);
  to.complete(which, std::string{to_string(x.verdict)} + " "
                       + std::to_string(x.row.id) + " " + creator);
}

// What a process reports; its part of the history goes to `seen`.
std::vector<report> reports_of(child_process& from,
                               std::vector<operation>& seen) {
  std::vector<report> result;
  std::stringstream recorded;
  for (auto& line : from.lines()) {
    if (contains(line, "\t")) {
      recorded << line << '\n';
      continue;
    }
    report x;
    std::istringstream in{line};
    in >> x.name >> x.id >> x.verdict >> x.lost_race >> x.owner;
    BOOST_REQUIRE_MESSAGE(in && x.verdict != "unavailable", line);
    result.push_back(std::move(x));
  }
  BOOST_TEST(from.wait() == 0);
  auto part = testkit::read_history(recorded);
  seen.insert(seen.end(), part.begin(), part.end());
  return result;
}

void write_history(const history& what, const pipe_pair& out) {
  std::ostringstream lines;
  testkit::write_history(lines, what.operations());
  out.write_all(lines.str());
}

struct fixture {
  temp_dir dir;
  std::filesystem::path path = dir / "records.db";

  // I9: one row per name, distinct ids, and whoever asked got that id.
  void check(const std::vector<report>& answers) {
    std::map<std::string, record> by_name;
    std::set<std::int64_t> ids;
    for (auto& row : sqlite_store{path, 5s}.list("", 5s)) {
      ids.insert(row.id);
      auto name = row.name;
      BOOST_TEST(by_name.emplace(name, std::move(row)).second,
                 "two rows of " << name);
    }
    BOOST_TEST(by_name.size() == names_max);
    BOOST_TEST(ids.size() == names_max);
    std::map<std::string, int> creators;
    for (auto& x : answers) {
      auto row = by_name.find(x.name);
      BOOST_REQUIRE_MESSAGE(row != by_name.end(), x.name << " has no row");
      BOOST_REQUIRE_EQUAL(x.id, row->second.id);
      BOOST_REQUIRE_EQUAL(x.owner, row->second.owner);
      creators[x.name] += x.verdict == "created";
    }
    for (auto& [name, count] : creators)
      BOOST_TEST(count == 1, name << " was created " << count << " times");
  }

  // I9, I10: what everybody saw, and what stands there now, go together.
  void check(std::vector<operation> all) {
    std::set<std::string> names;
    for (auto& x : all)
      names.insert(x.key);
    sqlite_store store{path, 5s};
    history after;
    auto me = after.as("who looks in the end");
    for (auto& name : names) {
      auto asked = me.invoke("find", name);
      auto row = store.find(std::span{&name, 1}, 5s).at(0);
      me.complete(asked, row ? "found " + std::to_string(row->id) : "none");
    }
    for (auto& x : after.operations())
      all.push_back(std::move(x));
    auto found = testkit::check_get_or_create(all);
    BOOST_TEST(found.right(), found.text());
    BOOST_TEST(found.keys == names.size());
    BOOST_TEST(found.operations == all.size());
    // That is no matter of course: with two answers exchanged it is wrong.
    std::swap(all.front().key, all.back().key);
    BOOST_TEST(!testkit::check_get_or_create(all).right());
  }
};

// Creates all names in batches of 100; both sides look before either writes.
void create_in_step(const std::filesystem::path& path, meeting& both, int side,
                    const pipe_pair& out) {
  sqlite_store store{path, 20s};
  store.on_looked([&] { both.arrive(side); });
  history book;
  auto me = book.as("side-" + std::to_string(side));
  for (std::size_t first = 0; first < names_max; first += 100) {
    batch names;
    for (auto i = first; i < first + 100; ++i) {
      auto row = draft(name_of(i), static_cast<unsigned>(i * 2) + (side == 0));
      row.owner = "side-" + std::to_string(side);
      names.push_back(create_record{std::move(row)});
    }
    if (side == 1)
      std::reverse(names.begin(), names.end());
    std::vector<history::client::ticket> asked;
    for (auto& x : names) {
      auto& row = std::get<create_record>(x).draft;
      asked.push_back(
        me.invoke("get_or_create", row.name, to_hex(row.creator)));
    }
    auto next = asked.begin();
    for (auto& answer : store.write(names, 20s)) {
      tell(me, *next++, answer, to_hex(answer.row.creator));
      out.write_all(to_line(answer));
    }
  }
  write_history(book, out);
}

// Some threads ask for all names through the actor, each in its own order.
void create_from_threads(const std::filesystem::path& path, meeting& both,
                         int side, const pipe_pair& out) {
  caf::actor_system_config cfg;
  cafx::tune(cfg);
  caf::actor_system sys{cfg};
  records_options options;
  options.url = "sqlite:" + path.string();
  options.owner = "side-" + std::to_string(side);
  auto all = open_records(sys, options);
  both.arrive(side);
  history book;
  std::vector<std::string> said(threads_max);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < threads_max; ++t)
    threads.emplace_back([&, t] {
      std::vector<std::size_t> order(names_max);
      for (std::size_t i = 0; i < names_max; ++i)
        order[i] = i;
      std::shuffle(order.begin(), order.end(), std::mt19937{t});
      auto client = options.owner + "/" + std::to_string(t);
      auto me = book.as(client);
      for (auto i : order) {
        auto token = client + "/" + std::to_string(i);
        auto asked = me.invoke("get_or_create", name_of(i), token);
        auto answer = all->get_or_create({name_of(i), "race", "k", ""}, {30s});
        tell(me, asked, answer);
        said[t] += to_line(answer);
      }
    });
  for (auto& thread : threads)
    thread.join();
  auto stopped = all->stop({10s});
  if (stopped.pending > 0)
    throw std::runtime_error{stopped.cause};
  auto& counters = all->counters();
  std::ostringstream counted;
  counted << "counted " << counters.written << " conflicts 0 "
          << counters.conflicts << '\n';
  for (auto& lines : said)
    out.write_all(lines);
  out.write_all(counted.str());
  write_history(book, out);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(record_race, fixture)

BOOST_AUTO_TEST_CASE(two_processes_that_look_before_either_writes_agree) {
  meeting both;
  child_process first{[&](auto& out) { create_in_step(path, both, 0, out); }};
  child_process second{[&](auto& out) { create_in_step(path, both, 1, out); }};
  std::vector<operation> seen;
  auto answers = reports_of(first, seen);
  for (auto& x : reports_of(second, seen))
    answers.push_back(std::move(x));
  BOOST_TEST(answers.size() == 2 * names_max);
  BOOST_TEST(seen.size() == answers.size());
  check(answers);
  check(std::move(seen));
  // Neither saw a row when it looked, so exactly one lost, for every name.
  auto lost = std::count_if(answers.begin(), answers.end(),
                            [](auto& x) { return x.lost_race; });
  BOOST_TEST(lost == static_cast<std::ptrdiff_t>(names_max));
}

BOOST_AUTO_TEST_CASE(two_processes_full_of_threads_agree_on_every_name) {
  meeting both;
  child_process first{
    [&](auto& out) { create_from_threads(path, both, 0, out); }};
  child_process second{
    [&](auto& out) { create_from_threads(path, both, 1, out); }};
  std::vector<report> answers;
  std::vector<operation> seen;
  std::int64_t written = 0;
  std::int64_t conflicts = 0;
  for (auto* side : {&first, &second})
    for (auto& x : reports_of(*side, seen)) {
      if (x.name != "counted") {
        answers.push_back(std::move(x));
        continue;
      }
      written += x.id;
      conflicts += std::stoll(x.owner);
    }
  BOOST_TEST(answers.size() == 2 * threads_max * names_max);
  BOOST_TEST(seen.size() == answers.size());
  check(answers);
  check(std::move(seen));
  // Who did not create a name met it: nothing here is luck.
  BOOST_TEST(written == static_cast<std::int64_t>(names_max));
  BOOST_TEST(conflicts
             == static_cast<std::int64_t>((2 * threads_max - 1) * names_max));
}

BOOST_AUTO_TEST_CASE(what_was_answered_survives_a_kill) { // I10
  child_process victim{[&](auto& out) {
    sqlite_store store{path, 5s};
    history book{testkit::monotonic_stamp,
                 [&](auto& line) { out.write_all(line + "\n"); }};
    auto me = book.as("victim");
    for (std::size_t i = 0;; ++i) {
      auto one = create(name_of(i), static_cast<unsigned>(i));
      auto asked = me.invoke("get_or_create", name_of(i), name_of(i));
      tell(me, asked, store.write(std::span{&one, 1}, 5s).at(0));
    }
  }};
  std::string said;
  while (std::count(said.begin(), said.end(), '\n') < 400)
    said += victim.read_some();
  victim.kill();
  for (auto part = victim.read_some(); !part.empty(); part = victim.read_some())
    said += part;
  std::istringstream recorded{said};
  auto seen = testkit::read_history(recorded);
  auto answered = std::count_if(seen.begin(), seen.end(), [](auto& x) {
    return x.end == testkit::ending::ok;
  });
  BOOST_TEST(answered >= 199);
  // The one whose answer was on its way is in doubt; there is no other.
  BOOST_TEST(seen.size() <= static_cast<std::size_t>(answered) + 1);
  check(seen);
  BOOST_TEST((sqlite_store{path, 5s}.list("", 5s).size()) <= seen.size());
}

BOOST_AUTO_TEST_SUITE_END()
