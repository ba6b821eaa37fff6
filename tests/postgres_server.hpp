#pragma once

// A PostgreSQL server of one's own for tests: in a temporary directory, on a
// Unix socket, gone with the object. Or that of STEWARD_TEST_PG_URL, in which
// only a schema of one's own is used.

#include <steward/tests/waiting.hpp>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace record_test {

/// Runs programs as somebody who is not root: a server refuses to be.
class unprivileged {
public:
  unprivileged() {
    if (::geteuid() != 0)
      return;
    auto* who = ::getpwnam("postgres");
    if (who == nullptr)
      who = ::getpwnam("nobody");
    if (who == nullptr)
      throw std::runtime_error{"there is nobody to run a server as"};
    uid_ = who->pw_uid;
    gid_ = who->pw_gid;
  }

  /// Starts a program; its output goes to the end of `log`. It dies with the
  /// thread that started it.
  pid_t start(const std::vector<std::string>& words,
              const std::string& log) const {
    auto child = ::fork();
    if (child != 0)
      return child;
    auto out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::closefrom(3);
    if (uid_ != 0
        && (::setgroups(0, nullptr) != 0 || ::setgid(gid_) != 0
            || ::setuid(uid_) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    std::vector<char*> args;
    for (auto& word : words)
      args.push_back(const_cast<char*>(word.c_str()));
    args.push_back(nullptr);
    ::execv(args[0], args.data());
    ::_exit(127);
  }

  void run(const std::vector<std::string>& words,
           const std::string& log) const {
    int status = 0;
    ::waitpid(start(words, log), &status, 0);
    if (status != 0) {
      std::ifstream in{log};
      throw std::runtime_error{
        words[0]
        + " failed: " + std::string{std::istreambuf_iterator<char>{in}, {}}};
    }
  }

  void give(const std::filesystem::path& path) const {
    if (uid_ != 0 && ::chown(path.c_str(), uid_, gid_) != 0)
      throw std::runtime_error{"cannot give away " + path.string()};
  }

private:
  uid_t uid_ = 0;
  gid_t gid_ = 0;
};

/// The newest server of Debian's that is installed.
inline std::optional<std::filesystem::path> postgres_programs() {
  namespace fs = std::filesystem;
  std::error_code none;
  std::optional<fs::path> best;
  int newest = 0;
  for (auto& entry : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    auto version = std::atoi(entry.path().filename().c_str());
    if (version > newest && fs::exists(entry.path() / "bin" / "initdb")) {
      newest = version;
      best = entry.path() / "bin";
    }
  }
  return best;
}

class postgres_server {
public:
  /// Makes a cluster and starts it. `settings` are lines of its configuration.
  explicit postgres_server(const std::string& settings = {}) {
    auto programs = postgres_programs();
    if (!programs)
      throw std::runtime_error{"there is no PostgreSQL: install postgresql"};
    programs_ = *programs;
    auto pattern
      = (std::filesystem::temp_directory_path() / "stpg-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error{"cannot make " + pattern};
    folder_ = pattern;
    who_.give(folder_);
    who_.run({(programs_ / "initdb").string(), "-D", data(), "-U", "steward",
              "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"},
             log());
    std::ofstream{data() + "/postgresql.conf", std::ios::app}
      << "listen_addresses = ''\nunix_socket_directories = '"
      << folder_.string() << "'\nmax_connections = 60\nshared_buffers = 32MB\n"
      << "log_min_messages = fatal\n"
      << settings;
    start();
  }

  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  ~postgres_server() {
    kill(SIGQUIT);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Starts the server and waits until it listens. Where what is left of an
  /// earlier one is in the way, it tries again.
  void start() {
    using namespace std::chrono_literals;
    auto until = std::chrono::steady_clock::now() + 60s;
    changes_in_folder changes{data()};
    do {
      changes.forget();
      if (pid_ <= 0 || ::waitpid(pid_, nullptr, WNOHANG) == pid_)
        pid_ = who_.start({(programs_ / "postgres").string(), "-D", data()},
                          log());
      if (is_ready())
        return;
      end_of_process ended{pid_};
      wait_for_news(std::array{changes.number(), ended.number()}, 5s);
    } while (std::chrono::steady_clock::now() < until);
    throw std::runtime_error{"the server does not start; see " + log()};
  }

  /// Ends the server in one of its ways, and waits for it.
  void kill(int signal) {
    if (pid_ <= 0)
      return;
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
  }

  /// The postmaster and all its backends, at once, as by a power cut of theirs.
  void kill_all() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGSTOP); // it would replace those that go first
    for (auto child : children())
      ::kill(child, SIGKILL);
    kill(SIGKILL);
  }

  /// Processes of the server, backends among them.
  std::vector<pid_t> children() const {
    std::vector<pid_t> result;
    std::ifstream in{"/proc/" + std::to_string(pid_) + "/task/"
                     + std::to_string(pid_) + "/children"};
    for (pid_t child = 0; in >> child;)
      result.push_back(child);
    return result;
  }

  std::string url(const std::string& database = "postgres") const {
    return "postgresql://steward@/" + database + "?host=" + folder_.string();
  }

  const std::filesystem::path& folder() const {
    return folder_;
  }

  const unprivileged& user() const {
    return who_;
  }

private:
  std::string data() const {
    return (folder_ / "data").string();
  }

  std::string log() const {
    return (folder_ / "log").string();
  }

  // The line in its lock file says so; nothing need be linked to ask.
  bool is_ready() const {
    std::ifstream in{data() + "/postmaster.pid"};
    std::string line;
    for (int i = 0; i < 8 && std::getline(in, line); ++i)
      if (i == 0 && line != std::to_string(pid_))
        return false;
    return line.starts_with("ready");
  }

  std::filesystem::path programs_;
  std::filesystem::path folder_;
  unprivileged who_;
  pid_t pid_ = -1;
};

/// Where tests may work: a database of a server of their own, made once for a
/// program, or what the environment names.
inline std::string postgres_url() {
  if (auto* from_outside = std::getenv("STEWARD_TEST_PG_URL");
      from_outside != nullptr)
    return from_outside;
  static postgres_server server;
  return server.url();
}

} // namespace record_test
