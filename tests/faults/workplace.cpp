#include <steward/tests/faults/workplace.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace faults {

namespace {

namespace fs = std::filesystem;

constexpr const char* prefix = "faults-run-";

int open_folder(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// What is mounted in a folder, the innermost first.
std::vector<std::string> mounts_in(const fs::path& folder) {
  std::vector<std::string> result;
  std::ifstream in{"/proc/self/mounts"};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string device;
    std::string where;
    words >> device >> where;
    if (where.starts_with(folder.string() + "/"))
      result.insert(result.begin(), where);
  }
  return result;
}

void clear_away(const fs::path& folder) {
  for (auto& x : mounts_in(folder))
    ::umount2(x.c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

// Whoever still has the lock of his folder lives.
void remove_those_of_the_dead(const fs::path& all) {
  std::error_code ignored;
  for (auto& entry : fs::directory_iterator{all, ignored}) {
    if (!entry.path().filename().string().starts_with(prefix))
      continue;
    auto lock = open_folder(entry.path());
    if (lock < 0)
      continue;
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0)
      clear_away(entry.path());
    ::close(lock);
  }
}

} // namespace

workplace::workplace() {
  auto all = fs::temp_directory_path();
  // One at a time: a folder without its lock would look like that of a dead.
  auto turn = open_folder(all);
  ::flock(turn, LOCK_EX);
  remove_those_of_the_dead(all);
  auto pattern = (all / (std::string{prefix} + "XXXXXX")).string();
  auto made = ::mkdtemp(pattern.data()) != nullptr;
  folder_ = pattern;
  lock_ = made ? open_folder(folder_) : -1;
  auto ours = lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0;
  ::close(turn);
  if (!ours)
    throw std::runtime_error{"cannot make " + pattern};
  // A server that is not run by root has to get to its own.
  fs::permissions(folder_, fs::perms::group_exec | fs::perms::others_exec,
                  fs::perm_options::add);
  ::setenv("TMPDIR", folder_.c_str(), 1);
}

workplace::~workplace() {
  clear_away(folder_);
  ::close(lock_);
}

} // namespace faults
