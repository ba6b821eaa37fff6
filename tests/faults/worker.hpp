#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace faults {

/// The variable of its environment in which a worker finds where records are.
inline constexpr const char* worker_url = "STEWARD_FAULTS_URL";

/// What a client process does.
struct work {
  std::string url;
  std::string history; ///< the file that gets what it did
  std::string name;    ///< no other process, at no time, has it
  std::size_t clients = 8;
  std::chrono::milliseconds deadline{2000};
  std::string planted; ///< a bug, or nothing
};

/// Plants a bug in this process; none if there is none of this name.
void plant_bug(const std::string& name);

/// Asks for names, together with all other workers, until SIGTERM. Every line
/// of its history is written before the operation begins. Returns the status.
int run_worker(const work& what);

} // namespace faults
