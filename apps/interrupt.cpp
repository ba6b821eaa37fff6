#include <steward/apps/interrupt.hpp>

#include <csignal>
#include <unistd.h>

namespace steward {
namespace {

std::atomic<bool> flag{false};
std::atomic<int> number{0};

// Only calls that are safe in a signal handler.
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void steward_on_interrupt(int signal) {
  if (flag.load())
    ::_exit(128 + signal);
  number.store(signal);
  flag.store(true);
}

} // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = steward_on_interrupt;
  // A database must not see its calls fail because a user is impatient.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (auto signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // Who started us in the background wants it ignored.
    if (before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
  }
}

const std::atomic<bool>& interrupted() {
  return flag;
}

int interrupt_signal() {
  return number.load();
}

} // namespace steward
