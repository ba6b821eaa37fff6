// A pool of real subprocesses: one interactive shell per lease. Each shell is
// the head of a process group that is killed whole when the pool closes it, and
// also when this program dies without closing anything, even by `kill -9`.

#include "child_process.hpp"

#include <steward/steward.hpp>

#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>

using namespace std::chrono_literals;

namespace {

/// Opens `sh`; both functions may block, so the runtime's workers run them.
struct shell_opener {
  std::unique_ptr<child_process> open(const steward::open_request& r) {
    return std::make_unique<child_process>(std::string{r.params});
  }

  // On each return: a shell that has ended is closed and not lent again.
  bool check(child_process& shell) {
    return shell.running();
  }

  void close(child_process& shell, steward::close_reason) {
    shell.kill_group();
  }
};

struct shells {
  steward::config cfg;
  caf::actor_system sys{cfg};
  steward::runtime rt{sys};
  steward::pool<child_process> pool = rt.make_pool<child_process>(
    {.name = "shells", .per_key_max = 2, .idle_timeout = 60s}, shell_opener{});
};

bool failed(const std::string& what) {
  std::cerr << "failed: " << what << '\n';
  return false;
}

// Four users at once, at most two shells: who finds none is told so.
bool users_share_shells(steward::pool<child_process>& pool) {
  std::atomic<int> right{0};
  std::atomic<int> turned_away{0};
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user)
    users.emplace_back([&, user] {
      for (int i = 0; i < 20; ++i) {
        auto shell = pool.acquire("server-1", {.params = "sh"});
        if (!shell) {
          ++turned_away;
          continue;
        }
        auto answer = (*shell)->ask("echo $((" + std::to_string(user) + " * "
                                    + std::to_string(i) + "))");
        right += answer == std::to_string(user * i) ? 1 : 0;
      }
    });
  for (auto& t : users)
    t.join();
  auto stats = pool.stats();
  std::cout << right << " right answers from " << stats.opened << " shells, "
            << turned_away << " requests turned away at the limit of 2\n";
  if (right + turned_away != 80)
    return failed("an answer is wrong or missing");
  return stats.open_peak <= 2 || failed("more than two shells at once");
}

// A shell that starts children of its own, which ignore a polite end.
bool whole_group_is_killed(steward::pool<child_process>& pool) {
  auto shell = pool.acquire("server-2", {.params = "sh"});
  if (!shell)
    return failed(steward::describe(shell.error()));
  auto group = (*shell)->group();
  (*shell)->ask("trap '' TERM; sleep 1000 & sleep 1000 & echo started");
  shell->give_up(); // broken on purpose: closed instead of lent again
  if (!child_process::wait_gone(group, 10s))
    return failed("a process of the group is left");
  std::cout << "the whole group of a broken shell is gone\n";
  return true;
}

// This program, or rather a copy of it, dies by `kill -9` with shells open.
bool parent_death_kills_children() {
  // Orphans come to us, so that the dead do not look alive.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0)
    return failed("pipe");
  auto pid = fork();
  if (pid == 0) {
    shells mine;
    auto shell = mine.pool.acquire("server-3", {.params = "sh"});
    pid_t group = shell ? (*shell)->group() : -1;
    if (shell)
      (*shell)->ask("sleep 1000 & echo started");
    if (write(pipe_ends[1], &group, sizeof group) != sizeof group)
      _exit(1);
    kill(getpid(), SIGKILL);
  }
  pid_t group = -1;
  auto got = read(pipe_ends[0], &group, sizeof group);
  waitpid(pid, nullptr, 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  if (got != sizeof group || group <= 0)
    return failed("the copy opened no shell");
  if (!child_process::wait_gone(group, 10s))
    return failed("a process outlived its parent");
  std::cout << "after kill -9 of the parent no process is left\n";
  return true;
}

} // namespace

int main() {
  // First, as it forks: this process has no threads yet.
  if (!parent_death_kills_children())
    return 1;
  shells all;
  if (!users_share_shells(all.pool) || !whole_group_is_killed(all.pool))
    return 1;
  auto report = all.rt.drain(5s);
  return report.clean() && all.pool.stats().open == 0 ? 0 : 1;
}
