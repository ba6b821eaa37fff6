// The table of what databases say, row by row.
#include <boost/test/unit_test.hpp>

#include <steward/core/database_error.hpp>
#include <steward/core/retry.hpp>

#include <initializer_list>
#include <ostream>

namespace steward {

static std::ostream& operator<<(std::ostream& out, reaction x) {
  return out << to_string(x);
}

} // namespace steward

using namespace steward;
using enum database_stage;

namespace {

constexpr auto all_stages = {connect, begin, statement, commit};
constexpr auto after_connect = {begin, statement, commit};

void sqlite_is(std::initializer_list<int> codes,
               std::initializer_list<database_stage> stages,
               reaction expected) {
  for (auto code : codes)
    for (auto stage : stages)
      BOOST_TEST(classify(backend::sqlite, {.number = code}, stage) == expected,
                 "code " << code << " at stage " << static_cast<int>(stage));
}

void postgresql_is(std::initializer_list<std::string_view> states,
                   std::initializer_list<database_stage> stages,
                   reaction expected) {
  for (auto state : states)
    for (auto stage : stages)
      BOOST_TEST(classify(backend::postgresql, {.state = state}, stage)
                   == expected,
                 state << " at stage " << static_cast<int>(stage));
}

} // namespace

BOOST_AUTO_TEST_SUITE(sqlite)

BOOST_AUTO_TEST_CASE(a_lock_of_somebody_else_passes) {
  sqlite_is({5, 261, 517, 773, 6, 262, 15}, {connect, begin, statement},
            reaction::retry);
}

BOOST_AUTO_TEST_CASE(busy_at_commit_is_a_statement_of_ours) {
  sqlite_is({5}, {commit}, reaction::reopen);
}

BOOST_AUTO_TEST_CASE(no_space_and_no_memory_pass) {
  sqlite_is({13, 7, 3082}, all_stages, reaction::retry);
}

BOOST_AUTO_TEST_CASE(an_io_error_before_the_commit_wrote_nothing) {
  sqlite_is({10, 778, 1034, 522}, {connect, begin, statement},
            reaction::reopen);
}

BOOST_AUTO_TEST_CASE(an_io_error_at_the_commit_leaves_the_outcome_open) {
  sqlite_is({10, 778, 1034, 1546}, {commit}, reaction::unknown_outcome);
}

BOOST_AUTO_TEST_CASE(a_taken_name_is_read_again_and_a_taken_id_is_a_defect) {
  for (auto stage : all_stages)
    BOOST_TEST(
      classify(backend::sqlite, {.number = 2067, .of_name = true}, stage)
      == reaction::reread);
  sqlite_is({2067, 1555, 787}, all_stages, reaction::fail);
}

BOOST_AUTO_TEST_CASE(a_row_that_breaks_a_rule_is_looked_for) {
  sqlite_is({1299, 275, 3091, 20, 18}, all_stages, reaction::bisect);
}

BOOST_AUTO_TEST_CASE(what_needs_help_fails) {
  sqlite_is({1, 8, 264, 1032, 11, 267, 14, 270, 26, 21, 3, 23, -1, 0},
            all_stages, reaction::fail);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(postgresql)

BOOST_AUTO_TEST_CASE(a_taken_name_is_read_again_and_a_taken_id_is_a_defect) {
  for (auto stage : after_connect)
    BOOST_TEST(
      classify(backend::postgresql, {.state = "23505", .of_name = true}, stage)
      == reaction::reread);
  postgresql_is({"23505"}, after_connect, reaction::fail);
}

BOOST_AUTO_TEST_CASE(what_was_rolled_back_for_others_passes) {
  postgresql_is({"40001", "40P01", "55P03", "57014"}, after_connect,
                reaction::retry);
}

BOOST_AUTO_TEST_CASE(a_lost_link_leaves_the_outcome_open_whatever_the_code) {
  for (auto state : {"", "57P01", "23505", "40001", "22001", "42601"})
    for (auto stage : after_connect)
      BOOST_TEST(classify(backend::postgresql,
                          {.state = state, .link_lost = true, .of_name = true},
                          stage)
                   == reaction::unknown_outcome,
                 state);
  postgresql_is({"08000", "08006", "57P01", "57P02", "57P05", "25P03"},
                after_connect, reaction::unknown_outcome);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_take_us_now_may_do_so_later) {
  postgresql_is({"", "57P03", "53300", "08001", "08006"}, {connect},
                reaction::retry);
  for (auto state : {"", "57P03"})
    BOOST_TEST(classify(backend::postgresql,
                        {.state = state, .link_lost = true}, connect)
               == reaction::retry);
}

BOOST_AUTO_TEST_CASE(a_server_that_only_reads_is_left) {
  postgresql_is({"25006"}, after_connect, reaction::reopen);
}

BOOST_AUTO_TEST_CASE(a_commit_that_rolled_back_and_a_lost_statement_pass) {
  postgresql_is({"25P02", "26000"}, after_connect, reaction::retry);
}

BOOST_AUTO_TEST_CASE(no_space_and_no_memory_pass) {
  postgresql_is({"53000", "53100", "53200", "53300", "57P03"}, after_connect,
                reaction::retry);
}

BOOST_AUTO_TEST_CASE(an_io_error_of_the_server_is_open_only_at_the_commit) {
  postgresql_is({"58030", "58000"}, {begin, statement}, reaction::reopen);
  postgresql_is({"58030"}, {commit}, reaction::unknown_outcome);
}

BOOST_AUTO_TEST_CASE(a_row_that_breaks_a_rule_is_looked_for) {
  postgresql_is({"22001", "22021", "22P02", "23502", "23514", "54000"},
                after_connect, reaction::bisect);
}

BOOST_AUTO_TEST_CASE(what_needs_help_fails) {
  postgresql_is({"42601", "42501", "42P01", "28P01", "3D000", "XX000", "0A000",
                 "23503", ""},
                after_connect, reaction::fail);
  postgresql_is({"28P01", "28000", "3D000", "42501"}, {connect},
                reaction::fail);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(all_but_bad_rows_and_what_needs_help_heals) {
  for (auto x : {reaction::retry, reaction::reread, reaction::unknown_outcome,
                 reaction::reopen})
    BOOST_TEST(heals(x));
  BOOST_TEST(!heals(reaction::bisect));
  BOOST_TEST(!heals(reaction::fail));
}
