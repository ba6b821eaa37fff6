// The word of a slot, under users and supervisor, in every interleaving; and
// wrong words, each of which must be found out.
#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/slot_programs.hpp>
#include <steward/tests/stepper/wrong_slots.hpp>

#include <string>
#include <string_view>
#include <type_traits>

using namespace stepper;

// What is explored here is what is shipped, but for this.
static_assert(std::is_same_v<steward::atomic<int>, stepper::atomic<int>>);

namespace {

template <template <class> class Program, class Slot, class... Args>
void check_found(std::string_view what, const char* broken, Args... args) {
  auto found = explore<Program<Slot>>(what, reduced, args...);
  check_broken(found, broken);
  BOOST_TEST((explore<Program<slot>>({}, reduced, args...).proved()), what);
}

} // namespace

BOOST_AUTO_TEST_SUITE(step_slot)

// -- the real one -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(users_never_get_in_each_others_way) {
  using program = users_only<slot>;
  check_proved(explore<program>("2 users, twice", reduced, 2, 2, 1, 0s),
               {"turned away", "lost a race", "as many as may share"});
  check_proved(explore<program>("2 users share, twice", reduced, 2, 2, 2, 0s),
               {"lost a race", "as many as may share"});
  check_proved(explore<program>("3 users", reduced, 3, 1, 1, 0s),
               {"lost a race", "as many as may share"});
  check_proved(explore<program>("3 users, 2 share", reduced, 3, 1, 2, 0s),
               {"lost a race", "as many as may share"});
  check_proved(explore<program>("3 users share", reduced, 3, 1, 3, 0s),
               {"lost a race", "as many as may share"});
}

BOOST_AUTO_TEST_CASE(the_end_of_the_last_use_is_what_counts) {
  using program = users_only<slot>;
  check_proved(explore<program>("2 users share, stamps", reduced, 2, 1, 2, 1s),
               {"came back"});
  check_proved(explore<program>("3 users, stamps", reduced, 3, 1, 1, 1s),
               {"came back"});
}

BOOST_AUTO_TEST_CASE(what_is_closed_was_idle_since_it_was_seen) {
  using program = users_and_closer<slot>;
  check_proved(explore<program>("closer, 1 user twice", reduced, 1, 2, 1, 2),
               {"taken", "not taken", "turned away", "lost a race"});
  check_proved(explore<program>("closer, 2 users", reduced, 2, 1, 1, 1),
               {"taken", "not taken", "turned away", "lost a race"});
  check_proved(explore<program>("closer, 2 users share", reduced, 2, 1, 2, 1),
               {"taken", "not taken", "as many as may share"});
}

BOOST_AUTO_TEST_CASE(who_waits_gets_what_comes_back_and_nobody_overtakes) {
  using program = users_and_waiter<slot>;
  using enum reopens;
  check_proved(explore<program>("waiter, 1 user twice", reduced, 1, 2, never),
               {"found free", "handed over", "turned away", "lost a race"});
  check_proved(explore<program>("waiter, 2 users", reduced, 2, 1, never),
               {"found free", "handed over", "turned away", "lost a race"});
  check_proved(explore<program>("waiter, reopened", reduced, 2, 1,
                                with_attention),
               {"found free", "handed over", "turned away", "lost a race"});
  check_broken(explore<program>("reopened without", reduced, 1, 1, without),
               "nobody borrows past attention");
}

BOOST_AUTO_TEST_CASE(what_comes_back_too_late_for_a_waiter_is_dropped) {
  using program = users_and_late_drops<slot>;
  check_proved(explore<program>("late drops, 2 users", reduced, 2, 1),
               {"handed over", "came back", "turned away"});
}

BOOST_AUTO_TEST_CASE(the_last_sharer_leaves_it_to_be_closed) {
  using program = sharers_and_closer<slot>;
  check_proved(explore<program>("2 sharers, then closed", reduced, 2),
               {"handed over", "came back", "turned away"});
}

BOOST_AUTO_TEST_CASE(the_last_holder_of_what_was_revoked_frees_it) {
  using program = revoked_under_users<slot>;
  check_proved(explore<program>("revoke, 2 holders", reduced, 2, false),
               {"nobody had it", "came back before", "came back after the end",
                "came back as the last"});
  check_proved(explore<program>("revoke, 2 holders, wanted", reduced, 2, true),
               {"handed over", "came back after the end",
                "came back as the last"});
}

BOOST_AUTO_TEST_CASE(the_reduced_search_leaves_nothing_out_here_either) {
  auto check_same = [](const findings& few, const findings& all) {
    BOOST_TEST(few.proved());
    BOOST_TEST(all.proved());
    BOOST_TEST(few.ends == all.ends, boost::test_tools::per_element());
    BOOST_TEST(few.reached == all.reached, boost::test_tools::per_element());
    BOOST_TEST(few.runs < all.runs);
  };
  check_same(explore<users_only<slot>>("2 share", reduced, 2, 1, 2, 0s),
             explore<users_only<slot>>("2 share", everything, 2, 1, 2, 0s));
  check_same(explore<users_and_closer<slot>>("closer", reduced, 1, 1, 1, 1),
             explore<users_and_closer<slot>>("closer", everything, 1, 1, 1, 1));
  using waiter = users_and_waiter<slot>;
  check_same(explore<waiter>("waiter", reduced, 1, 1, reopens::never),
             explore<waiter>("waiter", everything, 1, 1, reopens::never));
}

// -- wrong ones ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_wrong_borrow_is_found) {
  check_found<users_only, wrong::holds_by_load_and_store>(
    "held by load and store", "data race: reads what another writes", 2, 1, 1,
    0s);
  check_found<users_and_waiter, wrong::holds_whatever_happened>(
    "held past attention", "nobody borrows past attention", 1, 1,
    reopens::never);
  check_found<users_and_closer, wrong::holds_without_counting>(
    "held without counting", "I5: not used since it was seen", 1, 1, 1, 1);
  check_found<users_and_closer, wrong::holds_whatever_happened>(
    "held after the close", "I3: no use after close", 1, 1, 1, 1);
  check_found<users_only, wrong::holds_without_acquire>(
    "held without acquire", "data race: reads what another writes", 2, 1, 1,
    0s);
}

BOOST_AUTO_TEST_CASE(a_wrong_return_is_found) {
  check_found<users_only, wrong::returns_by_load_and_store>(
    "returned by load and store", "the generation counts borrows and opens", 2,
    1, 2, 0s);
  check_found<users_and_waiter, wrong::returns_past_attention>(
    "returned past attention", "I7: who waits hears of what comes back", 1, 1,
    reopens::never);
  check_found<users_and_closer, wrong::returns_before_it_stamps>(
    "returned before it is stamped", "I5: who finds no holder finds the stamp",
    1, 1, 1, 1);
  check_found<users_only, wrong::returns_without_release>(
    "returned without release", "data race: reads what another writes", 2, 1, 1,
    0s);
  check_found<users_only, wrong::stamps_by_load_and_store>(
    "stamped by load and store", "the latest end counts", 2, 1, 2, 1s);
  check_found<users_and_late_drops, wrong::drops_by_load_and_store>(
    "dropped by load and store", "all came back", 2, 1);
}

BOOST_AUTO_TEST_CASE(a_wrong_take_is_found) {
  check_found<users_and_closer, wrong::takes_what_is_held>(
    "taken while held", "data race: writes what another writes", 1, 1, 1, 1);
  check_found<users_and_closer, wrong::takes_what_was_used_since>(
    "taken though used since", "I5: not used since it was seen", 1, 1, 1, 1);
  check_found<users_and_closer, wrong::takes_by_load_and_store>(
    "taken by load and store", "data race: writes what another writes", 1, 1, 1,
    1);
  check_found<revoked_under_users, wrong::revokes_by_load_and_store>(
    "revoked by load and store", "I11: the last holder lets go of the memory",
    2, false);
  check_found<revoked_under_users, wrong::revokes_what_it_does_not_keep>(
    "revoked without keeping it", "use of something that is gone", 2, false);
}

// Of what a wrong slot can break the search reports what it finds first. These
// two come later.
BOOST_AUTO_TEST_CASE(what_is_not_found_first_is_noticed_too) {
  auto taken_in_use = replay("001111", [](run& r) {
    r.keep(std::make_shared<users_and_closer<wrong::takes_what_is_held>>(
      r, 1, 1, 1, 1));
  });
  BOOST_TEST(taken_in_use.failure == "I4: never closed while held");
  auto held_twice = replay("001110", [](run& r) {
    r.keep(std::make_shared<users_only<wrong::holds_by_load_and_store>>(r, 2, 1,
                                                                        1, 0s));
  });
  BOOST_TEST(held_twice.failure == "never more holders than may share");
}

BOOST_AUTO_TEST_SUITE_END()
