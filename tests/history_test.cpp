// Histories written by hand, right and wrong ones.
#include "history_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>

using namespace history_test;
namespace data = boost::unit_test::data;

namespace steward::testkit {

// For Boost.Test's messages.
inline std::ostream& operator<<(std::ostream& out, const lease_limits& x) {
  return out << x.per_key_max << " x " << x.holders_max;
}

} // namespace steward::testkit

namespace history_cases {

// Leases are judged where there is an acquire, a release, or a close of one.
struct sample {
  const char* name;
  operations all;
  lease_limits most = {};
  const char* why = ""; // part of the reason, if it is wrong
  const char* why_searched = why;
};

std::ostream& operator<<(std::ostream& out, const sample& x) {
  return out << x.name;
}

bool is_about_leases(const sample& x) {
  return std::any_of(x.all.begin(), x.all.end(), [](const operation& y) {
    return y.what == "acquire" || y.what == "release";
  });
}

// Judges `all` in the way that is right for `x`.
verdict judge(const sample& x, const operations& all, check_options how) {
  return is_about_leases(x) ? check_leases(all, x.most, how)
                            : check_get_or_create(all, how);
}

const sample right_ones[] = {
  {"nothing at all", {}},
  {"one creates, others find it",
   {ok("a", 1, 2, create("n", "x"), "created 7 x"),
    ok("b", 3, 4, create("n", "y"), "existed 7 x"),
    ok("c", 3, 5, find("n"), "found 7")}},
  {"the winner hears of it last",
   {ok("a", 1, 9, create("n", "x"), "created 7"),
    ok("b", 2, 3, create("n", "y"), "existed 7")}},
  {"nothing is found while it is being created",
   {ok("a", 1, 9, create("n", "x"), "created 7"),
    ok("b", 2, 8, find("n"), "none"), ok("c", 3, 4, find("n"), "found 7"),
    ok("d", 1, 9, find("n"), "none")}},
  {"a creation in doubt took effect late",
   {in_doubt("a", 1, create("n", "x")), ok("b", 3, 4, find("n"), "none"),
    ok("b", 5, 6, create("n", "y"), "existed 7 x")}},
  {"a creation in doubt never took effect",
   {in_doubt("a", 1, create("n", "x")),
    ok("b", 5, 6, create("n", "y"), "created 8 y")}},
  {"a retry finds what it created itself",
   {in_doubt("a", 1, create("n", "x")),
    ok("a", 5, 6, create("n", "x"), "created 7 x"),
    ok("b", 7, 8, create("n", "y"), "existed 7 x")}},
  {"what failed had no effect",
   {failed("a", 1, 2, create("n", "x")), ok("b", 3, 4, find("n"), "none")}},
  {"a close is seen, but not before it began",
   {ok("a", 1, 2, create("n", "x"), "created 7"), ok("b", 3, 9, {"close", "n"}),
    ok("c", 4, 5, find("n"), "found 7 open"),
    ok("c", 6, 7, find("n"), "found 7 x closed")}},
  {"a close in doubt is seen late",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    in_doubt("b", 3, {"close", "n"}), ok("c", 4, 5, find("n"), "found 7 open"),
    ok("c", 6, 7, find("n"), "found 7 closed")}},
  {"one after the other",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("a", 3, 4, release("k", "l1")),
    ok("b", 5, 6, acquire("k"), "1 l2")}},
  {"handed over while it is given back",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 3, 5, acquire("k"), "1 l2"),
    ok("a", 4, 9, release("k", "l1"))}},
  {"all at one step",
   {ok("a", 1, 1, acquire("k"), "1 l1"), ok("a", 1, 1, release("k", "l1")),
    ok("b", 1, 1, acquire("k"), "1 l2"), ok("b", 1, 1, release("k", "l2")),
    ok("c", 1, 1, close("k", "1"))}},
  {"a release in doubt took effect",
   {ok("a", 1, 2, acquire("k"), "1 l1"), in_doubt("a", 3, release("k", "l1")),
    ok("b", 8, 9, acquire("k"), "1 l2")}},
  {"a release in doubt is repeated",
   {ok("a", 1, 2, acquire("k"), "1 l1"), in_doubt("a", 3, release("k", "l1")),
    ok("a", 5, 6, release("k", "l1"))}},
  {"an acquire in doubt takes nothing",
   {in_doubt("a", 1, acquire("k")), ok("b", 3, 4, acquire("k"), "1 l2")}},
  {"as many as may share",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 1, 2, acquire("k"), "1 l2"),
    ok("c", 3, 4, acquire("k"), "2 l3"), ok("d", 3, 4, acquire("k"), "2 l4")},
   {2, 2}},
  {"closed between two uses of its key",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("a", 3, 4, release("k", "l1")),
    ok("o", 4, 6, close("k", "1")), ok("b", 5, 7, acquire("k"), "2 l2")}},
  {"each key for itself",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 1, 2, acquire("j"), "2 l2")}},
};

const sample wrong_ones[] = {
  {"two ids",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    ok("b", 3, 4, create("n", "y"), "existed 8")},
   {},
   "two ids, 7 and 8"},
  {"two creators",
   {ok("a", 1, 4, create("n", "x"), "created 7"),
    ok("b", 1, 4, create("n", "y"), "created 7")},
   {},
   "created twice"},
  {"there, but nobody created it",
   {ok("a", 1, 2, create("n", "x"), "existed 7")},
   {},
   "before anybody can have created it"},
  {"there before its creator came",
   {ok("a", 1, 2, find("n"), "found 7"),
    ok("b", 3, 4, create("n", "x"), "created 7")},
   {},
   "before anybody can have created it"},
  {"there before a creation in doubt began",
   {ok("a", 1, 2, find("n"), "found 7"), in_doubt("b", 3, create("n", "x"))},
   {},
   "before anybody can have created it"},
  {"created by a request that failed",
   {failed("a", 1, 2, create("n", "x")), ok("b", 3, 4, find("n"), "found 7")},
   {},
   "before anybody can have created it"},
  {"existed, though its own",
   {in_doubt("a", 1, create("n", "x")),
    ok("a", 3, 4, create("n", "x"), "existed 7")},
   {},
   "before anybody can have created it",
   "existed, although the request created it itself"},
  {"existed, though its own by what the row says",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    ok("a", 3, 4, create("n", "x"), "existed 7 x")},
   {},
   "existed, although the request created it itself"},
  {"created, with the row of another",
   {ok("a", 1, 4, create("n", "x"), "created 7 y"),
    in_doubt("b", 1, create("n", "y"))},
   {},
   "said to be of y",
   "created twice: it was y"},
  {"a creator that nobody knows",
   {in_doubt("a", 1, create("n", "x")),
    ok("b", 3, 4, create("n", "y"), "existed 7 z")},
   {},
   "before anybody can have created it",
   "said to be of z, but it was x"},
  {"lost after it was created",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    ok("b", 3, 4, find("n"), "none")},
   {},
   "must have been created before"},
  {"open after its close",
   {ok("a", 1, 2, create("n", "x"), "created 7"), ok("b", 3, 4, {"close", "n"}),
    ok("c", 5, 6, find("n"), "found 7 open")},
   {},
   "open after a close"},
  {"closed without a close",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    ok("c", 5, 6, find("n"), "found 7 closed")},
   {},
   "closed before any close"},
  {"two names with one id",
   {ok("a", 1, 2, create("n", "x"), "created 7"),
    ok("a", 3, 4, create("m", "y"), "created 7")},
   {},
   "has the id 7 of"},
  {"a request without a token",
   {ok("a", 1, 2, create("n", ""), "created 7")},
   {},
   "cannot be judged"},
  {"a result that means nothing",
   {ok("a", 1, 2, create("n", "x"), "perhaps")},
   {},
   "cannot be judged"},
  {"an acquire that got nothing",
   {ok("a", 1, 2, acquire("k"), "1"), ok("a", 3, 4, release("k", "l1"))},
   {},
   "cannot be judged: \"acquire\" with the result \"1\""},
  {"it ended before it began",
   {ok("a", 2, 1, create("n", "x"), "created 7")},
   {},
   "ended before it began"},
  {"two have what only one may",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 3, 4, acquire("k"), "1 l2"),
    ok("a", 5, 6, release("k", "l1"))},
   {2, 1},
   "more holders than holders_max, which is 1"},
  {"three share what two may",
   {ok("a", 1, 9, acquire("k"), "1 l1"), ok("b", 1, 9, acquire("k"), "1 l2"),
    ok("c", 1, 9, acquire("k"), "1 l3")},
   {2, 2},
   "more holders than holders_max, which is 2"},
  {"more than there may be",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 3, 4, acquire("k"), "2 l2"),
    ok("c", 5, 6, acquire("k"), "3 l3"), ok("b", 7, 8, release("k", "l2"))},
   {2, 3},
   "more resources are lent than per_key_max, which is 2"},
  {"lent after its close",
   {ok("o", 1, 2, close("k", "1")), ok("a", 3, 4, acquire("k"), "1 l1")},
   {},
   "lent after its close"},
  {"closed in use",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("o", 3, 4, close("k", "1")),
    ok("a", 5, 6, release("k", "l1"))},
   {},
   "closed while lease l1 has it"},
  {"lent and given back while it was closed",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("o", 3, 4, close("k", "1")),
    ok("b", 5, 9, acquire("k"), "1 l2"), ok("b", 5, 9, release("k", "l2")),
    ok("a", 3, 3, release("k", "l1"))},
   {},
   "lent after its close"},
  {"closed twice",
   {ok("a", 1, 2, acquire("k"), "2 l1"), ok("o", 1, 9, close("k", "1")),
    ok("p", 1, 9, close("k", "1"))},
   {},
   "closed twice"},
  {"given back twice",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("a", 3, 4, release("k", "l1")),
    ok("a", 3, 4, release("k", "l1"))},
   {},
   "nobody has it"},
  {"given back, but never lent",
   {ok("a", 1, 2, release("k", "l1"))},
   {},
   "nobody has it"},
  {"given back before it was lent",
   {ok("a", 1, 2, release("k", "l1")), ok("a", 3, 4, acquire("k"), "1 l1")},
   {},
   "nobody has it"},
  {"given back by a release that failed",
   {ok("a", 1, 2, acquire("k"), "1 l1"), failed("a", 3, 4, release("k", "l1")),
    ok("b", 5, 6, acquire("k"), "1 l2")},
   {},
   "more holders"},
  {"given back too late, if at all",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 3, 4, acquire("k"), "1 l2"),
    in_doubt("a", 5, release("k", "l1"))},
   {},
   "more holders"},
  {"one lease, granted twice",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("b", 1, 2, acquire("j"), "2 l1")},
   {},
   "lease l1 is granted twice"},
  {"one resource of two keys",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("a", 3, 4, release("k", "l1")),
    ok("b", 5, 6, acquire("j"), "1 l2")},
   {},
   "resource 1 is of two keys"},
  {"one resource, closed by another key",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("o", 1, 2, close("j", "1"))},
   {},
   "resource 1 is of two keys"},
  {"what nobody knows",
   {ok("a", 1, 2, acquire("k"), "1 l1"), ok("a", 3, 4, {"steal", "k"})},
   {},
   "cannot be judged: \"steal\""},
};

} // namespace history_cases

using namespace history_cases;

BOOST_DATA_TEST_CASE(a_right_history_is_accepted,
                     data::make(right_ones) * data::make({false, true}), which,
                     search_only) {
  auto found = judge(which, which.all, {.search_only = search_only});
  BOOST_TEST(found.right(), found.text());
  BOOST_TEST(found.operations
             == std::size_t(
               std::count_if(which.all.begin(), which.all.end(),
                             [](auto& x) { return x.end != ending::failed; })));
}

BOOST_AUTO_TEST_CASE(a_finding_is_told_in_lines_that_nobody_can_forge) {
  auto key = "k\n  9  9  z\x1b" + std::string(1'000'000, 'x');
  operations all{ok("a\n", 1, 2, create(key, "t1"), "created 1"),
                 ok("b", 3, 4, create(key, "t2"), "created 2\x07")};
  auto text = check_get_or_create(all).text();
  BOOST_TEST(text.find_first_of("\x1b\x07") == text.npos);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 5); // 3 of a table
  BOOST_TEST(contains(text, "key \"k\\n  9  9  z\\x1bxxx"), text);
  BOOST_TEST(text.size() < 1'000u);
}

BOOST_DATA_TEST_CASE(a_wrong_history_is_rejected_with_its_reason,
                     data::make(wrong_ones) * data::make({false, true}), which,
                     search_only) {
  auto found = judge(which, which.all, {.search_only = search_only});
  BOOST_REQUIRE(!found.right());
  BOOST_TEST(found.findings.front().what == judgement::wrong);
  BOOST_TEST(contains(found.findings.front().why,
                      search_only ? which.why_searched : which.why),
             found.text());
  // The evidence stands for itself.
  const auto& evidence = found.findings.front().evidence;
  BOOST_TEST(evidence.size() <= which.all.size());
  auto by_itself = judge(which, evidence, {.search_only = search_only});
  BOOST_REQUIRE(!by_itself.right());
  BOOST_TEST(by_itself.findings.front().why == found.findings.front().why);
}

BOOST_AUTO_TEST_CASE(a_result_is_understood_or_refused) {
  struct {
    const char* what;
    const char* result;
    const char* id; // none if it is refused
  } lines[] = {
    {"get_or_create", "created 7", "7"},
    {"get_or_create", "existed  7 x ", "7"},
    {"get_or_create", "created", nullptr},
    {"get_or_create", "created 7 x y", nullptr},
    {"get_or_create", "exists 7", nullptr},
    {"get_or_create", "found 7", nullptr},
    {"get_or_create", "none", nullptr},
    {"get_or_create", "", nullptr},
    {"find", "none", ""},
    {"find", "found 7", "7"},
    {"find", "found 7 x", "7"},
    {"find", "found 7 open", "7"},
    {"find", "found 7 x closed", "7"},
    {"find", "none 7", nullptr},
    {"find", "found", nullptr},
    {"find", "found open", nullptr},
    {"find", "found 7 x y", nullptr},
    {"find", "found 7 x y closed", nullptr},
    {"find", "created 7", nullptr},
    {"find", "", nullptr},
  };
  for (auto& x : lines) {
    auto op = ok("a", 1, 2, {x.what, "n", "t"}, x.result);
    auto says = get_or_create_model::answer_of(op);
    BOOST_TEST(says.has_value() == (x.id != nullptr),
               x.what << ": " << x.result);
    if (says && x.id != nullptr)
      BOOST_TEST(says->id == x.id, x.what << ": " << x.result);
  }
}

BOOST_AUTO_TEST_CASE(a_finding_names_key_and_shows_only_what_matters) {
  operations all{ok("a", 1, 2, acquire("k"), "1 l1"),
                 ok("b", 3, 4, acquire("k"), "1 l2"),
                 ok("a", 5, 6, release("k", "l1"))};
  for (int i = 0; i < 500; ++i) { // many that are right, before and beside
    auto lease = "r" + std::to_string(i);
    all.push_back(ok("c", -2 * i - 2, -2 * i - 2, acquire("k"), "1 " + lease));
    all.push_back(ok("c", -2 * i - 1, -2 * i - 1, release("k", lease)));
    all.push_back(ok("d", 3, 4, acquire("k" + lease), lease + " s" + lease));
  }
  auto found = check_leases(all, {});
  BOOST_TEST(found.text()
             == "1503 operations on 501 keys: 1 findings\n"
                "wrong: key \"k\": resource 1 has more holders than "
                "holders_max, which is 1\n"
                "  invoked  completed  client  call        result\n"
                "        1          2  a       acquire     1 l1\n"
                "        3          4  b       acquire     1 l2\n"
                "        5          6  a       release l1\n");
  auto searched = check_leases(all, {}, {.search_only = true});
  BOOST_REQUIRE(searched.findings.size() == 1u);
  BOOST_TEST(searched.findings[0].why == found.findings[0].why);
  // The release came after the fault: to the search it has no part in it.
  BOOST_TEST(searched.findings[0].evidence == (operations{all[0], all[1]}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_search_leaves_out_what_only_reads) {
  operations all{ok("a", 1, 2, create("n", "x"), "created 7")};
  for (int i = 0; i < 50; ++i) {
    auto token = "y" + std::to_string(i);
    all.push_back(ok("b", 3, 9, create("n", token), "existed 7"));
    all.push_back(ok("c", 3, 9, find("n"), "found 7"));
  }
  all.push_back(ok("d", 3, 9, create("n", "z"), "existed 8"));
  auto found = check_get_or_create(all, {.search_only = true});
  BOOST_REQUIRE(found.findings.size() == 1u);
  BOOST_TEST(found.findings[0].evidence == (operations{all[0], all.back()}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_model_understands_its_own_operations_only) {
  operations stolen{ok("a", 1, 2, {"steal", "k"}, "created 7")};
  for (auto& found : {check_history(get_or_create_model{}, stolen),
                      check_history(lease_model{}, stolen)})
    BOOST_TEST(contains(found.text(), "cannot be judged: \"steal\""),
               found.text());
}

BOOST_AUTO_TEST_CASE(what_takes_too_many_steps_is_undecided_and_not_right) {
  operations all;
  for (int i = 0; i < 20; ++i)
    all.push_back(ok("c" + std::to_string(i), 1, 9, acquire("k"),
                     std::to_string(i) + " l" + std::to_string(i)));
  auto found = check_leases(all, {19, 1},
                            {.steps_max = 1'000, .search_only = true});
  BOOST_REQUIRE(found.findings.size() == 1u);
  BOOST_TEST(found.findings[0].what == judgement::undecided);
  BOOST_TEST(!found.right());
  BOOST_TEST(contains(found.text(), "gave up after 1000 steps"), found.text());
  // There a faster check knows.
  BOOST_TEST(judgement_of(check_leases(all, {19, 1})) == judgement::wrong);
  BOOST_TEST(check_leases(all, {20, 1}).right());
}

BOOST_AUTO_TEST_CASE(tables_are_short_and_their_times_small) {
  operations all;
  for (int i = 0; i < 5; ++i) {
    auto key = "k" + std::to_string(i);
    all.push_back(
      ok("a", 7'000'000'000, 7'000'000'003, create(key, "x"), "created 7"));
    all.push_back(ok("b", 7'000'000'004, 7'000'000'009, find(key), "none"));
  }
  auto text = check_get_or_create(all).text();
  BOOST_TEST(contains(text, "10 operations on 5 keys: 9 findings\n"), text);
  BOOST_TEST(contains(text, "  (times since 7000000000)\n"), text);
  BOOST_TEST(contains(text, "\n        4          9  b  "), text);
  BOOST_TEST(contains(text, "\"k1\""), text);
  BOOST_TEST(!contains(text, "\"k4\""), text);
  BOOST_TEST(text.ends_with("...\n"), text);
}

// -- any model ----------------------------------------------------------------

namespace {

// A counter: `add` says what it was before, `read` what it is.
struct counter_model {
  using state = int;

  int initial() const {
    return 0;
  }

  std::string apply(int& s, const operation& op) const {
    if (op.end == ending::ok && op.result != std::to_string(s))
      return "was " + std::to_string(s) + ", not " + op.result;
    s += op.what == "add" ? 1 : 0;
    return {};
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_model_of_ones_own_is_searched) {
  operations all{ok("a", 1, 5, {"add", "n"}, "1"),
                 ok("b", 2, 6, {"add", "n"}, "0"),
                 ok("c", 7, 8, {"read", "n"}, "2"),
                 in_doubt("d", 1, {"add", "n"})};
  BOOST_TEST(check_history(counter_model{}, all).right());
  all.push_back(ok("c", 9, 10, {"read", "n"}, "3")); // the one in doubt
  BOOST_TEST(check_history(counter_model{}, all).right());
  all.push_back(ok("c", 11, 12, {"read", "n"}, "2"));
  auto found = check_history(counter_model{}, all);
  BOOST_REQUIRE(!found.right());
  BOOST_TEST(contains(found.text(), "was 3, not 2"), found.text());
}

BOOST_AUTO_TEST_CASE(of_much_evidence_the_end_is_shown) {
  operations all;
  for (int i = 0; i < 100; ++i) // no model says what may be left out
    all.push_back(ok("a", i, i, {"add", "n"}, std::to_string(i == 59 ? 0 : i)));
  auto text = check_history(counter_model{}, all).text();
  BOOST_TEST(contains(text, "was 59, not 0"), text);
  BOOST_TEST(contains(text, "  (and 20 before)\n"), text);
  BOOST_TEST(contains(text, "\n       20         20  a  "), text);
  BOOST_TEST(contains(text, "\n       59         59  a  "), text);
  BOOST_TEST(!contains(text, "\n       60 "), text);
  BOOST_TEST(!contains(text, "\n       19 "), text);
}
