#pragma once

#include <steward/apps/bench/bench_arguments.hpp>

namespace steward::bench {

/// Runs `steward bench` and returns the exit status. @pre `catch_interrupts`
/// was called. Throws `unusable_run` (status 2) and other exceptions (status
/// 1), each with one line to tell.
int run_bench(const bench_arguments& arguments);

} // namespace steward::bench
