// Two programs race for the same names in one database file, and agree.
//
//   record_race [FILE]
//
// Both ask for 500 names from four threads each, all at once. Each name gets
// one row; who comes second is told so and gets the row of the first. Ends with
// 0 only if both saw the same id for every name.
#include <steward/steward.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr int names_max = 500;
constexpr int threads_max = 4;

struct outcome {
  std::map<std::string, std::int64_t> ids;
  int created = 0;
  int existed = 0;
};

// -- one of the two programs --------------------------------------------------

outcome ask_for_all_names(steward::records& records) {
  std::mutex guard;
  outcome seen;
  std::vector<std::string> trouble;
  auto ask = [&] {
    for (int i = 0; i < names_max; ++i) {
      auto name = "session-" + std::to_string(i);
      auto answer = records.get_or_create(
        {.name = name, .pool = "race", .key = "tenant-7", .attributes = ""},
        {.deadline = 30s});
      std::lock_guard lock{guard};
      if (answer.verdict == steward::record_verdict::unavailable)
        trouble.push_back(answer.cause);
      else if (seen.ids.emplace(name, answer.row.id).first->second
               != answer.row.id)
        trouble.push_back(name + " has two ids");
      else if (answer.verdict == steward::record_verdict::created)
        ++seen.created;
      else
        ++seen.existed;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_max; ++i)
    threads.emplace_back(ask);
  for (auto& thread : threads)
    thread.join();
  if (!trouble.empty())
    throw std::runtime_error{trouble.front()};
  return seen;
}

void run_program(const std::string& database, const std::string& result) {
  caf::actor_system_config cfg;
  steward::configure(cfg);
  caf::actor_system sys{cfg};
  steward::runtime rt{sys, {.records = "sqlite:" + database}};
  auto seen = ask_for_all_names(rt.records());
  std::ofstream out{result};
  out << seen.created << ' ' << seen.existed << '\n';
  for (auto& [name, id] : seen.ids)
    out << name << ' ' << id << '\n';
}

// -- the race -----------------------------------------------------------------

// Starts the program in a process of its own, which waits until `gate` closes.
pid_t start_program(const std::array<int, 2>& gate, const std::string& database,
                    const std::string& result) {
  auto pid = ::fork();
  if (pid != 0)
    return pid;
  int code = 1;
  try {
    char byte = 0;
    ::close(gate[1]);
    if (::read(gate[0], &byte, 1) == 0) {
      run_program(database, result);
      code = 0;
    }
  } catch (const std::exception& x) {
    std::cerr << "record_race: " << x.what() << '\n';
  }
  ::_exit(code);
}

bool ended_well(pid_t pid) {
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status)
         && WEXITSTATUS(status) == 0;
}

outcome read_outcome(const std::string& path) {
  outcome seen;
  std::ifstream in{path};
  in >> seen.created >> seen.existed;
  std::string name;
  for (std::int64_t id = 0; in >> name >> id;)
    seen.ids[name] = id;
  return seen;
}

int race(const std::string& database) {
  std::array<int, 2> gate{};
  if (::pipe(gate.data()) != 0)
    throw std::runtime_error{"cannot make a pipe"};
  auto first = start_program(gate, database, database + ".first");
  auto second = start_program(gate, database, database + ".second");
  ::close(gate[0]);
  ::close(gate[1]); // go
  auto first_is_well = ended_well(first);
  if (!ended_well(second) || !first_is_well)
    return EXIT_FAILURE;
  auto a = read_outcome(database + ".first");
  auto b = read_outcome(database + ".second");
  auto agree = a.ids == b.ids && a.ids.size() == names_max
               && a.created + b.created == names_max;
  std::cout << "first:  created " << a.created << ", existed " << a.existed
            << "\nsecond: created " << b.created << ", existed " << b.existed
            << "\nnames:  " << a.ids.size() << ", ids "
            << (agree ? "agree" : "DIFFER") << '\n';
  return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1)
      return race(argv[1]);
    auto folder
      = (std::filesystem::temp_directory_path() / "race-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr)
      throw std::runtime_error{"cannot make " + folder};
    auto code = race(folder + "/records.db");
    std::filesystem::remove_all(folder);
    return code;
  } catch (const std::exception& x) {
    std::cerr << "record_race: " << x.what() << '\n';
    return EXIT_FAILURE;
  }
}
