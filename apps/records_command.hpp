#pragma once

#include <steward/apps/records_line.hpp>

namespace steward {

/// Runs `steward records` and returns the exit status. Throws exceptions with
/// one line to tell, in which no password is.
int run_records(const records_arguments& arguments);

} // namespace steward
