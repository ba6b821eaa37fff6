#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/// An interactive program that is asked by line, at the head of a process group
/// of its own. Its real parent is a guard in the same group, who sees the end
/// of a pipe when this process dies, and kills the group. One thread at a time.
class child_process {
public:
  /// Starts `command` in a shell. Throws `std::system_error`.
  explicit child_process(const std::string& command) {
    auto [in_read, in_write] = make_pipe();
    auto [out_read, out_write] = make_pipe();
    auto [life_read, life_write] = make_pipe();
    group_ = fork();
    if (group_ == 0)
      be_guard(command.c_str(), in_read, out_write, life_read);
    auto error = errno;
    for (int fd : {in_read, out_write, life_read})
      close(fd);
    to_ = in_write;
    from_ = out_read;
    life_ = life_write;
    if (group_ < 0) {
      close_all();
      throw std::system_error{error, std::generic_category(), "fork"};
    }
    // Both do it, so that it is done whoever runs first.
    setpgid(group_, group_);
  }

  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  ~child_process() {
    kill_group();
  }

  pid_t group() const noexcept {
    return group_;
  }

  bool running() const noexcept {
    pollfd p{from_, 0, 0};
    return reaped_ == false && poll(&p, 1, 0) >= 0
           && (p.revents & (POLLHUP | POLLERR)) == 0;
  }

  /// Sends a line and returns the first line of the answer. Throws after 10 s,
  /// or if the program has ended.
  std::string ask(const std::string& line) {
    auto text = line + '\n';
    if (write(to_, text.data(), text.size())
        != static_cast<ssize_t>(text.size()))
      throw std::system_error{errno, std::generic_category(), "write"};
    std::string answer;
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    for (;;) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
      pollfd p{from_, POLLIN, 0};
      char c = 0;
      if (left.count() <= 0 || poll(&p, 1, static_cast<int>(left.count())) <= 0
          || read(from_, &c, 1) != 1)
        throw std::runtime_error{"the program does not answer"};
      if (c == '\n')
        return answer;
      answer += c;
    }
  }

  /// Kills the program and all that it started. Blocks until the guard is gone.
  void kill_group() noexcept {
    if (std::exchange(reaped_, true))
      return;
    kill(-group_, SIGKILL);
    waitpid(group_, nullptr, 0);
    close_all();
  }

  /// Waits until no process of `group` is left; false if that takes too long.
  static bool wait_gone(pid_t group, std::chrono::nanoseconds patience) {
    auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      while (waitpid(-group, nullptr, WNOHANG) > 0) {
        // An orphan that came to us.
      }
      if (kill(-group, 0) != 0 && errno == ESRCH)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
  }

private:
  static std::pair<int, int> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::system_error{errno, std::generic_category(), "pipe"};
    return {ends[0], ends[1]};
  }

  // Between fork and exec of a program with threads: only what is safe in a
  // signal handler.
  [[noreturn]] static void be_guard(const char* command, int in, int out,
                                    int life) noexcept {
    setpgid(0, 0);
    auto program = fork();
    if (program == 0) {
      dup2(in, STDIN_FILENO);
      dup2(out, STDOUT_FILENO);
      execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
      _exit(127);
    }
    // The guard must not keep any pipe open but its own: who reads from the
    // program, or from another guard's pipe, waits for the end of it.
    for (int fd = 3; fd < 1024; ++fd)
      if (fd != life)
        close(fd);
    char nothing = 0;
    while (read(life, &nothing, 1) < 0 && errno == EINTR) {
      // again
    }
    kill(0, SIGKILL);
    _exit(0);
  }

  void close_all() noexcept {
    for (int* fd : {&to_, &from_, &life_})
      if (*fd >= 0)
        close(std::exchange(*fd, -1));
  }

  pid_t group_ = -1;
  int to_ = -1;
  int from_ = -1;
  int life_ = -1; // its other end tells the guard that we are alive
  bool reaped_ = false;
};
