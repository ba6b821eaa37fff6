#include <boost/test/unit_test.hpp>

#include "core_fixtures.hpp"

#include <steward/core/hold.hpp>

#include <memory>
#include <set>
#include <utility>
#include <vector>

using namespace core_test;

namespace {

struct fixture : shelf_keeper {
  manual_time time;
  lending_terms terms{&time, 1, false};
  shelf place{"key", terms, *this};
  std::uint64_t ids = 0;
  bool sound = true; // what `check` says
  int checks = 0;
  std::vector<std::pair<slot*, bool>> handed_over;
  std::vector<slot_word> missed; // before its hold ended, and after it

  void hand_over(slot& s, bool healthy) noexcept override {
    handed_over.emplace_back(&s, healthy);
  }

  void idle_again(slot& s, function_ref<void()> end) noexcept override {
    missed.push_back(s.word());
    end();
    missed.push_back(s.word());
  }

  bool check(void*) noexcept override {
    ++checks;
    return sound;
  }

  slot& open(std::string_view params = {}, std::size_t holders = 0) {
    auto& s = place.vacancy();
    s.begin_open(++ids, params, time.at);
    s.opened(&ids, time.at, holders, false);
    return s;
  }

  static void close(slot& s) {
    BOOST_REQUIRE(s.try_take(s.word()));
    s.finish_close();
  }

  slot* borrow(std::string_view params = {}, shelf::as who = shelf::as::user) {
    return place.borrow(params, tag_of(params), who);
  }

  void use(slot& s) {
    BOOST_REQUIRE(s.try_hold(s.word()));
    s.give_back(time.at);
  }

  slot* oldest() {
    return place.least_recently_used().place;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(shelf_, fixture)

BOOST_AUTO_TEST_CASE(the_keeper_sees_what_was_missed_become_idle) {
  auto& s = open({}, 1);
  BOOST_TEST(s.try_miss(s.word()));
  time.at += 1s;
  hold{&s}.give_back();
  BOOST_REQUIRE(missed.size() == 2u);
  BOOST_TEST(missed[0].holders() == 1u);
  BOOST_TEST(missed[1].holders() == 0u);
  BOOST_TEST(!missed[1].missed());
  BOOST_TEST((s.last_used() == time.at));
}

BOOST_AUTO_TEST_CASE(what_nobody_took_on_the_way_does_not_set_out_again) {
  terms.checked = true;
  sound = false;
  auto& s = open({}, 1);
  hold h{&s};
  h.hand_over();
  h.give_back();
  BOOST_TEST(handed_over.empty());
  BOOST_TEST(checks == 0);
  BOOST_TEST(s.word().holders() == 0u);
}

// -- lending ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_empty_shelf_lends_nothing) {
  BOOST_TEST(borrow() == nullptr);
  BOOST_TEST(oldest() == nullptr);
}

BOOST_AUTO_TEST_CASE(only_an_open_slot_is_lent) {
  auto& s = place.vacancy();
  s.begin_open(1, "", time.at);
  BOOST_TEST(borrow() == nullptr);
  s.opened(&ids, time.at, 0, false);
  BOOST_TEST(borrow() == &s);
  s.give_back(time.at);
  BOOST_REQUIRE(s.try_take(s.word()));
  BOOST_TEST(borrow() == nullptr);
  s.finish_close();
  BOOST_TEST(borrow() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_most_recently_used_is_lent) {
  auto& a = open();
  auto& b = open();
  auto& c = open();
  time.at += 1s;
  use(b);
  time.at += 1s;
  use(a);
  BOOST_TEST(borrow() == &a);
  BOOST_TEST(borrow() == &b);
  BOOST_TEST(borrow() == &c);
  BOOST_TEST(borrow() == nullptr);
}

BOOST_AUTO_TEST_CASE(of_those_used_at_once_the_one_opened_first_is_lent) {
  auto& a = open();
  auto& b = open();
  close(a);
  auto& c = open(); // stands before `b`, was opened after it
  BOOST_TEST(&a == &c);
  BOOST_TEST(borrow() == &b);
  BOOST_TEST(borrow() == &c);
}

BOOST_AUTO_TEST_CASE(equal_params_are_interchangeable_and_others_are_not) {
  auto& a = open("a");
  auto& b = open("b");
  BOOST_TEST(borrow("b") == &b);
  BOOST_TEST(borrow("b") == nullptr);
  BOOST_TEST(borrow("") == nullptr);
  BOOST_TEST(borrow("aa") == nullptr);
  BOOST_TEST(borrow(std::string("a")) == &a);
}

BOOST_AUTO_TEST_CASE(an_exclusive_slot_has_one_holder) {
  auto& s = open();
  BOOST_TEST(borrow() == &s);
  BOOST_TEST(borrow() == nullptr);
  s.give_back(time.at);
  BOOST_TEST(borrow() == &s);
}

BOOST_AUTO_TEST_CASE(a_shared_slot_has_up_to_holders_max) {
  terms.holders_max = 3;
  auto& s = open();
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(borrow() == &s);
  BOOST_TEST(borrow() == nullptr);
  s.give_back(time.at);
  BOOST_TEST(borrow() == &s);
  BOOST_TEST(borrow() == nullptr);
}

BOOST_AUTO_TEST_CASE(where_one_tag_means_two_params_they_are_told_apart) {
  auto& a = open("a");
  auto before = a.word();
  time.at += 1s;
  BOOST_TEST(place.borrow("b", tag_of("a")) == nullptr);
  BOOST_TEST(a.word().holders() == 0u);
  BOOST_TEST((a.word() != before)); // it was held for a moment
  BOOST_TEST((a.last_used() == start));
  BOOST_TEST(borrow("a") == &a);
}

BOOST_AUTO_TEST_CASE(a_mistaken_slot_that_is_revoked_is_forgotten) {
  auto& s = open("a");
  auto seen = place.find("b", tag_of("a"));
  BOOST_REQUIRE(seen.mistaken == &s);
  auto keep = std::make_shared<int>();
  std::weak_ptr<int> kept = keep;
  BOOST_TEST(s.revoke(std::move(keep)) == 1u);
  BOOST_TEST(!kept.expired());
  place.put_back(*seen.mistaken);
  BOOST_TEST(kept.expired());
}

BOOST_AUTO_TEST_CASE(a_supervisor_finds_the_right_one_of_two_with_one_tag) {
  auto params = colliding_params();
  if (!params) {
    BOOST_TEST_MESSAGE("no collision known for this standard library");
    return;
  }
  auto& right = open(params->first);
  time.at += 1s;
  auto& wrong = open(params->second); // used more recently
  BOOST_TEST(wrong.tag() == right.tag());
  BOOST_TEST(borrow(params->first, shelf::as::supervisor) == &right);
  right.give_back(time.at);
  // Nor does it take, and hand to itself, what it is not looking for.
  wrong.set_attention(true);
  close(right);
  BOOST_TEST(borrow(params->first, shelf::as::supervisor) == nullptr);
  BOOST_TEST(wrong.word().holders() == 0u);
  BOOST_TEST(handed_over.empty());
}

// -- attention ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(nobody_but_the_supervisor_passes_attention) {
  auto& s = open();
  s.set_attention(true);
  BOOST_TEST(borrow() == nullptr);
  BOOST_TEST(borrow({}, shelf::as::supervisor) == &s);
  BOOST_TEST(s.word().attention());
}

BOOST_AUTO_TEST_CASE(a_user_passes_no_slot_with_attention_for_one_without) {
  auto& a = open("a");
  open("a");
  auto& other = open("b");
  a.set_attention(true);
  BOOST_TEST(borrow("a") == nullptr); // I7
  BOOST_TEST(borrow("b") == &other);
}

BOOST_AUTO_TEST_CASE(a_full_slot_with_attention_sends_to_the_supervisor_too) {
  auto& a = open("a", 1);
  open("a");
  a.set_attention(true);
  BOOST_TEST(borrow("a") == nullptr);
}

BOOST_AUTO_TEST_CASE(the_supervisor_lends_nothing_that_is_doomed) {
  auto& a = open();
  auto& b = open();
  a.doom = close_reason::requested;
  BOOST_TEST(borrow({}, shelf::as::supervisor) == &b);
  BOOST_TEST(borrow({}, shelf::as::supervisor) == nullptr);
}

// -- the least recently used --------------------------------------------------

BOOST_AUTO_TEST_CASE(the_oldest_is_the_one_whose_last_use_ended_first) {
  auto& a = open();
  auto& b = open();
  time.at += 1s;
  use(a);
  BOOST_TEST(oldest() == &b);
  time.at += 1s;
  use(b);
  BOOST_TEST(oldest() == &a);
}

BOOST_AUTO_TEST_CASE(of_those_used_at_once_the_oldest_is_the_one_opened_first) {
  auto& a = open();
  auto& b = open();
  BOOST_TEST(oldest() == &a);
  close(a);
  open();
  BOOST_TEST(oldest() == &b);
}

BOOST_AUTO_TEST_CASE(what_is_held_doomed_or_not_open_is_never_the_oldest) {
  open("", 1);
  open().doom = close_reason::requested;
  auto& taken = open();
  BOOST_REQUIRE(taken.try_take(taken.word()));
  place.vacancy().begin_open(++ids, "", time.at);
  BOOST_TEST(oldest() == nullptr);
  time.at += 1s;
  auto& free_one = open();
  BOOST_TEST(oldest() == &free_one);
}

BOOST_AUTO_TEST_CASE(
  the_oldest_is_not_taken_if_it_was_used_since_it_was_found) {
  auto& s = open();
  auto found = place.least_recently_used();
  BOOST_TEST(found.place == &s);
  use(s);
  BOOST_TEST(!s.try_take(found.seen));
  BOOST_TEST(s.try_take(place.least_recently_used().seen));
}

// -- room ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_shelf_grows_without_moving_its_slots) {
  std::vector<slot*> all;
  for (int i = 0; i < 100; ++i)
    all.push_back(&open(std::to_string(i)));
  BOOST_TEST((std::set<slot*>(all.begin(), all.end()).size()) == 100u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    BOOST_TEST(all[i]->params() == std::to_string(i));
    BOOST_TEST(&all[i]->home() == &place);
    BOOST_TEST(borrow(std::to_string(i)) == all[i]);
  }
}

BOOST_AUTO_TEST_CASE(
  a_walk_meets_the_slots_in_the_order_in_which_they_were_made) {
  for (int i = 0; i < 20; ++i)
    open();
  std::uint64_t last = 0;
  std::size_t open_ones = 0;
  place.for_each([&](slot& s) {
    if (s.word().in() != phase::open)
      return;
    BOOST_TEST(s.id() == last + 1);
    last = s.id();
    ++open_ones;
  });
  BOOST_TEST(open_ones == 20u);
}

BOOST_AUTO_TEST_CASE(a_closed_slot_is_used_again_before_another_is_made) {
  std::vector<slot*> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(&open());
  close(*all[3]);
  BOOST_TEST(&place.vacancy() == all[3]);
  close(*all[1]);
  BOOST_TEST(&place.vacancy() == all[1]);
}

BOOST_AUTO_TEST_CASE(
  a_revoked_slot_is_no_vacancy_even_when_its_holder_is_gone) {
  auto& s = open("", 1);
  s.revoke(nullptr);
  BOOST_TEST(&place.vacancy() != &s);
  s.give_back(time.at);
  BOOST_TEST(&place.vacancy() != &s);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(hold_, fixture)

BOOST_AUTO_TEST_CASE(a_hold_gives_back_at_the_end_of_its_scope_with_a_stamp) {
  auto& s = open();
  {
    hold h{borrow(), true};
    BOOST_TEST(bool{h});
    BOOST_TEST(h.fresh());
    BOOST_TEST(h.resource() == &ids);
    BOOST_TEST(h.place() == &s);
    time.at += 2s;
  }
  BOOST_TEST(s.word().holders() == 0u);
  BOOST_TEST((s.last_used() == start + 2s));
  BOOST_TEST(handed_over.empty());
}

BOOST_AUTO_TEST_CASE(a_hold_is_given_back_once_however_often_it_is_asked) {
  auto& s = open("", 1);
  terms.holders_max = 2;
  hold other{borrow()};
  hold h{&s};
  h.give_back();
  h.give_back();
  BOOST_TEST(!h);
  BOOST_TEST(s.word().holders() == 1u);
}

BOOST_AUTO_TEST_CASE(a_moved_hold_gives_back_once) {
  auto& s = open();
  hold a{borrow()};
  hold b{std::move(a)};
  BOOST_TEST(!a);
  a.give_back();
  BOOST_TEST(s.word().holders() == 1u);
  hold c;
  c = std::move(b);
  BOOST_TEST(s.word().holders() == 1u);
  c = hold{};
  BOOST_TEST(s.word().holders() == 0u);
}

BOOST_AUTO_TEST_CASE(assignment_gives_back_what_was_held_before) {
  auto& a = open("a");
  auto& b = open("b");
  hold h{borrow("a")};
  h = hold{borrow("b")};
  BOOST_TEST(a.word().holders() == 0u);
  BOOST_TEST(b.word().holders() == 1u);
  auto& same = h;
  h = std::move(same);
  BOOST_TEST(b.word().holders() == 1u);
}

BOOST_AUTO_TEST_CASE(a_released_hold_is_somebody_elses) {
  auto& s = open();
  hold h{borrow()};
  BOOST_TEST(h.release() == &s);
  h.give_back();
  BOOST_TEST(s.word().holders() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_given_up_goes_to_the_keeper_with_its_hold) {
  auto& s = open();
  hold h{borrow()};
  h.give_up();
  h.give_back();
  BOOST_REQUIRE(handed_over.size() == 1u);
  BOOST_TEST(handed_over[0].first == &s);
  BOOST_TEST(!handed_over[0].second);
  BOOST_TEST(s.word().holders() == 1u);
  BOOST_TEST(borrow() == nullptr);
}

BOOST_AUTO_TEST_CASE(giving_up_goes_along_with_a_move) {
  open();
  hold a{borrow()};
  a.give_up();
  hold b{std::move(a)};
  hold c;
  c = std::move(b);
  c.give_back();
  BOOST_REQUIRE(handed_over.size() == 1u);
  BOOST_TEST(!handed_over[0].second);
}

BOOST_AUTO_TEST_CASE(with_attention_a_healthy_hold_goes_to_the_keeper) {
  auto& s = open();
  hold h{borrow()};
  s.set_attention(true);
  h.give_back();
  BOOST_REQUIRE(handed_over.size() == 1u);
  BOOST_TEST(handed_over[0].second);
  BOOST_TEST(s.word().holders() == 1u);
}

BOOST_AUTO_TEST_CASE(
  the_keeper_is_asked_about_health_only_if_the_terms_say_so) {
  auto& s = open();
  hold{borrow()}.give_back();
  BOOST_TEST(checks == 0);
  terms.checked = true;
  hold{borrow()}.give_back();
  BOOST_TEST(checks == 1);
  BOOST_TEST(handed_over.empty());
  sound = false;
  hold{borrow()}.give_back();
  BOOST_TEST(checks == 2);
  BOOST_REQUIRE(handed_over.size() == 1u);
  BOOST_TEST(handed_over[0].first == &s);
  BOOST_TEST(!handed_over[0].second);
}

BOOST_AUTO_TEST_CASE(a_revoked_hold_bothers_nobody_and_the_last_one_forgets) {
  terms.holders_max = 2;
  terms.checked = true;
  auto& s = open();
  hold a{borrow()};
  hold b{borrow()};
  auto keep = std::make_shared<int>(1);
  std::weak_ptr<int> alive = keep;
  s.set_attention(true);
  s.revoke(std::move(keep));
  BOOST_TEST(a.revoked());
  a.give_up();
  a.give_back();
  BOOST_TEST(!alive.expired());
  b.give_back();
  BOOST_TEST(alive.expired());
  BOOST_TEST(handed_over.empty());
  BOOST_TEST(checks == 0);
}

BOOST_AUTO_TEST_SUITE_END()
