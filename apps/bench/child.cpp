#include <steward/apps/bench/child.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace steward::bench {
namespace {

using steady = std::chrono::steady_clock;

class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_(fd) {
  }

  descriptor(descriptor&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {
  }

  descriptor& operator=(descriptor&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }

  ~descriptor() {
    close();
  }

  int get() const noexcept {
    return fd_;
  }

  void close() noexcept {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

private:
  int fd_;
};

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error{std::string{what} + ": " + std::strerror(errno)};
}

std::pair<descriptor, descriptor> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    fail("cannot make a pipe");
  return {descriptor{ends[0]}, descriptor{ends[1]}};
}

// Only what may be done between fork and exec.
[[noreturn]] void become(char* const* words, int out, int err, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGPIPE, SIG_DFL);
  auto in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (::getppid() == parent)
    ::execvp(words[0], words);
  ::_exit(127);
}

// Whether there can be more.
bool read_some(descriptor& from, std::string& to) {
  std::array<char, 4096> bytes{};
  auto n = ::read(from.get(), bytes.data(), bytes.size());
  if (n > 0)
    to.append(bytes.data(), static_cast<std::size_t>(n));
  else if (n == 0 || errno != EINTR)
    from.close();
  return from.get() >= 0;
}

void read_all(descriptor& out, descriptor& err, pid_t child,
              const std::atomic<bool>& stop, steady::time_point end,
              child_outcome& result) {
  constexpr int look_around_ms = 50;
  auto told = false;
  while (out.get() >= 0 || err.get() >= 0) {
    if (stop && !std::exchange(told, true))
      ::kill(child, SIGINT);
    if (steady::now() > end && !std::exchange(result.timed_out, true))
      ::kill(-child, SIGKILL);
    std::array<pollfd, 2> ready{
      {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), look_around_ms) <= 0)
      continue;
    if (ready[0].revents != 0)
      read_some(out, result.out);
    if (ready[1].revents != 0)
      read_some(err, result.err);
  }
}

} // namespace

child_outcome run_child(const std::vector<std::string>& words,
                        const std::atomic<bool>& stop,
                        std::chrono::seconds patience) {
  auto [out, out_end] = make_pipe();
  auto [err, err_end] = make_pipe();
  auto copies = words;
  std::vector<char*> arguments;
  for (auto& word : copies)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  auto parent = ::getpid();
  auto child = ::fork();
  if (child < 0)
    fail("cannot start a process");
  if (child == 0)
    become(arguments.data(), out_end.get(), err_end.get(), parent);
  out_end.close();
  err_end.close();
  child_outcome result;
  read_all(out, err, child, stop, steady::now() + patience, result);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status)
                                    : 128 + WTERMSIG(status);
  return result;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> result;
  std::string word;
  for (auto c : text + ' ') {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      result.push_back(std::move(word));
      word.clear();
    }
  }
  return result;
}

} // namespace steward::bench
