#pragma once

// Waiting for what other processes do, by events and not by looking again and
// again.

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>

namespace record_test {

/// A descriptor that is closed with the object; none if negative.
class descriptor {
public:
  explicit descriptor(int number) : number_(number) {
  }

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }

  int number() const {
    return number_;
  }

private:
  int number_;
};

/// Whether one of them has news within `patience`; a negative one never has.
inline bool wait_for_news(std::span<const int> of,
                          std::chrono::milliseconds patience) {
  std::array<pollfd, 2> what{};
  auto count = std::min(of.size(), what.size());
  for (std::size_t i = 0; i < count; ++i)
    what[i] = {of[i], POLLIN, 0};
  return ::poll(what.data(), count, static_cast<int>(patience.count())) > 0;
}

/// Has news when a child of ours ends.
class end_of_process : public descriptor {
public:
  // The header of glibc 2.36 for it is not one for C++.
  explicit end_of_process(pid_t child)
    : descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))) {
  }
};

/// Has news when a file in a folder is made or written.
class changes_in_folder : public descriptor {
public:
  explicit changes_in_folder(const std::filesystem::path& folder)
    : descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (::inotify_add_watch(number(), folder.c_str(),
                            IN_CREATE | IN_MODIFY | IN_MOVED_TO)
        < 0)
      throw std::runtime_error{"cannot watch " + folder.string()};
  }

  /// Forgets the news so far.
  void forget() const {
    std::array<char, 4096> seen{};
    while (::read(number(), seen.data(), seen.size()) > 0) {
    }
  }
};

} // namespace record_test
