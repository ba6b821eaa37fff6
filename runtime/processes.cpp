#include <steward/runtime/processes.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <unistd.h>

namespace steward {

namespace {

std::string first_line_of(const char* path) {
  std::ifstream in{path};
  std::string line;
  std::getline(in, line);
  return line;
}

// One boot of one machine, and there one space of process numbers: containers
// of one machine may all have a process 1.
std::string this_host() {
  std::error_code none;
  auto boot = first_line_of("/proc/sys/kernel/random/boot_id");
  auto space = std::filesystem::read_symlink("/proc/self/ns/pid", none);
  return boot.empty() || none ? std::string{} : boot + "/" + space.string();
}

struct process_state {
  char state = '?';
  std::int64_t threads = 0;
  std::int64_t started = 0;
};

// None if there is no such process, or if we may not see it.
std::optional<process_state> look_at(std::int64_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  if (!std::getline(in, text))
    return std::nullopt;
  // The name comes in parentheses, and may have some itself.
  constexpr int fields_before_threads = 16; // after the state
  std::istringstream rest{text.substr(text.rfind(')') + 1)};
  process_state result;
  rest >> result.state;
  std::string skipped;
  for (int i = 0; i < fields_before_threads; ++i)
    rest >> skipped;
  rest >> result.threads >> skipped >> result.started;
  return rest ? std::optional{result} : std::nullopt;
}

} // namespace

process_id this_process() {
  auto me = look_at(::getpid());
  if (!me)
    return {};
  return {this_host(), ::getpid(), me->started};
}

liveness liveness_of(const process_id& x) {
  if (x.host.empty() || x.host != this_host())
    return liveness::unknown;
  auto found = look_at(x.pid);
  // /proc may hide what others run; whether it is there is no secret.
  if (!found && (::kill(static_cast<pid_t>(x.pid), 0) == 0 || errno != ESRCH))
    return liveness::unknown;
  // Its number may have gone to another, and a zombie only waits for its parent;
  // but where only the first thread has ended, the others go on.
  auto ended = found && (found->state == 'Z' || found->state == 'X')
               && found->threads <= 1;
  auto lives = found && found->started == x.started && !ended;
  return lives ? liveness::alive : liveness::dead;
}

} // namespace steward
