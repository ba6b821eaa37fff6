// Clients in processes of their own, a real database, and what may happen to
// either: who was told what is compared with what stands there in the end.
#include <steward/tests/faults/arena.hpp>
#include <steward/tests/faults/worker.hpp>
#include <steward/tests/faults/workplace.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace faults;

struct words {
  double seconds = 3;
  std::vector<std::string> only;
  std::string table;
  bool list = false;
  bool expect_violation = false;
  setup how;
};

std::string line(const kind& x, const std::string& seconds,
                 const std::string& rest) {
  std::ostringstream out;
  out << "| " << x.database << " | " << x.name << " | " << seconds << " | "
      << rest << " |";
  return out.str();
}

bool wanted(const kind& x, const std::vector<std::string>& only) {
  auto full = x.database + ": " + x.name;
  return only.empty() || std::any_of(only.begin(), only.end(), [&](auto& part) {
           return full.find(part) != full.npos;
         });
}

class report {
public:
  explicit report(const std::string& file) {
    if (!file.empty())
      file_.open(file);
    require_file();
    say(
      "| database | what happens | s | operations | unknown | refused | rows |"
      " violations |");
    say("|---|---|---|---|---|---|---|---|");
  }

  void say(const std::string& text) {
    std::cout << text << std::endl;
    if (file_.is_open())
      file_ << text << std::endl;
    require_file();
  }

  void add(const kind& x, const words& how) {
    try {
      auto mine = how.how;
      mine.duration = std::max(mine.duration, x.duration_min);
      auto result = x.run(mine);
      say(line(x, std::to_string(std::lround(result.seconds)),
               std::to_string(result.operations) + " | "
                 + std::to_string(result.unknown) + " | "
                 + std::to_string(result.refused) + " | "
                 + std::to_string(result.rows) + " | "
                 + std::to_string(result.broken.size())));
      for (std::size_t i = 0;
           i < std::min<std::size_t>(5, result.broken.size()); ++i)
        std::cerr << "  rule " << result.broken[i].rule << ": "
                  << result.broken[i].name << ' ' << result.broken[i].why
                  << '\n';
      violations_ += result.broken.size();
      // Who asked nothing proves nothing. A full disk lets few things happen.
      idle_ += result.operations < 20 || !has_happened(x, result) ? 1U : 0U;
    } catch (const skipped& why) {
      say(line(x, "-", std::string{"skipped: "} + why.what() + " | | | |"));
    }
  }

  std::size_t violations() const {
    return violations_;
  }

  std::size_t idle() const {
    return idle_;
  }

private:
  static bool has_happened(const kind& x, const outcome& result) {
    if (std::any_of(result.heard.begin(), result.heard.end(),
                    [&](auto& said) { return said.find(x.trace) != said.npos; })
        || x.trace.empty())
      return true;
    std::cerr << "  nobody heard of \"" << x.trace << "\", but of\n";
    for (auto& said : result.heard)
      std::cerr << "    " << said << '\n';
    return false;
  }

  void require_file() const {
    if (!file_)
      throw std::runtime_error{"the file of the table cannot be written"};
  }

  std::ofstream file_;
  std::size_t violations_ = 0;
  std::size_t idle_ = 0;
};

// Those that are asked for, all if none are. Who asks for one that is not there
// hears it: an empty run would look like a passed one.
std::vector<kind> chosen(const std::vector<std::string>& only) {
  auto all = sqlite_kinds();
  for (auto& x : postgres_kinds())
    all.push_back(std::move(x));
  for (auto& part : only)
    if (std::none_of(all.begin(), all.end(),
                     [&](auto& x) { return wanted(x, {part}); }))
      throw std::runtime_error{"no fault has \"" + part
                               + "\" in its name; --list shows them"};
  std::erase_if(all, [&](auto& x) { return !wanted(x, only); });
  return all;
}

int run_all(words& how) {
  how.how.duration
    = std::chrono::milliseconds{static_cast<std::int64_t>(how.seconds * 1000)};
  auto all = chosen(how.only);
  if (how.list) {
    for (auto& x : all)
      std::cout << x.database << ": " << x.name << '\n';
    return 0;
  }
  report table{how.table};
  unwind_when_told_to_end();
  static workplace place; // gone after the server that lies in it
  for (auto& x : all)
    table.add(x, how);
  if (table.idle() > 0)
    std::cerr << table.idle() << " runs did nothing, or not what they should\n";
  if (how.expect_violation)
    return table.violations() > 0 ? 0 : 1;
  return table.violations() == 0 && table.idle() == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  words how;
  how.how.program = std::filesystem::read_symlink("/proc/self/exe").string();
  how.how.io_library = STEWARD_FAULTY_IO_LIBRARY;
  work worker;
  CLI::App app{"Records under faults, with real processes and databases"};
  app.add_option("--seconds", how.seconds, "Length of each run; default 3")
    ->check(CLI::PositiveNumber);
  app.add_option("--only", how.only, "Runs whose name contains this");
  app.add_option("--processes", how.how.processes, "Clients' processes");
  app.add_option("--clients", how.how.clients, "Clients of each process");
  app.add_option("--table", how.table, "File that gets the table, too");
  app.add_option("--planted", how.how.planted, "A bug to plant in all clients");
  app.add_flag("--expect-violation", how.expect_violation,
               "Fail if none is found");
  app.add_flag("--list", how.list, "Show the names of all runs");
  auto* part = app.add_subcommand("worker", "One process of clients");
  part->add_option("--url", worker.url)->envname(worker_url)->required();
  part->add_option("--history", worker.history)->required();
  part->add_option("--name", worker.name)->required();
  part->add_option("--clients", worker.clients);
  part->add_option("--planted", worker.planted);
  CLI11_PARSE(app, argc, argv);
  try {
    return part->parsed() ? run_worker(worker) : run_all(how);
  } catch (const std::exception& x) {
    std::cerr << "steward_faults: " << x.what() << '\n';
    return 2;
  }
}
