// A run that ends the program, or never ends, says which run it was.
#include "exploration_fixture.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

using namespace sim_test;

namespace {

struct ended {
  std::string said;
  int status = 0;

  bool by(int signal) const {
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
  }
};

// What `f` says in a process of its own, in which nobody handles signals.
ended child(const std::function<void()>& f) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe(ends.data()) == 0);
  std::cout.flush(); // or the child says it again
  auto pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    for (auto x : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGTERM,
                   SIGINT, SIGHUP})
      std::signal(x, SIG_DFL);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    f();
    ::_exit(0);
  }
  ::close(ends[1]);
  ended result;
  std::array<char, 4096> part{};
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
    result.said.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  BOOST_REQUIRE(::waitpid(pid, &result.status, 0) == pid);
  return result;
}

// Does `what` in an actor, in the seventh seed.
void explore_to_the_end(void (*what)(), explore_options o = {}) {
  o.name = "fatal";
  o.policies = {fifo{}};
  explore(o, [what](world& w) {
    auto a
      = w.sim().spawn([&w, what](caf::event_based_actor*) -> caf::behavior {
          return {[&w, what](ping) {
            if (w.seed() == 7)
              what();
          }};
        });
    cafx::send_anon(a, ping{});
  });
}

void spin() {
  for (volatile bool more = true; more;) {
  }
}

void expect_seed(const ended& x, const std::string& what) {
  BOOST_TEST(contains(x.said, "\n" + what
                                + " in fatal, seed 7, policy fifo\n"
                                  "  to repeat: STEWARD_TESTKIT_ONLY=fatal "
                                  "STEWARD_TESTKIT_SEED=7 "),
             x.said);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_run_that_aborts_says_which_it_was) {
  auto x = child([] { explore_to_the_end(std::abort); });
  expect_seed(x, "an abort (SIGABRT)");
  BOOST_TEST(x.by(SIGABRT));
  auto thrown = child(
    [] { explore_to_the_end([]() noexcept { std::string{}.at(1) = 'x'; }); });
  expect_seed(thrown, "an abort (SIGABRT)");
}

// A sanitizer has more to say of these, and does.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

BOOST_AUTO_TEST_CASE(a_run_that_crashes_says_which_it_was) {
  auto x = child([] {
    explore_to_the_end([] { *static_cast<volatile int*>(nullptr) = 1; });
  });
  expect_seed(x, "a crash (SIGSEGV)");
  BOOST_TEST(x.by(SIGSEGV));
}

namespace {

void overflow() {
  struct deeper {
    static int go(volatile int* above) {
      volatile int here[64] = {};
      here[0] = *above + 1;
      return here[0] == 0 ? 0 : go(here) + here[0];
    }
  };
  volatile int start = 0;
  std::exit(deeper::go(&start));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_run_that_leaves_no_stack_says_which_it_was) {
  auto x = child([] { explore_to_the_end(overflow); });
  expect_seed(x, "a crash (SIGSEGV)");
}

#endif

BOOST_AUTO_TEST_CASE(a_run_without_an_end_says_which_it_was_and_is_ended) {
  auto x = child([] { explore_to_the_end(spin, {.run_time_max = 1s}); });
  expect_seed(x, "it takes too long (SIGALRM)");
  BOOST_TEST(x.by(SIGABRT));
}

namespace {

// Stops this process, as ^Z does; a child of it continues it later.
void be_stopped() {
  auto stopped = ::getpid();
  if (::fork() == 0) {
    ::usleep(1'500'000); // there is no other clock to tell
    ::_exit(::kill(stopped, SIGCONT));
  }
  ::raise(SIGSTOP);
}

} // namespace

BOOST_AUTO_TEST_CASE(while_the_process_is_stopped_a_run_takes_no_time) {
  auto x = child([] { explore_to_the_end(be_stopped, {.run_time_max = 1s}); });
  BOOST_TEST(x.said == "");
  BOOST_TEST(x.status == 0);
  auto endless = child([] {
    auto stopped_first = [] {
      be_stopped();
      spin();
    };
    explore_to_the_end(stopped_first, {.run_time_max = 1s});
  });
  expect_seed(endless, "it takes too long (SIGALRM)");
}

BOOST_AUTO_TEST_CASE(a_repeated_run_has_all_the_time) {
  // A debugger takes long. An alarm of somebody else's comes through.
  auto x = child([] {
    set_variable seed{"STEWARD_TESTKIT_SEED", "7"};
    ::alarm(3);
    explore_to_the_end(spin, {.run_time_max = 1s});
  });
  expect_seed(x, "it takes too long (SIGALRM)");
  BOOST_TEST(x.by(SIGALRM));
}

BOOST_AUTO_TEST_CASE(a_schedule_is_said_if_one_was_given) {
  auto x = child([] {
    set_variable seed{"STEWARD_TESTKIT_SEED", "7"};
    set_variable list{"STEWARD_TESTKIT_SCHEDULE", "0:1,3:t"};
    explore_to_the_end(std::abort);
  });
  BOOST_TEST(contains(x.said, "seed 7, policy listed\n"), x.said);
  BOOST_TEST(contains(x.said, " STEWARD_TESTKIT_SCHEDULE=0:1,3:t "), x.said);
}

namespace {

void own_handler(int) {
  constexpr std::string_view text = "mine\n";
  ::_exit(::write(STDERR_FILENO, text.data(), text.size()) > 0 ? 3 : 4);
}

} // namespace

BOOST_AUTO_TEST_CASE(who_handled_a_signal_before_does_so_still) {
  auto during = child([] {
    std::signal(SIGABRT, own_handler);
    explore_to_the_end(std::abort);
  });
  expect_seed(during, "an abort (SIGABRT)");
  BOOST_TEST(contains(during.said, "mine\n"));
  BOOST_TEST(WEXITSTATUS(during.status) == 3);
  auto after = child([] {
    std::signal(SIGABRT, own_handler);
    explore_to_the_end([] {});
    std::abort();
  });
  BOOST_TEST(after.said == "mine\n");
  BOOST_TEST(WEXITSTATUS(after.status) == 3);
}

BOOST_AUTO_TEST_CASE(a_crash_between_two_runs_is_no_run_s) {
  auto x = child([] {
    explore({.seeds = 3}, [](world& w) { w.sim().spawn(echo, 1); });
    std::abort();
  });
  BOOST_TEST(x.said == "");
  BOOST_TEST(x.by(SIGABRT));
}

BOOST_AUTO_TEST_CASE(a_campaign_in_a_scenario_gives_the_word_back) {
  auto x = child([] {
    explore_to_the_end([] {
      explore({.name = "inner", .seeds = 1},
              [](world& w) { w.sim().spawn(echo, 1); });
      std::abort();
    });
  });
  expect_seed(x, "an abort (SIGABRT)");
}

// -- the end of the program ---------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_that_calls_exit_fails_and_says_which_it_was) {
  for (auto [status, expected] : {std::pair{0, 1}, {1, 1}, {7, 7}}) {
    static int with;
    with = status;
    auto x = child([] { explore_to_the_end([] { std::exit(with); }); });
    expect_seed(x, "exit(" + std::to_string(status) + ") was called");
    BOOST_TEST(WIFEXITED(x.status));
    BOOST_TEST(WEXITSTATUS(x.status) == expected);
  }
  auto scene = child([] {
    explore({.name = "fatal", .first_seed = 7, .policies = {fifo{}}},
            [](world&) { std::exit(0); });
  });
  expect_seed(scene, "exit(0) was called");
  BOOST_TEST(WEXITSTATUS(scene.status) == 1);
}

BOOST_AUTO_TEST_CASE(exit_between_two_runs_is_no_run_s) {
  auto x = child([] {
    explore_to_the_end([] {});
    std::exit(3);
  });
  BOOST_TEST(x.said == "");
  BOOST_TEST(WEXITSTATUS(x.status) == 3);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_told_to_end_says_which_run_it_was) {
  auto x = child([] { explore_to_the_end([] { ::raise(SIGTERM); }); });
  expect_seed(x, "it was told to end (SIGTERM)");
  BOOST_TEST(x.by(SIGTERM));
  auto interrupted = child([] { explore_to_the_end([] { ::raise(SIGINT); }); });
  expect_seed(interrupted, "it was interrupted (SIGINT)");
  BOOST_TEST(interrupted.by(SIGINT));
  auto ignored = child([] {
    std::signal(SIGTERM, SIG_IGN);
    explore_to_the_end([] { ::raise(SIGTERM); });
  });
  BOOST_TEST(ignored.said == "");
  BOOST_TEST(ignored.status == 0);
}

namespace {

// Does `what` in a thread of its own, during the run.
template <void What()>
void elsewhere() {
  std::thread{[] { What(); }}.join();
}

void leave() {
  std::exit(0);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_another_thread_does_says_what_runs_there_were) {
  auto abort = child([] { explore_to_the_end(elsewhere<std::abort>); });
  expect_seed(abort, "an abort (SIGABRT) in another thread");
  BOOST_TEST(abort.by(SIGABRT));
  auto exit = child([] { explore_to_the_end(elsewhere<leave>); });
  expect_seed(exit, "exit(0) was called in another thread");
  BOOST_TEST(WEXITSTATUS(exit.status) == 1);
}

// -- a file of regressions ----------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_that_ends_the_program_is_kept_and_runs_first) {
  folder here;
  const auto& folder = here.path();
  auto text = folder.string();
  std::ofstream{folder / "fatal.txt"} << "3 own # mended";
  auto crash = [&](std::uint64_t seeds) {
    return child([&] {
      explore_to_the_end(std::abort, {.seeds = seeds, .regressions = folder});
    });
  };
  auto kept = [&] {
    std::ifstream in{folder / "fatal.txt"};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  auto first = crash(20);
  BOOST_TEST(contains(first.said, "  kept in " + text
                                    + "/fatal.txt, to be run "
                                      "first from now on\n"),
             first.said);
  auto expected = std::string{"3 own # mended\n7 own # an abort (SIGABRT)\n"};
  BOOST_TEST(kept() == expected);
  // It is found again without its seed, and not kept twice.
  auto again = crash(1);
  expect_seed(again, "an abort (SIGABRT)");
  BOOST_TEST(!contains(again.said, "kept in"));
  BOOST_TEST(kept() == expected);
  // What was told to end has no defect for that.
  auto told = child([&] {
    explore_to_the_end([] { ::raise(SIGTERM); }, {.regressions = folder / "x"});
  });
  expect_seed(told, "it was told to end (SIGTERM)");
  BOOST_TEST(!contains(told.said, "kept in"));
}

// -- a slip in the name of a campaign -----------------------------------------

BOOST_AUTO_TEST_CASE(
  a_program_without_the_campaign_that_is_wanted_ends_with_2) {
  auto with = [](const char* wanted) {
    return child([wanted] {
      ::setenv("STEWARD_TESTKIT_ONLY", wanted, 1);
      explore_to_the_end([] {}, {.seeds = 1});
      std::exit(0);
    });
  };
  auto typo = with("fatale");
  BOOST_TEST(WEXITSTATUS(typo.status) == 2);
  BOOST_TEST(contains(typo.said, "STEWARD_TESTKIT_ONLY is \"fatale\"; no "
                                 "campaign that came by has that name, but "),
             typo.said);
  BOOST_TEST(contains(typo.said, "fatal\n"), typo.said);
  auto right = with("fatal");
  BOOST_TEST(WEXITSTATUS(right.status) == 0);
  BOOST_TEST(right.said == "");
}
