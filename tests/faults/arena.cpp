#include <steward/tests/faults/arena.hpp>

#include <steward/core/hex.hpp>
#include <steward/storage/record_store.hpp>
#include <steward/tests/faults/worker.hpp>

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <stdexcept>

namespace faults {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace steward;
using steady = std::chrono::steady_clock;
using testkit::broken_rule;
using testkit::operation;
using testkit::stored_row;

std::vector<stored_row> rows_at(const std::string& url) {
  auto store = open_record_store(url, 30s);
  std::vector<stored_row> result;
  for (auto& row : store->list("", 10s))
    result.push_back({row.name, std::to_string(row.id), to_hex(row.creator)});
  return result;
}

// Has news for ever once the program was told to end: a signal that comes just
// before somebody waits would not interrupt the wait.
int news_of_end() {
  static const int number = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return number;
}

void tell_of_end(int) {
  ::eventfd_write(news_of_end(), 1);
}

void rest(std::chrono::milliseconds d) {
  if (record_test::wait_for_news(std::array{news_of_end()}, std::max(d, 0ms)))
    throw told_to_end{"told to end"};
}

// A disk that is full from the first may let nobody begin.
constexpr auto start_max = 15s;

} // namespace

void unwind_when_told_to_end() {
  if (news_of_end() < 0)
    throw std::runtime_error{"cannot make an event"};
  struct sigaction act {};
  act.sa_handler = tell_of_end;
  act.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &act, nullptr);
  ::sigaction(SIGTERM, &act, nullptr);
}

arena::arena(const setup& how, std::string url, std::size_t processes)
  : how_(how), url_(std::move(url)), workers_(processes) {
  auto pattern = (fs::temp_directory_path() / "faults-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error{"cannot make " + pattern};
  folder_ = pattern;
}

arena::~arena() {
  for (auto& x : workers_)
    end_worker(x, true);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

// -- faults -------------------------------------------------------------------

bool arena::pause(std::chrono::milliseconds d) {
  auto until = std::min(steady::now() + d, end_);
  do {
    auto left = until - steady::now();
    rest(std::chrono::ceil<std::chrono::milliseconds>(left));
  } while (steady::now() < until);
  return steady::now() < end_;
}

void arena::signal_worker(std::size_t i, int which) {
  ::kill(workers_[i].pid, which);
}

void arena::kill_workers() {
  for (auto& x : workers_)
    end_worker(x, true);
}

void arena::replace_worker(std::size_t i) {
  end_worker(workers_[i], true);
  start_worker(i);
}

std::size_t arena::random(std::size_t below) {
  random_ = random_ * 6'364'136'223'846'793'005ULL
            + 1'442'695'040'888'963'407ULL;
  return static_cast<std::size_t>(random_ >> 33U) % below;
}

// -- the run ------------------------------------------------------------------

void arena::start() {
  for (std::size_t i = 0; i < workers_.size(); ++i)
    start_worker(i);
  // What happens before anybody asks happens to nobody.
  for (auto until = steady::now() + start_max;
       !all_ask() && steady::now() < until;)
    rest(10ms);
  start_ = steady::now();
  end_ = start_ + how_.duration;
}

bool arena::all_ask() const {
  std::size_t asking = 0;
  for (auto& entry : fs::directory_iterator{folder_})
    asking += entry.path().extension() == ".history" && entry.file_size() > 0;
  return asking == workers_.size();
}

void arena::start_worker(std::size_t i) {
  auto& x = workers_[i];
  auto name = "w" + std::to_string(i) + "-" + std::to_string(++x.generation);
  std::vector<std::string> words{
    how_.program, "worker",
    "--history",  (folder_ / (name + ".history")).string(),
    "--name",     name,
    "--clients",  std::to_string(how_.clients)};
  if (!how_.planted.empty())
    words.insert(words.end(), {"--planted", how_.planted});
  auto parent = ::getpid();
  // What is sent to it before it is another program must not be taken for ours.
  sigset_t ends{};
  sigset_t before{};
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, &before);
  x.pid = ::fork();
  if (x.pid == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (x.pid != 0)
    return;
  // However we end, nobody asks on; and we may just have ended.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(127);
  for (auto& [key, value] : environment)
    ::setenv(key.c_str(), value.c_str(), 1);
  // There may be a password in it, and everybody sees command lines.
  ::setenv(worker_url, url_.c_str(), 1);
  ::closefrom(3);
  std::vector<char*> args;
  for (auto& word : words)
    args.push_back(word.data());
  args.push_back(nullptr);
  ::execv(args[0], args.data());
  ::_exit(127);
}

// Whether it ended when it was asked to.
bool arena::end_worker(worker& x, bool kill) {
  if (x.pid <= 0)
    return true;
  ::kill(x.pid, kill ? SIGKILL : SIGTERM);
  ::kill(x.pid, SIGCONT);
  record_test::end_of_process ended{x.pid};
  if (!record_test::wait_for_news(std::array{ended.number()}, 20s))
    ::kill(x.pid, SIGKILL);
  int status = 0;
  ::waitpid(x.pid, &status, 0);
  x.pid = -1;
  // Who has only just started does not know better than to die of it.
  auto at_once = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  return kill || at_once || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

std::vector<operation> arena::read_histories() const {
  std::vector<operation> all;
  for (auto& entry : fs::directory_iterator{folder_}) {
    if (entry.path().extension() != ".history")
      continue;
    std::ifstream in{entry.path()};
    for (auto& op : testkit::read_history(in))
      all.push_back(std::move(op));
  }
  return all;
}

// Workers tell of those themselves: they know when they could not run.
std::vector<broken_rule> arena::read_late_answers() const {
  std::vector<broken_rule> result;
  for (auto& entry : fs::directory_iterator{folder_}) {
    if (entry.path().extension() != ".late")
      continue;
    std::ifstream in{entry.path()};
    std::string name;
    std::string why;
    while (std::getline(in, name, '\t') && std::getline(in, why))
      result.push_back({6, name, why});
  }
  return result;
}

std::set<std::string> arena::read_errors() const {
  std::set<std::string> result;
  for (auto& entry : fs::directory_iterator{folder_}) {
    if (entry.path().extension() != ".errors")
      continue;
    std::ifstream in{entry.path()};
    for (std::string line; std::getline(in, line);)
      result.insert(line);
  }
  return result;
}

outcome arena::finish(const std::string& url, bool kill) {
  outcome result;
  result.seconds
    = std::chrono::duration<double>(steady::now() - start_).count();
  for (auto& x : workers_)
    if (x.pid > 0)
      ::kill(x.pid, kill ? SIGKILL : SIGTERM);
  for (std::size_t i = 0; i < workers_.size(); ++i)
    if (!end_worker(workers_[i], kill))
      result.broken.push_back(
        {6, "",
         "worker " + std::to_string(i) + " did not end when it was asked to"});
  auto all = read_histories();
  auto rows = rows_at(url);
  for (auto& broken : {read_late_answers(), testkit::check_records(all, rows)})
    result.broken.insert(result.broken.end(), broken.begin(), broken.end());
  result.heard = read_errors();
  result.operations = all.size();
  result.rows = rows.size();
  for (auto& op : all) {
    result.unknown += op.end == testkit::ending::in_doubt;
    result.refused += op.end == testkit::ending::failed;
  }
  // The six imply it; that they do is checked, too.
  auto whole = testkit::check_get_or_create(all);
  for (auto& x : whole.findings)
    result.broken.push_back({0, x.key, x.why});
  return result;
}

} // namespace faults
