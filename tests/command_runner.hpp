#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef STEWARD_COMMAND
#  define STEWARD_COMMAND ""
#endif

namespace steward::test {

/// How a run of the `steward` command ended.
struct outcome {
  int status = -1; ///< 128 + n if signal n killed it
  std::string out;
  std::string err;
  long memory_max_kb = 0; ///< resident
};

/// What standard output is for the command.
enum class stdout_as {
  file,
  closed,  ///< not there at all
  full,    ///< every write fails
  hung_up, ///< a pipe that nobody reads
};

/// The program under test.
inline std::string command_path() {
  const auto* from_outside = std::getenv("STEWARD_COMMAND");
  return from_outside != nullptr ? from_outside : STEWARD_COMMAND;
}

/// For a child only: becomes the command.
[[noreturn]] inline void become(std::vector<std::string> args) {
  auto program = command_path();
  std::vector<char*> words{program.data()};
  for (auto& arg : args)
    words.push_back(arg.data());
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  ::_exit(127);
}

/// What is known of a child that ended; its output is yet to be read.
inline outcome wait_for_end(pid_t child) {
  int status = 0;
  rusage used{};
  while (::wait4(child, &status, 0, &used) < 0)
    BOOST_REQUIRE(errno == EINTR);
  outcome result;
  result.status = WIFEXITED(status) ? WEXITSTATUS(status)
                                    : 128 + WTERMSIG(status);
  result.memory_max_kb = used.ru_maxrss;
  return result;
}

/// A folder for files of one test, gone after it.
class scratch_folder {
public:
  scratch_folder() {
    auto pattern
      = (std::filesystem::temp_directory_path() / "steward-cli-XXXXXX")
          .string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }

  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  const std::filesystem::path& folder() const {
    return folder_;
  }

  std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream{path(name), std::ios::binary} << bytes;
  }

  std::string read(const std::string& name) const {
    std::ifstream in{path(name), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// Runs the command in this folder to its end.
  outcome run(const std::vector<std::string>& args,
              const std::string& input = {},
              stdout_as where = stdout_as::file) const {
    scratch_folder streams;
    streams.write("in", input);
    auto child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      redirect(streams, where);
      if (::chdir(folder_.c_str()) != 0)
        ::_exit(126);
      become(args);
    }
    auto result = wait_for_end(child);
    result.out = streams.read("out");
    result.err = streams.read("err");
    return result;
  }

private:
  static void redirect(const scratch_folder& streams, stdout_as where) {
    constexpr auto flags = O_WRONLY | O_CREAT | O_TRUNC;
    auto out = ::open(where == stdout_as::full ? "/dev/full"
                                               : streams.path("out").c_str(),
                      flags, 0600);
    std::array<int, 2> ends{};
    if (where == stdout_as::hung_up && ::pipe(ends.data()) == 0) {
      ::close(ends[0]);
      out = ends[1];
    }
    ::dup2(::open(streams.path("in").c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(::open(streams.path("err").c_str(), flags, 0600), STDERR_FILENO);
    if (where == stdout_as::closed)
      ::close(STDOUT_FILENO);
  }

  std::filesystem::path folder_;
};

/// The command while it runs, with a pipe as its standard input.
class running_command {
public:
  running_command(const std::filesystem::path& folder,
                  const std::vector<std::string>& args) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0) {
      constexpr auto flags = O_WRONLY | O_CREAT | O_TRUNC;
      ::dup2(ends[0], STDIN_FILENO);
      ::dup2(::open(streams_.path("out").c_str(), flags, 0600), STDOUT_FILENO);
      ::dup2(::open(streams_.path("err").c_str(), flags, 0600), STDERR_FILENO);
      if (::chdir(folder.c_str()) != 0)
        ::_exit(126);
      become(args);
    }
    ::close(ends[0]);
    input_ = ends[1];
  }

  running_command(const running_command&) = delete;
  running_command& operator=(const running_command&) = delete;

  ~running_command() {
    ::close(input_);
  }

  void feed(const std::string& bytes) const {
    auto n = ::write(input_, bytes.data(), bytes.size());
    BOOST_REQUIRE(n == static_cast<ssize_t>(bytes.size()));
  }

  void send(int signal) const {
    BOOST_REQUIRE(::kill(child_, signal) == 0);
  }

  outcome wait() const {
    auto result = wait_for_end(child_);
    result.out = streams_.read("out");
    result.err = streams_.read("err");
    return result;
  }

private:
  scratch_folder streams_;
  pid_t child_ = -1;
  int input_ = -1;
};

/// The command on a terminal of its own.
class terminal_command {
public:
  terminal_command(const std::filesystem::path& folder, unsigned short columns,
                   const std::vector<std::string>& args) {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 24;
    child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::setenv("TERM", "xterm", 1);
      if (::chdir(folder.c_str()) != 0)
        ::_exit(126);
      become(args);
    }
  }

  terminal_command(const terminal_command&) = delete;
  terminal_command& operator=(const terminal_command&) = delete;

  ~terminal_command() {
    ::close(terminal_);
  }

  /// Reads until `text` was shown; false if the command ends without it.
  bool wait_for(const std::string& text) {
    while (shown_.find(text) == std::string::npos)
      if (!read_more())
        return false;
    return true;
  }

  void type(char key) const {
    BOOST_REQUIRE(::write(terminal_, &key, 1) == 1);
  }

  /// Everything that was shown is in `out`.
  outcome wait() {
    while (read_more()) {
    }
    auto result = wait_for_end(child_);
    result.out = shown_;
    return result;
  }

private:
  bool read_more() {
    std::array<char, 4096> bytes{};
    auto n = ::read(terminal_, bytes.data(), bytes.size());
    if (n > 0)
      shown_.append(bytes.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

  pid_t child_ = -1;
  int terminal_ = -1;
  std::string shown_;
};

/// The longest text between a return to the first column and what wipes the
/// rest of the line.
inline std::size_t longest_drawn(const std::string& shown) {
  std::size_t longest = 0;
  for (auto end = shown.find("\x1b[K"); end != std::string::npos;
       end = shown.find("\x1b[K", end + 1)) {
    auto begin = shown.rfind('\r', end);
    if (begin != std::string::npos)
      longest = std::max(longest, end - begin - 1);
  }
  return longest;
}

} // namespace steward::test
