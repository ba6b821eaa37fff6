#include "core_fixtures.hpp"

#include <steward/core/waiting_line.hpp>

#include <boost/test/unit_test.hpp>

#include <iterator>

using namespace core_test;

namespace {

waiter somebody(request_id id, time_point deadline) {
  return {id, "", 0, deadline};
}

} // namespace

BOOST_AUTO_TEST_SUITE(waiting_line_)

BOOST_AUTO_TEST_CASE(who_comes_and_goes_is_counted) {
  waiting_line line;
  auto leader = somebody(1, start + 3s);
  leader.leader = true;
  line.push_back(leader);
  auto patient = somebody(2, start + 1s);
  patient.patient = true;
  line.push_back(patient);
  line.push_back(somebody(3, start + 2s));
  BOOST_TEST(line.size() == 3u);
  BOOST_TEST(line.leaders() == 1u);
  BOOST_TEST(line.patient() == 1u);
  auto second = line.erase(line.begin());
  BOOST_TEST(second->id == 2u);
  BOOST_TEST(line.leaders() == 0u);
  line.erase(second);
  BOOST_TEST(line.patient() == 0u);
  BOOST_TEST(line.begin()->id == 3u);
}

BOOST_AUTO_TEST_CASE(a_change_is_counted_once) {
  waiting_line line;
  line.push_back(somebody(1, start));
  auto& who = *line.begin();
  line.set_leader(who, true);
  line.set_leader(who, true);
  line.set_patient(who, true);
  BOOST_TEST(line.leaders() == 1u);
  BOOST_TEST(line.patient() == 1u);
  line.set_leader(who, false);
  line.set_patient(who, false);
  BOOST_TEST(line.leaders() == 0u);
  BOOST_TEST(line.patient() == 0u);
}

BOOST_AUTO_TEST_CASE(what_they_wait_for_is_counted_by_kind) {
  waiting_line line;
  BOOST_TEST(line.kinds() == 0u);
  line.push_back({1, "p", tag_of("p"), start});
  line.push_back({2, "q", tag_of("q"), start});
  line.push_back({3, "p", tag_of("p"), start});
  BOOST_TEST(line.kinds() == 2u);
  line.erase(line.begin());
  BOOST_TEST(line.kinds() == 2u);
  line.erase(line.begin());
  BOOST_TEST(line.kinds() == 1u);
}

BOOST_AUTO_TEST_CASE(who_is_taken_out_is_not_counted_any_more) {
  waiting_line line;
  auto patient = somebody(1, start);
  patient.patient = true;
  line.push_back(patient);
  line.push_back(somebody(2, start));
  auto all = line.take_all();
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all.front().id == 1u);
  BOOST_TEST(line.empty());
  BOOST_TEST(line.patient() == 0u);
  BOOST_TEST(line.kinds() == 0u);
  BOOST_TEST((line.first_deadline() == never));
}

BOOST_AUTO_TEST_CASE(the_first_deadline_is_of_those_who_still_wait) {
  waiting_line line;
  BOOST_TEST((line.first_deadline() == never));
  line.push_back(somebody(1, start + 2s));
  line.push_back(somebody(2, start + 1s));
  line.push_back(somebody(3, start + 1s));
  BOOST_TEST((line.first_deadline() == start + 1s));
  line.erase(std::next(line.begin()));
  BOOST_TEST((line.first_deadline() == start + 1s)); // of the other one
  line.put_off(*std::next(line.begin()), start + 5s);
  BOOST_TEST((line.first_deadline() == start + 2s));
}

BOOST_AUTO_TEST_SUITE_END()
