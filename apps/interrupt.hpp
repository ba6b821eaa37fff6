#pragma once

#include <atomic>

namespace steward {

/// From now on the first SIGINT or SIGTERM sets `interrupted()`, and a second
/// one ends the process at once with 128 + its number. Call it once, before
/// there are other threads.
void catch_interrupts();

/// Whether a signal asked the program to come to an end.
const std::atomic<bool>& interrupted();

/// The signal that did; 0 if none.
int interrupt_signal();

} // namespace steward
