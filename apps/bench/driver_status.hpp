#pragma once

namespace steward::bench {

/// Exit statuses of a driver, besides 0 and those of a signal.
enum driver_status : int {
  driver_failed = 1,
  driver_words_unusable = 2,
  driver_cannot_run = 3, ///< this driver has no such workload
};

} // namespace steward::bench
