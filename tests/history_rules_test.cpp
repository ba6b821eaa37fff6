// The six rules of records, each kept and broken.
#include "history_fixture.hpp"

#include <steward/testkit/history_records.hpp>

using namespace history_test;
using steward::testkit::broken_rule;
using steward::testkit::check_records;
using steward::testkit::stored_row;

namespace {

operation asked(std::string name, std::string token, std::string result,
                ending end = ending::ok) {
  operation op;
  op.client = "c";
  op.what = "get_or_create";
  op.key = std::move(name);
  op.arg = std::move(token);
  op.invoked = 10;
  op.completed = 20;
  op.end = end;
  op.result = std::move(result);
  return op;
}

int only_rule(const std::vector<broken_rule>& broken) {
  BOOST_REQUIRE_EQUAL(broken.size(), 1u);
  return broken[0].rule;
}

const std::vector<stored_row> row_a{{"a", "1", "x"}};

} // namespace

BOOST_AUTO_TEST_CASE(what_is_right_breaks_no_rule) {
  operations all{asked("a", "x", "created 1 x"), asked("a", "y", "existed 1 x"),
                 asked("b", "z", "full", ending::failed),
                 asked("c", "u", "", ending::in_doubt),
                 asked("d", "v", "", ending::in_doubt)};
  std::vector<stored_row> rows{{"a", "1", "x"}, {"d", "2", "v"}};
  BOOST_TEST(check_records(all, rows, {.answer_max = 10}).empty());
}

BOOST_AUTO_TEST_CASE(rule_1_two_rows_of_a_name_and_two_names_of_an_id) {
  operations all{asked("a", "x", "created 1 x"),
                 asked("b", "y", "", ending::in_doubt),
                 asked("a", "z", "", ending::in_doubt)};
  std::vector<stored_row> twice{{"a", "1", "x"}, {"a", "2", "z"}};
  BOOST_TEST(only_rule(check_records(all, twice)) == 1);
  std::vector<stored_row> shared{{"a", "1", "x"}, {"b", "1", "y"}};
  BOOST_TEST(only_rule(check_records(all, shared)) == 1);
}

BOOST_AUTO_TEST_CASE(rule_2_another_id_than_the_row_has) {
  operations all{asked("a", "x", "created 1 x"),
                 asked("a", "y", "existed 2 x")};
  BOOST_TEST(only_rule(check_records(all, row_a)) == 2);
}

BOOST_AUTO_TEST_CASE(rule_3_an_answer_that_was_lost) {
  operations all{asked("a", "x", "created 1 x")};
  BOOST_TEST(only_rule(check_records(all, {})) == 3);
}

BOOST_AUTO_TEST_CASE(rule_4_created_is_what_the_row_says) {
  operations wrong{asked("a", "x", "", ending::in_doubt),
                   asked("a", "y", "created 1 x")};
  BOOST_TEST(only_rule(check_records(wrong, row_a)) == 4);
  operations denied{asked("a", "x", "existed 1 x")};
  BOOST_TEST(only_rule(check_records(denied, row_a)) == 4);
}

BOOST_AUTO_TEST_CASE(rule_5_a_row_that_nobody_asked_for) {
  BOOST_TEST(only_rule(check_records({}, row_a)) == 5);
  operations refused{asked("a", "x", "full", ending::failed)};
  BOOST_TEST(only_rule(check_records(refused, row_a)) == 5);
}

BOOST_AUTO_TEST_CASE(rule_6_an_answer_after_its_deadline) {
  operations all{asked("a", "x", "created 1 x")};
  BOOST_TEST(only_rule(check_records(all, row_a, {.answer_max = 9})) == 6);
}
