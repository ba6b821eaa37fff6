#include <steward/testkit/internal/last_words.hpp>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace steward::testkit {

namespace {

struct watched_signal {
  int number;
  std::string_view what;
  bool is_a_defect = true; // of the run that is under way
};

constexpr std::array watched{
  watched_signal{SIGSEGV, "a crash (SIGSEGV)"},
  watched_signal{SIGBUS, "a crash (SIGBUS)"},
  watched_signal{SIGFPE, "a crash (SIGFPE)"},
  watched_signal{SIGILL, "a crash (SIGILL)"},
  watched_signal{SIGABRT, "an abort (SIGABRT)"},
  watched_signal{SIGALRM, "it takes too long (SIGALRM)"},
  watched_signal{SIGTERM, "it was told to end (SIGTERM)", false},
  watched_signal{SIGINT, "it was interrupted (SIGINT)", false},
  watched_signal{SIGHUP, "its terminal is gone (SIGHUP)", false}};

// What the handler finds. Written by its thread only, before and after a run.
struct watch {
  std::atomic<const run_under_way*> run = nullptr;
  const char* keep_in = nullptr;
  bool timed = false;
  timer_t timer{};
  std::chrono::seconds limit{0};
  std::atomic<unsigned> turns_left = 0; // of the timer
  bool own_stack = false;
};

// The timer takes so many turns until a run has taken too long. While the
// process is stopped no turn is delivered, and all that were missed come as
// one: nobody could have run then, so it does not count.
constexpr unsigned turns = 10;

constinit thread_local watch mine;
constinit thread_local bool is_prepared = false;

// Those of all threads, as far as there is room: what ends the program may
// come from a thread that has no run of its own.
std::array<std::atomic<watch*>, 16> everybody;

// An endless recursion leaves no stack for a handler.
thread_local std::array<std::byte, 65'536> handler_stack;

// Handlers belong to the process: the first one sets them, the last one puts
// those back that were there before.
std::mutex guard;
std::atomic<unsigned> users{0};
std::atomic<pid_t> process{0}; // theirs
std::array<struct sigaction, watched.size()> before;

void put_back() noexcept {
  for (std::size_t i = 0; i < watched.size(); ++i)
    ::sigaction(watched[i].number, &before[i], nullptr);
}

void say(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    auto n = ::write(file, text.data(), text.size());
    if (n <= 0)
      return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Where there is a folder for it.
void keep(std::string_view line, std::string_view what) noexcept {
  if (mine.keep_in == nullptr)
    return;
  auto file = ::open(mine.keep_in, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC,
                     0666);
  if (file < 0)
    return;
  char last = '\n'; // not all editors leave it
  if (::lseek(file, -1, SEEK_END) >= 0 && ::read(file, &last, 1) == 1
      && last != '\n')
    say(file, "\n");
  say(file, line);
  say(file, what);
  say(file, "\n");
  ::close(file);
  say(STDERR_FILENO, "  kept in ");
  say(STDERR_FILENO, mine.keep_in);
  say(STDERR_FILENO, ", to be run first from now on\n");
}

// The run of this thread; else those of all others, one of which it may be.
// Says whether there was any.
bool tell(std::string_view what, bool is_a_defect) noexcept {
  if (::getpid() != process) // a child that was forked in a run is none
    return false;
  auto say_all = [what](const run_under_way& run, std::string_view where) {
    say(STDERR_FILENO, "\n");
    say(STDERR_FILENO, what);
    say(STDERR_FILENO, where);
    say(STDERR_FILENO, run.said());
  };
  if (const auto* run = mine.run.exchange(nullptr)) {
    say_all(*run, "");
    if (is_a_defect)
      keep(run->kept(), what);
    return true;
  }
  bool any = false;
  for (auto& slot : everybody)
    if (const auto* there = slot.load())
      if (const auto* run = there->run.load()) {
        say_all(*run, is_a_defect ? " in another thread" : "");
        any = true;
      }
  return any;
}

bool is_turn_of_timer(int number, const siginfo_t& info) noexcept {
  return number == SIGALRM && info.si_code == SI_TIMER
         && info.si_value.sival_ptr == &mine;
}

// Calls nothing that a signal handler must not call.
void on_signal(int number, siginfo_t* info, void*) {
  auto ours = is_turn_of_timer(number, *info);
  if (ours && (info->si_overrun > 0 || --mine.turns_left > 0))
    return;
  // From here on it is as if we had never been: who handled this before may
  // leave by a jump.
  put_back();
  users = 0;
  is_prepared = false;
  for (const auto& x : watched)
    if (x.number == number)
      tell(x.what, x.is_a_defect);
  // A fault comes again when this returns, all else must be sent again.
  if (ours)
    ::raise(SIGABRT);
  else if (info->si_code <= 0 || number == SIGALRM)
    ::raise(number);
}

// A program that ends in the midst of a run has not passed.
void on_end(int status, void*) {
  if (!tell("exit(" + std::to_string(status) + ") was called", true))
    return;
  std::fflush(nullptr);
  ::_exit(status == 0 ? 1 : status);
}

void listen() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  // Whoever waits in the kernel as the timer takes a turn goes on waiting.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  for (std::size_t i = 0; i < watched.size(); ++i) {
    ::sigaction(watched[i].number, &action, &before[i]);
    if (before[i].sa_handler == SIG_IGN)
      ::sigaction(watched[i].number, &before[i], nullptr);
  }
}

void set_timer(std::chrono::seconds limit) noexcept {
  auto turn = std::chrono::nanoseconds{limit} / turns;
  auto whole = std::chrono::floor<std::chrono::seconds>(turn);
  itimerspec when{};
  when.it_interval.tv_sec = static_cast<std::time_t>(whole.count());
  when.it_interval.tv_nsec = static_cast<long>((turn - whole).count());
  when.it_value = when.it_interval;
  mine.turns_left = turns;
  ::timer_settime(mine.timer, 0, &when, nullptr);
}

// It is for the thread that is stuck to say so.
bool make_timer() {
  sigevent to{};
  to.sigev_notify = SIGEV_THREAD_ID;
  to.sigev_signo = SIGALRM;
  to.sigev_value.sival_ptr = &mine;
#ifndef sigev_notify_thread_id
#  define sigev_notify_thread_id _sigev_un._tid
#endif
  to.sigev_notify_thread_id = static_cast<pid_t>(::syscall(SYS_gettid));
  return ::timer_create(CLOCK_MONOTONIC, &to, &mine.timer) == 0;
}

bool lend_stack() {
  stack_t now{};
  if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0)
    return false;
  stack_t next{};
  next.ss_sp = handler_stack.data();
  next.ss_size = handler_stack.size();
  return ::sigaltstack(&next, nullptr) == 0;
}

void sign_up() {
  static const auto listens = ::on_exit(on_end, nullptr);
  static_cast<void>(listens);
  for (auto& slot : everybody) {
    watch* nobody = nullptr;
    if (slot.compare_exchange_strong(nobody, &mine))
      return;
  }
}

void sign_off() {
  for (auto& slot : everybody) {
    auto* me = &mine;
    slot.compare_exchange_strong(me, nullptr);
  }
}

void take_stack_back() {
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

} // namespace

last_words::last_words(std::chrono::seconds run_time_max, std::string keep_in)
  : owner_(!std::exchange(is_prepared, true)), keep_in_(std::move(keep_in)) {
  if (!owner_) // a campaign within another's scenario
    return;
  mine.run = nullptr;
  mine.limit = run_time_max;
  mine.keep_in = keep_in_.empty() ? nullptr : keep_in_.c_str();
  mine.timed = run_time_max.count() > 0 && make_timer();
  mine.own_stack = lend_stack();
  sign_up();
  std::lock_guard lock{guard};
  process = ::getpid();
  if (users++ == 0)
    listen();
}

last_words::~last_words() {
  if (!owner_)
    return;
  sign_off();
  {
    std::lock_guard lock{guard};
    if (users > 0 && --users == 0)
      put_back();
  }
  if (mine.timed)
    ::timer_delete(mine.timer);
  mine.keep_in = nullptr;
  if (mine.own_stack)
    take_stack_back();
  is_prepared = false;
}

bool last_words::prepared() noexcept {
  return is_prepared;
}

run_under_way::run_under_way(std::string said, std::string kept)
  : said_(std::move(said)), kept_(std::move(kept)), outer_(mine.run) {
  if (!is_prepared)
    return;
  mine.run = this;
  if (mine.timed)
    set_timer(mine.limit);
}

run_under_way::~run_under_way() {
  if (!is_prepared)
    return;
  if (mine.timed)
    set_timer(outer_ == nullptr ? std::chrono::seconds{0} : mine.limit);
  mine.run = outer_;
}

} // namespace steward::testkit
