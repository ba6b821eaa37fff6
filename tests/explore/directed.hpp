#pragma once

// Short stories in which only the order of the steps is left to chance.

#include <steward/testkit.hpp>

namespace explored {

/// Who asks first is served first, whichever open ends first. // I7
void served_in_order(steward::testkit::world& w);

/// The same where what they wait for comes back from others. // I7
void passed_on_in_order(steward::testkit::world& w);

/// Time that nobody could use is not idle time. // I5
void sleep_is_not_idle(steward::testkit::world& w);

/// What is evicted while it is held goes when it comes back.
void evicted_on_return(steward::testkit::world& w);

/// A request ends at its deadline, however long the open takes. // I6
void answered_by_deadline(steward::testkit::world& w);

/// The budget may ask for what somebody begins to use; then it looks on. // I4
void asked_for_what_is_used(steward::testkit::world& w);

/// Who says that something is broken and dies is heard all the same. // I3
void broken_by_the_dying(steward::testkit::world& w);

/// A tick that comes again, perhaps behind the next one, is one tick. // I12
void tick_comes_again(steward::testkit::world& w);

/// The least recently used goes first where the pool is full.
void oldest_goes_first(steward::testkit::world& w);

/// Who was refused as all was in use finds what has come back since. // I7
void missed_and_back(steward::testkit::world& w);

/// A shutdown waits for who holds something, and not for who sleeps. // I11
void drained_in_its_sleep(steward::testkit::world& w);

/// What is old is closed at the first tick at which nobody holds it. // I5
void old_goes_in_time(steward::testkit::world& w);

} // namespace explored
