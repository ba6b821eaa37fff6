#pragma once

#include <filesystem>

namespace faults {

/// A folder of this program in which all of its temporary files lie: it becomes
/// what TMPDIR names. Gone with the object; what is left of programs that were
/// killed, mounts included, goes when the next one starts.
class workplace {
public:
  workplace();

  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;

  ~workplace();

private:
  std::filesystem::path folder_;
  int lock_ = -1; // held as long as we live, and no longer
};

} // namespace faults
