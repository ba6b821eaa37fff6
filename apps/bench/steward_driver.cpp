#include <steward/apps/bench/steward_driver.hpp>

#include <steward/apps/bench/driver.hpp>
#include <steward/apps/bench/steward_subject.hpp>
#include <steward/runtime/logging.hpp>

namespace steward::bench {

int drive_steward(int count, const char* const* words) {
  set_log_level(log_level::silent); // what goes wrong is said in one line
  return drive<steward_subject>(count, words);
}

} // namespace steward::bench
