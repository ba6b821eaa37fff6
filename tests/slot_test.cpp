#include <boost/test/unit_test.hpp>

#include <steward/core/slot.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

namespace {

constexpr time_point noon{12h};

bool is(const slot& s, phase p, std::uint64_t holders) {
  return s.word().in() == p && s.word().holders() == holders;
}

struct fixture {
  slot s;
  int thing = 0;

  void open(std::uint64_t holders = 0, bool attention = false) {
    s.begin_open(7, "p", noon);
    s.opened(&thing, noon, holders, attention);
  }

  void hold() {
    BOOST_REQUIRE(s.try_hold(s.word()));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(slot_, fixture)

// -- the word -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_word_keeps_its_parts_apart) {
  for (auto p : {phase::closed, phase::opening, phase::open, phase::closing})
    for (bool attention : {false, true})
      for (std::uint64_t holders : {0u, 1u, 4096u, 8191u}) {
        slot_word w{p, attention, holders, 0x7fff'ffff'ffff};
        BOOST_TEST((w.in() == p));
        BOOST_TEST(w.attention() == attention);
        BOOST_TEST(w.holders() == holders);
        BOOST_TEST(w.generation() == 0x7fff'ffff'ffff);
        BOOST_TEST((slot_word{w.raw()} == w));
        BOOST_TEST((w.with(phase::open).with(p) == w));
        BOOST_TEST(
          (w.with_attention(!attention).with_attention(attention) == w));
        auto missed = w.with_missed(true);
        BOOST_TEST(missed.missed());
        BOOST_TEST(!w.missed());
        BOOST_TEST(missed.holders() == holders);
        BOOST_TEST(missed.with(phase::open).missed());
        BOOST_TEST((missed.with_missed(false) == w));
      }
}

BOOST_AUTO_TEST_CASE(one_more_counts_a_holder_and_a_generation) {
  slot_word w{phase::open, true, 3, 41};
  BOOST_TEST((w.one_more() == slot_word{phase::open, true, 4, 42}));
  BOOST_TEST((w.one_less() == slot_word{phase::open, true, 2, 41}));
}

BOOST_AUTO_TEST_CASE(
  what_needs_attention_comes_back_at_once_if_nobody_is_there) {
  open(1, true);
  BOOST_TEST((s.give_back(noon) == slot::given::hand_over));
  BOOST_TEST(is(s, phase::open, 1));
  BOOST_TEST((s.give_back(noon, false) == slot::given::back));
  BOOST_TEST(is(s, phase::open, 0));
}

BOOST_AUTO_TEST_CASE(the_last_holder_of_what_is_missed_hears_of_it) {
  open(2);
  auto seen = s.word();
  BOOST_TEST(s.try_miss(seen));
  BOOST_TEST(!s.try_miss(seen)); // it is another word now
  BOOST_TEST((s.give_back(noon) == slot::given::back)); // not the last one
  BOOST_TEST((s.give_back(noon + 1s) == slot::given::missed));
  BOOST_TEST(is(s, phase::open, 1)); // and still has it
  BOOST_TEST((s.last_used() == noon + 1s));
  BOOST_TEST((s.give_back(noon + 1s, true, true) == slot::given::back));
  BOOST_TEST(!s.word().missed());
  BOOST_TEST(is(s, phase::open, 0));
}

BOOST_AUTO_TEST_CASE(what_is_missed_and_revoked_is_told_as_revoked) {
  open(1);
  BOOST_TEST(s.try_miss(s.word()));
  s.revoke(nullptr);
  BOOST_TEST((s.give_back(noon) == slot::given::revoked_last));
}

BOOST_AUTO_TEST_CASE(as_many_share_a_slot_as_the_word_can_count) {
  open();
  for (std::uint64_t i = 0; i < slot_word::holders_max; ++i)
    hold();
  BOOST_TEST(is(s, phase::open, slot_word::holders_max));
  BOOST_TEST(!s.word().attention());
  for (std::uint64_t i = 0; i < slot_word::holders_max; ++i)
    BOOST_TEST((s.give_back(noon) == slot::given::back));
  BOOST_TEST(is(s, phase::open, 0));
}

// -- opening ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_new_slot_is_closed_and_nobody_holds_it) {
  BOOST_TEST(is(s, phase::closed, 0));
  BOOST_TEST(!s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(an_opening_slot_knows_for_what_and_since_when) {
  s.begin_open(7, "dsn", noon);
  BOOST_TEST(is(s, phase::opening, 0));
  BOOST_TEST(s.id() == 7u);
  BOOST_TEST(s.params() == "dsn");
  BOOST_TEST(s.tag() == tag_of("dsn"));
  BOOST_TEST((s.opened_at() == noon));
  BOOST_TEST(!s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(an_opened_slot_counts_as_used_when_it_was_opened) {
  s.begin_open(7, "", noon);
  s.opened(&thing, noon + 3s, 0, false);
  BOOST_TEST(is(s, phase::open, 0));
  BOOST_TEST(s.resource() == &thing);
  BOOST_TEST((s.opened_at() == noon + 3s));
  BOOST_TEST((s.last_used() == noon + 3s));
}

BOOST_AUTO_TEST_CASE(a_slot_can_be_opened_with_holders_and_attention) {
  open(2, true);
  BOOST_TEST(is(s, phase::open, 2));
  BOOST_TEST(s.word().attention());
}

BOOST_AUTO_TEST_CASE(a_failed_open_leaves_a_closed_slot) {
  s.begin_open(7, "p", noon);
  s.open_failed();
  BOOST_TEST(is(s, phase::closed, 0));
}

BOOST_AUTO_TEST_CASE(what_is_closed_points_to_no_resource) {
  open();
  BOOST_TEST(s.resource() == &thing);
  BOOST_REQUIRE(s.try_take(s.word()));
  s.finish_close();
  BOOST_TEST(s.resource() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_new_resource_inherits_no_doom_and_no_lateness) {
  open();
  s.doom = close_reason::requested;
  s.late = true;
  s.set_attention(true);
  BOOST_REQUIRE(s.try_take(s.word()));
  s.finish_close();
  s.begin_open(8, "q", noon + 1h);
  BOOST_TEST(!s.doom.has_value());
  BOOST_TEST(!s.late);
  BOOST_TEST(!s.word().attention());
}

BOOST_AUTO_TEST_CASE(an_older_stamp_does_not_survive_a_new_resource) {
  open();
  hold();
  s.give_back(noon + 10h);
  BOOST_REQUIRE(s.try_take(s.word()));
  s.finish_close();
  s.begin_open(8, "", noon);
  s.opened(&thing, noon + 1s, 0, false);
  BOOST_TEST((s.last_used() == noon + 1s));
}

// -- I4: what is held is not taken --------------------------------------------

BOOST_AUTO_TEST_CASE(a_free_slot_is_taken_once) {
  open();
  auto seen = s.word();
  BOOST_TEST(s.try_take(seen));
  BOOST_TEST(is(s, phase::closing, 0));
  BOOST_TEST(!s.try_take(seen));
  BOOST_TEST(!s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(a_held_slot_cannot_be_taken) {
  open();
  hold();
  BOOST_TEST(!s.try_take(s.word()));
  BOOST_TEST(is(s, phase::open, 1));
}

BOOST_AUTO_TEST_CASE(
  a_slot_that_was_free_when_seen_is_not_taken_from_a_holder) {
  open();
  auto seen = s.word();
  hold();
  BOOST_TEST(!s.try_take(seen));
  BOOST_TEST(is(s, phase::open, 1));
}

BOOST_AUTO_TEST_CASE(one_of_two_sharers_keeps_a_slot_from_being_taken) {
  open();
  hold();
  hold();
  s.give_back(noon);
  BOOST_TEST(!s.try_take(s.word()));
  s.give_back(noon);
  BOOST_TEST(s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(a_slot_that_was_taken_cannot_be_held) {
  open();
  auto seen = s.word();
  BOOST_REQUIRE(s.try_take(s.word()));
  BOOST_TEST(!s.try_hold(seen));
  s.finish_close();
  BOOST_TEST(!s.try_hold(seen));
  BOOST_TEST(is(s, phase::closed, 0));
}

// -- words from the past ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_word_seen_before_a_use_takes_nothing_after_it) {
  open();
  auto seen = s.word();
  hold();
  s.give_back(noon + 1s);
  BOOST_TEST(is(s, phase::open, 0)); // looks the same, is not
  BOOST_TEST(!s.try_take(seen));     // I5
  BOOST_TEST(!s.try_hold(seen));
  BOOST_TEST(s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(a_word_of_an_earlier_resource_fits_no_later_one) {
  open();
  auto seen = s.word();
  BOOST_REQUIRE(s.try_take(seen));
  s.finish_close();
  open();
  BOOST_TEST(is(s, phase::open, 0));
  BOOST_TEST(!s.try_hold(seen));
  BOOST_TEST(!s.try_take(seen));
}

BOOST_AUTO_TEST_CASE(no_word_comes_twice_in_a_life_of_many_resources) {
  std::vector<std::uint64_t> free_words;
  for (int i = 0; i < 100; ++i) {
    open();
    for (int uses = i % 3; uses >= 0; --uses) {
      free_words.push_back(s.word().raw());
      hold();
      s.give_back(noon);
    }
    free_words.push_back(s.word().raw());
    BOOST_REQUIRE(s.try_take(s.word()));
    s.finish_close();
    if (i % 2 == 0) {
      s.begin_open(9, "", noon);
      s.open_failed();
    }
  }
  auto count = free_words.size();
  std::sort(free_words.begin(), free_words.end());
  free_words.erase(std::unique(free_words.begin(), free_words.end()),
                   free_words.end());
  BOOST_TEST(free_words.size() == count);
}

// -- giving back --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_latest_end_of_a_use_counts_whoever_comes_last) {
  open();
  hold();
  hold();
  s.give_back(noon + 5s);
  s.give_back(noon + 2s);
  BOOST_TEST((s.last_used() == noon + 5s));
}

BOOST_AUTO_TEST_CASE(with_attention_the_hold_stays_and_is_handed_over) {
  open();
  hold();
  s.set_attention(true);
  BOOST_TEST((s.give_back(noon + 1s) == slot::given::hand_over));
  BOOST_TEST(is(s, phase::open, 1));
  BOOST_TEST(!s.try_take(s.word()));
  BOOST_TEST((s.last_used() == noon + 1s));
  BOOST_TEST(s.drop_hold() == 0u);
  BOOST_TEST(s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(attention_that_went_lets_a_hold_go_back_by_itself) {
  open();
  hold();
  s.set_attention(true);
  s.set_attention(true);
  s.set_attention(false);
  BOOST_TEST((s.give_back(noon) == slot::given::back));
  BOOST_TEST(is(s, phase::open, 0));
}

BOOST_AUTO_TEST_CASE(attention_makes_stale_what_was_seen_before_it) {
  open();
  auto seen = s.word();
  s.set_attention(true);
  BOOST_TEST(!s.try_hold(seen));
  BOOST_TEST(!s.try_take(seen));
}

BOOST_AUTO_TEST_CASE(dropping_a_hold_leaves_the_other_sharers) {
  open();
  hold();
  hold();
  hold();
  BOOST_TEST(s.drop_hold() == 2u);
  BOOST_TEST(is(s, phase::open, 2));
}

// -- revoking -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_revoked_slot_without_holders_closes_like_any_other) {
  open();
  BOOST_TEST(s.revoke(std::make_shared<int>(1)) == 0u);
  BOOST_TEST(is(s, phase::closing, 0));
  s.forget();
  s.finish_close();
  BOOST_TEST(is(s, phase::closed, 0));
}

BOOST_AUTO_TEST_CASE(
  the_last_holder_of_a_revoked_slot_knows_that_it_is_the_last) {
  open();
  hold();
  hold();
  s.set_attention(true); // nobody is left to hand it over to
  BOOST_TEST(s.revoke(nullptr) == 2u);
  BOOST_TEST(is(s, phase::closing, 2));
  BOOST_TEST((s.give_back(noon) == slot::given::revoked));
  BOOST_TEST((s.give_back(noon) == slot::given::revoked_last));
  BOOST_TEST(is(s, phase::closing, 0));
}

BOOST_AUTO_TEST_CASE(a_revoked_slot_cannot_be_held_or_taken) {
  open();
  hold();
  auto seen = s.word();
  s.revoke(nullptr);
  BOOST_TEST(!s.try_hold(seen));
  BOOST_TEST(!s.try_take(s.word()));
  s.give_back(noon);
  BOOST_TEST(!s.try_take(s.word()));
}

BOOST_AUTO_TEST_CASE(what_keeps_a_revoked_slot_is_let_go_by_forget) {
  open();
  hold();
  auto keep = std::make_shared<int>(1);
  std::weak_ptr<int> alive = keep;
  s.revoke(std::move(keep));
  BOOST_TEST((s.give_back(noon) == slot::given::revoked_last));
  BOOST_TEST(!alive.expired());
  s.forget();
  BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE(a_slot_may_be_what_keeps_itself) {
  auto owned = std::make_shared<slot>();
  owned->begin_open(1, "", noon);
  owned->opened(&thing, noon, 1, false);
  auto* bare = owned.get();
  std::weak_ptr<slot> alive = owned;
  bare->revoke(std::move(owned));
  BOOST_TEST(!alive.expired());
  BOOST_TEST((bare->give_back(noon) == slot::given::revoked_last));
  bare->forget();
  BOOST_TEST(alive.expired());
}

// -- tags ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(equal_params_have_equal_tags) {
  std::string a = "host=a";
  std::string b = "host=";
  b += 'a';
  BOOST_TEST(tag_of(a) == tag_of(b));
  BOOST_TEST(tag_of(a) != tag_of("host=b"));
  BOOST_TEST(tag_of("") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
