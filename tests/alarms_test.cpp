#include "plain_recipient.hpp"

#include <steward/actors/alarms.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>

namespace {

using namespace std::chrono_literals;
using namespace steward;

constexpr time_point start{1'000s};

std::shared_ptr<recipient> somebody() {
  return std::make_shared<plain_recipient>(caf::actor{});
}

} // namespace

BOOST_AUTO_TEST_SUITE(alarms_)

BOOST_AUTO_TEST_CASE(only_what_is_before_the_next_look_needs_a_message) {
  alarms box;
  BOOST_TEST(box.looks_at(start));
  BOOST_TEST(!box.leave(somebody(), start));
  BOOST_TEST(!box.leave(somebody(), start + 1s));
  BOOST_TEST(box.leave(somebody(), start - 1ns));
  auto all = box.collect();
  BOOST_REQUIRE(all.has_value());
  BOOST_REQUIRE(all->size() == 3u);
  BOOST_TEST(((*all)[2].at == start - 1ns));
  BOOST_TEST(!box.collect().has_value());
}

BOOST_AUTO_TEST_CASE(a_clock_that_does_not_look_has_to_be_told) {
  alarms box;
  BOOST_TEST(box.leave(somebody(), start));
}

BOOST_AUTO_TEST_CASE(one_message_is_enough_until_the_clock_has_looked) {
  alarms box;
  BOOST_TEST(box.leave(somebody(), start));
  BOOST_TEST(!box.leave(somebody(), start - 1s));
  BOOST_TEST(box.collect().value().size() == 2u);
  BOOST_TEST(!box.leave(somebody(), start - 2s));
  BOOST_TEST(!box.looks_at(start)); // something came: collect once more
  BOOST_TEST(box.collect().value().size() == 1u);
  BOOST_TEST(box.looks_at(start));
  BOOST_TEST(box.leave(somebody(), start - 3s));
}

BOOST_AUTO_TEST_CASE(the_first_alarm_is_known_until_the_clock_has_gone_on) {
  alarms box;
  BOOST_TEST((box.next() == never));
  box.leave(somebody(), start + 1s);
  box.leave(somebody(), start);
  box.leave(somebody(), start + 2s);
  BOOST_TEST((box.next() == start));
  box.raise(start + 1s);
  BOOST_TEST((box.next() == start + 1s));
}

BOOST_AUTO_TEST_CASE(who_has_left_is_forgotten_before_there_is_a_crowd) {
  alarms box;
  BOOST_TEST(box.looks_at(start));
  auto stays = somebody();
  box.leave(stays, start);
  std::weak_ptr<recipient> first;
  for (int i = 0; i < 5'000; ++i) {
    auto whom = somebody();
    if (i == 0)
      first = whom;
    box.leave(whom, start);
    whom->over = true;
  }
  BOOST_TEST(first.expired());
  auto all = box.collect().value();
  BOOST_TEST(all.size() < 1'100u);
  BOOST_TEST((all.front().whom == stays));
}

BOOST_AUTO_TEST_CASE(a_crowd_of_those_who_stay_is_kept) {
  alarms box;
  BOOST_TEST(box.looks_at(start));
  for (int i = 0; i < 5'000; ++i)
    box.leave(somebody(), start);
  BOOST_TEST(box.collect().value().size() == 5'000u);
}

BOOST_AUTO_TEST_CASE(after_the_clock_nobody_is_kept) {
  alarms box;
  auto before = somebody();
  auto after = somebody();
  std::weak_ptr<recipient> kept[] = {before, after};
  box.leave(std::move(before), start);
  box.stop();
  BOOST_TEST(!box.leave(std::move(after), start));
  BOOST_TEST(kept[0].expired());
  BOOST_TEST(kept[1].expired());
}

BOOST_AUTO_TEST_SUITE_END()
