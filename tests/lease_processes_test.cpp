// Leases in real processes, some of which are killed: their histories, which
// they wrote as they went, are judged together.
#include "child_process.hpp"

#include <steward/runtime/runtime.hpp>
#include <steward/testkit/history_check.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using record_test::child_process;
using record_test::pipe_pair;
using steward::testkit::history;
using steward::testkit::operation;
namespace data = boost::unit_test::data;

namespace lease_processes {

constexpr std::size_t threads_max = 4;
constexpr std::size_t per_key_max = 2;
constexpr int rounds = 200;

struct thing {
  std::string key;
  std::string id;
};

// What no pool needs to know of: who opened what, and closed it.
struct opener {
  static constexpr bool blocks = false;

  thing open(const steward::open_request& r) {
    auto key = std::string{r.key};
    return {key, key + "#" + std::to_string(r.id)}; // ids are of a process
  }

  void close(thing& x, steward::close_reason) {
    auto me = seen->as("opener of " + x.key);
    me.complete(me.invoke("close", x.key, x.id));
  }

  std::shared_ptr<history> seen;
};

// Which rounds of which thread are kept a little, so that others meet it.
void use(std::size_t me, int round) {
  for (auto n = (me * 7 + static_cast<std::size_t>(round) * 3) % 5; n > 0; --n)
    std::this_thread::yield();
}

void borrow_all(const steward::pool<thing>& things, history& seen,
                const std::string& process, std::size_t number) {
  auto name = process + "." + std::to_string(number);
  auto me = seen.as(name);
  for (int round = 0; round < rounds; ++round) {
    // The keys are of this process, as its pool is.
    auto key = process + "/" + std::to_string((number + unsigned(round)) % 3);
    auto asked = me.invoke("acquire", key);
    auto x = things.acquire(key, {.deadline = 20s});
    if (!x) {
      me.fail(asked, steward::describe(x.error()));
      continue;
    }
    auto lease = name + "#" + std::to_string(asked);
    me.complete(asked, (*x)->id + " " + lease);
    use(number, round);
    auto done = me.invoke("release", key, lease);
    x->give_back();
    me.complete(done);
  }
}

// Lends without an end, if it is to be killed.
void lend(const std::string& process, bool for_ever, const pipe_pair& out) {
  auto seen = std::make_shared<history>(steward::testkit::monotonic_stamp,
                                        [&out](const std::string& line) {
                                          out.write_all(line + '\n');
                                        });
  steward::config cfg;
  caf::actor_system system{cfg};
  steward::runtime rt{system};
  // Less than its keys ask for in all, so that some are closed for others.
  auto things = rt.make_pool<thing>({.name = "things",
                                     .per_key_max = per_key_max,
                                     .total_max = 5,
                                     .waiters_max = 100},
                                    opener{seen});
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < threads_max; ++i)
    threads.emplace_back([&, i] {
      do
        borrow_all(things, *seen, process, i);
      while (for_ever);
    });
  for (auto& x : threads)
    x.join();
}

std::vector<operation> history_in(const std::string& text) {
  std::istringstream in{text};
  return steward::testkit::read_history(in);
}

} // namespace lease_processes

using namespace lease_processes;

BOOST_AUTO_TEST_SUITE(lease_processes_)

// I1, I3, I4: whatever instant it dies at, nothing was lent twice before.
BOOST_DATA_TEST_CASE(what_the_killed_have_seen_is_right,
                     data::make({1, 40, 300, 900}), kilobytes) {
  child_process stays{[](const pipe_pair& out) { lend("a", false, out); }};
  child_process dies{[](const pipe_pair& out) { lend("b", true, out); }};
  std::string of_dead;
  while (of_dead.size() < static_cast<std::size_t>(kilobytes) * 1024) {
    auto part = dies.read_some();
    BOOST_REQUIRE(!part.empty());
    of_dead += part;
  }
  dies.kill();
  for (auto part = dies.read_some(); !part.empty(); part = dies.read_some())
    of_dead += part;
  BOOST_TEST(dies.wait() == -1);
  std::string text;
  for (auto part = stays.read_some(); !part.empty(); part = stays.read_some())
    text += part;
  BOOST_TEST(stays.wait() == 0);
  auto all = history_in(text);
  auto known = all.size();
  BOOST_TEST(known >= threads_max * rounds * 2);
  for (auto& x : history_in(of_dead))
    all.push_back(std::move(x));
  BOOST_TEST(all.size() > known);
  auto found = steward::testkit::check_leases(all, {per_key_max, 1});
  BOOST_TEST(found.right(), found.text());
  BOOST_TEST(found.keys == 6u);
  BOOST_TEST(found.operations > threads_max * rounds);
  // And it is no matter of course.
  BOOST_TEST(!steward::testkit::check_leases(all, {1, 1}).right());
  auto given = std::find_if(all.begin(), all.end(), [](const operation& x) {
    return x.what == "release" && x.end == steward::testkit::ending::ok;
  });
  BOOST_REQUIRE(given != all.end());
  all.push_back(*given); // given back twice
  BOOST_TEST(!steward::testkit::check_leases(all, {per_key_max, 1}).right());
}

BOOST_AUTO_TEST_SUITE_END()
