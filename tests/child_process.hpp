#pragma once

// Real processes for tests: a fork that runs a function, tells its parent what
// it found in lines of text, and meets its sibling.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace record_test {

/// A pipe whose ends close by themselves.
class pipe_pair {
public:
  pipe_pair() {
    if (::pipe(ends_.data()) != 0)
      throw std::runtime_error{"cannot make a pipe"};
  }

  pipe_pair(const pipe_pair&) = delete;
  pipe_pair& operator=(const pipe_pair&) = delete;

  ~pipe_pair() {
    close_read();
    close_write();
  }

  void write_all(const std::string& bytes) const {
    for (std::size_t done = 0; done < bytes.size();) {
      auto n = ::write(ends_[1], bytes.data() + done, bytes.size() - done);
      if (n <= 0)
        throw std::runtime_error{"cannot write to a pipe"};
      done += static_cast<std::size_t>(n);
    }
  }

  /// Up to `max` bytes, as soon as there are any; none at the end.
  std::string read_some(std::size_t max = 65'536) const {
    constexpr int patience_ms = 30'000;
    pollfd waiting{ends_[0], POLLIN, 0};
    if (::poll(&waiting, 1, patience_ms) != 1)
      throw std::runtime_error{"nobody writes to the pipe"};
    std::string bytes(max, '\0');
    auto n = ::read(ends_[0], bytes.data(), max);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }

  void close_read() {
    close_end(ends_[0]);
  }

  void close_write() {
    close_end(ends_[1]);
  }

private:
  static void close_end(int& end) {
    if (end >= 0)
      ::close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

/// Where two processes wait for each other, as often as they like.
class meeting {
public:
  /// Returns when the other side (0 or 1) is here, too.
  void arrive(int side) {
    auto& mine = side == 0 ? to_second_ : to_first_;
    auto& theirs = side == 0 ? to_first_ : to_second_;
    mine.write_all("x");
    if (theirs.read_some(1).empty())
      throw std::runtime_error{"the other process is gone"};
  }

private:
  pipe_pair to_first_;
  pipe_pair to_second_;
};

/// Runs `fun` in a process of its own; what it prints into the stream reaches
/// the parent. @pre the parent has no threads.
class child_process {
public:
  using function = std::function<void(const pipe_pair& out)>;

  explicit child_process(const function& fun) : pid_(::fork()) {
    if (pid_ != 0) {
      out_.close_write();
      return;
    }
    try {
      fun(out_);
    } catch (const std::exception& x) {
      out_.write_all(std::string{"error "} + x.what() + "\n");
      ::_exit(1);
    }
    ::_exit(0);
  }

  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  ~child_process() {
    kill();
    wait();
  }

  /// The next bytes; none at the end.
  std::string read_some() {
    return out_.read_some();
  }

  /// All that it has still to say, by line.
  std::vector<std::string> lines() {
    std::string all;
    for (auto part = out_.read_some(); !part.empty(); part = out_.read_some())
      all += part;
    std::vector<std::string> result;
    std::istringstream in{all};
    for (std::string line; std::getline(in, line);)
      result.push_back(line);
    return result;
  }

  void kill() {
    signal(SIGKILL);
  }

  void signal(int which) {
    if (pid_ > 0)
      ::kill(pid_, which);
  }

  /// Its exit code; -1 if it was killed or has been waited for.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0)
      return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  pipe_pair out_;
  pid_t pid_;
};

} // namespace record_test
