// Histories as they are recorded by threads, written and read.
#include "history_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <barrier>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

using namespace history_test;
namespace data = boost::unit_test::data;

// -- recording ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_history_in_steps_is_the_same_each_time) {
  stamp step = 0;
  history book{[&step] { return step; }};
  auto a = book.as("a");
  auto b = book.as("b");
  step = 3;
  auto first = a.invoke("acquire", "k");
  auto second = b.invoke("acquire", "k");
  auto third = b.invoke("get_or_create", "n", "x");
  step = 5;
  b.complete(second, "1 l1");
  a.fail(first, "full");
  step = 6;
  b.in_doubt(third, "no answer");
  auto fourth = book.as("a").invoke("release", "k", "l1");
  BOOST_TEST(fourth == 1u); // the same client
  auto full = failed("a", 3, 5, acquire("k"));
  full.result = "full";
  auto lost = in_doubt("b", 3, create("n", "x"));
  lost.completed = 6;
  lost.result = "no answer";
  operations all{full, ok("b", 3, 5, acquire("k"), "1 l1"), lost,
                 in_doubt("a", 6, release("k", "l1"))};
  BOOST_TEST(book.operations() == all, boost::test_tools::per_element());
}

namespace {

// Lends the resources 1 to n, each to one at a time; or to anybody.
class lender {
public:
  lender(int n, bool careful) : careful_(careful) {
    for (int i = 1; i <= n; ++i)
      free_.insert(i);
  }

  int take() {
    std::lock_guard lock{guard_};
    if (free_.empty())
      return 0;
    auto result = *free_.begin();
    if (careful_)
      free_.erase(result);
    return result;
  }

  void give_back(int x) {
    std::lock_guard lock{guard_};
    free_.insert(x);
  }

private:
  std::mutex guard_;
  std::set<int> free_;
  bool careful_;
};

// Four threads lend often; where they `meet`, they all hold something at once.
verdict verdict_on(lender& pool, std::size_t resources, bool meet) {
  history book;
  std::barrier together{4};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto me = book.as("thread-" + std::to_string(t));
      for (int i = 0; i < 300; ++i) {
        auto lease = std::to_string(t) + "/" + std::to_string(i);
        int got = 0;
        while (got == 0) {
          auto asked = me.invoke("acquire", "k");
          got = pool.take();
          if (got == 0) {
            me.fail(asked);
            std::this_thread::yield();
          } else {
            me.complete(asked, std::to_string(got) + " " + lease);
          }
        }
        if (meet && i == 150) // none has given back
          together.arrive_and_wait();
        auto gave = me.invoke("release", "k", lease);
        pool.give_back(got);
        me.complete(gave);
      }
    });
  for (auto& x : threads)
    x.join();
  return check_leases(book.operations(), {resources, 1});
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_that_share_rightly_are_found_right) {
  lender careful{2, true};
  auto found = verdict_on(careful, 2, false);
  BOOST_TEST(found.right(), found.text());
  BOOST_TEST(found.operations == 2'400u);
}

BOOST_AUTO_TEST_CASE(threads_that_share_wrongly_are_found_out) {
  lender careless{2, false};
  auto found = verdict_on(careless, 2, true);
  BOOST_TEST(contains(found.text(), "more holders"), found.text());
}

// -- lines --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  auto lost = in_doubt("two words", -6, create("tab\there", "back\\slash"));
  operations all{ok("a", 1, 2, acquire("line\nend\r"), "1 l1"), lost,
                 failed("b", 3, 4, {"", "", ""}),
                 ok("a", 3, stamp_max, release("k", "l1"))};
  std::stringstream text;
  write_history(text, all);
  BOOST_TEST(read_history(text) == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_is_killed_leaves_what_it_had_begun) {
  std::string text;
  stamp now = 0;
  history book{[&] { return ++now; },
               [&](const std::string& line) { text += line + "\n"; }};
  auto me = book.as("me");
  me.complete(me.invoke("get_or_create", "n", "x"), "created 7");
  auto second = me.invoke("get_or_create", "m", "y");
  auto before = text.size();
  me.complete(second, "created 8");
  std::istringstream whole{text};
  BOOST_TEST(read_history(whole) == book.operations(),
             boost::test_tools::per_element());
  for (auto end = before; end < text.size(); ++end) { // the last line is torn
    std::istringstream torn{text.substr(0, end)};
    operations all{ok("me", 1, 2, create("n", "x"), "created 7"),
                   in_doubt("me", 3, create("m", "y"))};
    BOOST_TEST(read_history(torn) == all, boost::test_tools::per_element());
  }
}

BOOST_DATA_TEST_CASE(what_is_no_history_is_refused_by_line,
                     data::make({
                       "hello",
                       "begin\ta\t0\t1\tacquire\tk",
                       "begin\ta\tzero\t1\tacquire\tk\t",
                       "begin\ta\t0\t1x\tacquire\tk\t",
                       "begin\ta\t0\t1\tacq\\uire\tk\t",
                       "begin\ta\t0\t1\tacquire\tk\t\\",
                       "begin\ta\t9\t1\tacquire\tk\t",
                       "ok\ta\t0\t2\t1 l1",
                       "ok\ta\t9\t2",
                       "ok\ta\t9\t0\t1 l1",
                       "maybe\ta\t9\t2\t1 l1",
                       "failed\ta\t8\t2\t",
                     }),
                     line) {
  std::istringstream in{"begin\ta\t9\t1\tacquire\tk\t\n"
                        "begin\ta\t0\t1\tacquire\tk\t\n"
                        "ok\ta\t0\t2\t1 l1\n"
                        + std::string{line} + "\n"};
  BOOST_CHECK_EXCEPTION(read_history(in), std::runtime_error, [](auto& x) {
    return contains(x.what(), "not a history: line 4: ");
  });
}
