// Two programs race for the same names in one database file, and agree.
//
//   record_race [FILE]
//
// Both ask for 500 names from four threads each, all at once. Each name gets
// one row; who comes second is told so and gets the row of the first. In a FILE
// of an earlier race all names have rows, and nobody creates any. Without FILE
// the race is in a temporary one. Ends with 0 only if both saw the same id for
// every name, and nobody created one twice.
#include <steward/steward.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
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
  std::set<std::string> created; // as it was told
  int existed = 0;
};

std::string name_of(int i) {
  return "session-" + std::to_string(i);
}

// -- one of the two programs --------------------------------------------------

outcome ask_for_all_names(steward::records& records) {
  std::mutex guard;
  outcome seen;
  std::vector<std::string> trouble;
  auto ask = [&] {
    for (int i = 0; i < names_max; ++i) {
      auto name = name_of(i);
      auto answer = records.get_or_create(
        {.name = name, .pool = "race", .key = "tenant-7", .attributes = ""},
        {.deadline = 30s});
      std::lock_guard lock{guard};
      if (answer.verdict == steward::record_verdict::unavailable)
        trouble.push_back(answer.cause);
      else if (seen.ids.emplace(name, answer.row.id).first->second
               != answer.row.id)
        trouble.push_back(name + " has two ids");
      else if (answer.verdict == steward::record_verdict::existed)
        ++seen.existed;
      else if (!seen.created.insert(name).second)
        trouble.push_back(name + " was created twice");
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
  out << seen.existed << '\n';
  for (auto& [name, id] : seen.ids)
    out << name << ' ' << id << ' ' << seen.created.contains(name) << '\n';
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
  in >> seen.existed;
  std::string name;
  bool created = false;
  for (std::int64_t id = 0; in >> name >> id >> created;) {
    seen.ids[name] = id;
    if (created)
      seen.created.insert(name);
  }
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
  for (auto* side : {".first", ".second"})
    std::filesystem::remove(database + side);
  auto agree = a.ids == b.ids && a.ids.size() == names_max;
  auto twice = std::count_if(a.created.begin(), a.created.end(),
                             [&](auto& x) { return b.created.contains(x); });
  std::cout << "first:  created " << a.created.size() << ", existed "
            << a.existed << "\nsecond: created " << b.created.size()
            << ", existed " << b.existed << "\nnames:  " << a.ids.size()
            << ", ids " << (agree ? "agree" : "DIFFER") << ", " << twice
            << " were created twice\n";
  return agree && twice == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

constexpr const char* manual
  = "usage: record_race [FILE]\n\n"
    "Two programs race for 500 names in one database, and agree on each.\n\n"
    "  FILE  the SQLite database; it is made if it is not there, and what is\n"
    "        in it stays. Without it: a temporary one.\n\n"
    "Ends with 0 if both saw the same id for every name, and each was created\n"
    "at most once; with 1 if not; with 2 if it is called amiss.\n";

} // namespace

int main(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "--help" || word == "-h") {
    std::cout << manual;
    return EXIT_SUCCESS;
  }
  if (argc > 2 || word.starts_with('-')) {
    std::cerr << "record_race: one FILE is allowed; see --help\n";
    return 2;
  }
  try {
    if (argc > 1)
      return race(word);
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
