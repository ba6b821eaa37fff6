#pragma once

#include <steward/apps/command_line.hpp>

namespace steward {

/// Runs `steward replay` and returns the exit status. @pre `catch_interrupts`
/// was called. Throws `usage_error`, `unusable_input` (status 2) and other
/// exceptions (status 1), each with one line to tell.
int run_replay(replay_arguments arguments);

} // namespace steward
