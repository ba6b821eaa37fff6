#pragma once

namespace steward::bench {

/// Runs steward as a driver: `WORKLOAD [OPTION VALUE]...`, see `parse_run`.
/// Prints one line of JSON and returns the exit status.
int drive_steward(int count, const char* const* words);

} // namespace steward::bench
