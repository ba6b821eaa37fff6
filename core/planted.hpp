#pragma once

// Bugs that are planted on purpose, so that the tests can be tested: each must
// be found by the exploration of tests/explore. They exist in the test build
// alone; everywhere else STEWARD_PLANTED(x) is `false` and leaves nothing.

#ifdef STEWARD_PLANTED_BUGS

#  include <array>
#  include <string_view>

namespace steward::planted {

// Name, and what goes wrong.
#  define STEWARD_BUGS(X)                                                      \
    X(params_ignored, "what is lent was opened for others' params")            \
    X(limit_forgets_opening, "per_key_max does not count what is opening")     \
    X(limit_off_by_one, "one resource more than per_key_max")                  \
    X(permit_back_too_early, "total_max does not count what is closing")       \
    X(permit_lost, "a failed open keeps its permit")                           \
    X(permit_lost_asleep, "a failed open of a key that sleeps does so")        \
    X(unknown_to_budget, "what a key that sleeps opens never makes room")      \
    X(open_failure_lost, "nobody hears of a failed open")                      \
    X(late_open_kept, "what a late open brings is never closed")               \
    X(close_wakes_nobody, "who waits for room is not told of it")              \
    X(two_for_one, "one resource is lent to two who wait")                     \
    X(last_come_first_served, "who waits is served in the wrong order")        \
    X(grant_to_the_dead, "what is lent to who died meanwhile is lost")         \
    X(death_frees_nothing, "a dead holder's lease stays")                      \
    X(death_overtakes_release, "a dead holder's last word comes too late")     \
    X(deadline_rearmed, "a request's deadline is put off once")                \
    X(asked_then_taken, "what the budget asked for is taken though in use")    \
    X(refusal_not_told, "the budget never hears that something is in use")     \
    X(double_close, "what is idle is closed twice")                            \
    X(idle_since_open, "idle counts from the opening")                         \
    X(idle_too_early, "closed up to one tick before it is due")                \
    X(idle_too_late, "closed one tick after it is due")                        \
    X(old_too_early, "closed for its age one tick before it is due")           \
    X(old_too_late, "closed for its age one tick after it is due")             \
    X(lateness_counts, "time that nobody could use counts as idle")            \
    X(newest_goes_first, "a full key closes what was used last")               \
    X(missed_forgotten, "nobody is told that what was missed is idle")         \
    X(tick_counted_twice, "a tick that comes twice counts as two")             \
    X(anyone_releases, "who has no lease gives it back")                       \
    X(stale_release, "an old lease gives back another's")                      \
    X(doom_forgotten, "what was to be closed is lent again")                   \
    X(unhealthy_kept, "a broken resource is lent again")                       \
    X(overtakes_in_line, "who waits is overtaken by who wants something else") \
    X(doom_passed_on, "who waits gets what was to be closed")                  \
    X(check_not_asked, "an opener is not asked for what comes back")           \
    X(last_runner_first, "who gives back passes it on to the wrong one")       \
    X(line_forgotten, "who waits in a relay does not hear of his deadline")    \
    X(two_supervisors, "a key gets a second supervisor")                       \
    X(leaves_with_mail, "a supervisor leaves though a message comes")          \
    X(sleeps_with_mail, "a supervisor sleeps though a message comes")          \
    X(drain_drops_waiters, "a shutdown does not answer who waits")             \
    X(drain_leaves_open, "a shutdown forgets what is open")                    \
    X(sleepers_not_told, "a shutdown forgets what is held of keys that sleep") \
    X(never_rearmed, "after a tick the clock forgets who asked")               \
    X(ack_before_commit, "a row is promised that is not written")              \
    X(new_token_on_retry, "a retry no longer knows its own row")               \
    X(names_share_rows, "two names get one row")                               \
    X(conflict_is_error, "a lost race is reported as a failure")               \
    X(notes_dropped, "a failed write forgets its notes")

// The same that only a real database shows: the fault suite has to find them.
#  define STEWARD_DATABASE_BUGS(X)                                             \
    X(token_ignored, "who inserted nothing is told that another did")          \
    X(synchronous_off, "a commit is not flushed")                              \
    X(log_not_secured, "what was found unsynced is answered with")             \
    X(answer_before_commit, "the answer overtakes the commit")                 \
    X(commit_tag_ignored, "a COMMIT that rolled back passes for one")          \
    X(unsorted_batch, "batches take their locks in any order")                 \
    X(deadline_ignored, "who waits for a server waits as long as it takes")

enum class bug : unsigned char {
  none,
#  define STEWARD_BUG_NAME(name, text) name,
  STEWARD_BUGS(STEWARD_BUG_NAME) STEWARD_DATABASE_BUGS(STEWARD_BUG_NAME)
#  undef STEWARD_BUG_NAME
};

struct description {
  bug which;
  std::string_view name;
  std::string_view text;
};

inline constexpr auto all = std::to_array<description>({
#  define STEWARD_BUG_LINE(name, text) {bug::name, #  name, text},
  STEWARD_BUGS(STEWARD_BUG_LINE)});

inline constexpr auto of_databases
  = std::to_array<description>({STEWARD_DATABASE_BUGS(STEWARD_BUG_LINE)
#  undef STEWARD_BUG_LINE
  });

/// The one that is active now, if any. Set between runs only.
inline bug active = bug::none;

} // namespace steward::planted

#  define STEWARD_PLANTED(name)                                                \
    (::steward::planted::active == ::steward::planted::bug::name)
#else
#  define STEWARD_PLANTED(name) false
#endif
