// Loaded into a client before the C library, or part of a test: makes a disk
// that fails, and one that keeps only what was synced. STEWARD_FAULTY_IO names a
// file of one byte that says what happens now: 'e' fsync fails, 'h' it hangs,
// 'f' no space, 'r' read-only.
// STEWARD_SHADOW names a folder that gets what a power cut would leave.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

template <class Fun>
Fun real(const char* name) {
  return reinterpret_cast<Fun>(::dlsym(RTLD_NEXT, name));
}

// Only the database, its log and its journal.
bool is_database(const std::string& path) {
  return path.find("records.db") != path.npos && path.find("-shm") == path.npos;
}

std::string path_of(int fd) {
  char link[64];
  char path[1024];
  ::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  auto n = ::readlink(link, path, sizeof path);
  return n > 0 ? std::string{path, static_cast<std::size_t>(n)} : std::string{};
}

char mode() {
  static const volatile char* byte = [] {
    auto* name = std::getenv("STEWARD_FAULTY_IO");
    auto fd = name == nullptr ? -1 : ::open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return static_cast<const volatile char*>(nullptr);
    auto* at = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd, 0);
    return static_cast<const volatile char*>(at);
  }();
  return byte == nullptr ? '-' : *byte;
}

// What was written since the last sync, by file; then it goes to the shadow.
class shadow {
public:
  static shadow& get() {
    static auto* one = new shadow;
    return *one;
  }

  void wrote(const std::string& path, off_t at, std::size_t size) {
    std::lock_guard lock{guard_};
    if (!folder_.empty())
      dirty_[path].emplace_back(at, size);
  }

  void synced(int fd, const std::string& path) {
    std::lock_guard lock{guard_};
    if (folder_.empty())
      return;
    auto to = folder_ + path.substr(path.rfind('/'));
    auto out = ::open(to.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    static auto write
      = real<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite64");
    std::vector<char> bytes;
    struct stat info {};
    auto known = ::fstat(fd, &info) == 0;
    // What others wrote before us is synced with the first sync of ours.
    if (known && seen_.insert(path).second)
      dirty_[path] = {{0, static_cast<std::size_t>(info.st_size)}};
    for (auto [at, size] : dirty_[path]) {
      bytes.resize(size);
      auto n = ::pread(fd, bytes.data(), size, at);
      if (n > 0
          && write(out, bytes.data(), static_cast<std::size_t>(n), at) < 0)
        ::abort();
    }
    dirty_[path].clear();
    if (known && ::ftruncate(out, info.st_size) != 0)
      ::abort();
    ::close(out);
  }

  // A journal that is gone must not come back: it would undo what came after.
  void removed(const std::string& path) {
    std::lock_guard lock{guard_};
    if (!folder_.empty())
      real<int (*)(const char*)>("unlink")(
        (folder_ + path.substr(path.rfind('/'))).c_str());
  }

private:
  shadow() {
    if (auto* name = std::getenv("STEWARD_SHADOW"))
      folder_ = name;
  }

  std::mutex guard_;
  std::string folder_;
  std::map<std::string, std::vector<std::pair<off_t, std::size_t>>> dirty_;
  std::set<std::string> seen_; // which were synced here
};

int fail(int code) {
  errno = code;
  return -1;
}

template <class Fun>
ssize_t write_at(Fun fun, int fd, const void* data, std::size_t size,
                 off_t at) {
  auto path = path_of(fd);
  auto ours = is_database(path);
  if (ours && mode() == 'f')
    return fail(ENOSPC);
  if (ours && mode() == 'r')
    return fail(EROFS);
  auto n = fun(fd, data, size, at);
  if (ours && n > 0)
    shadow::get().wrote(path, at, static_cast<std::size_t>(n));
  return n;
}

int sync(const char* name, int fd) {
  auto path = path_of(fd);
  auto ours = is_database(path);
  if (ours && mode() == 'e')
    return fail(EIO);
  while (ours && mode() == 'h')
    ::usleep(2'000);
  auto code = real<int (*)(int)>(name)(fd);
  if (ours && code == 0)
    shadow::get().synced(fd, path);
  return code;
}

} // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* data, std::size_t size, off_t at) {
  static auto fun
    = real<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite64");
  return write_at(fun, fd, data, size, at);
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
  static auto fun
    = real<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite");
  return write_at(fun, fd, data, size, at);
}

int fsync(int fd) {
  return sync("fsync", fd);
}

int unlink(const char* path) {
  if (is_database(path) && path[0] == '/')
    shadow::get().removed(path);
  return real<int (*)(const char*)>("unlink")(path);
}

int fdatasync(int fd) {
  return sync("fdatasync", fd);
}
}
