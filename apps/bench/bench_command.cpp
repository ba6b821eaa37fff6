#include <steward/apps/bench/bench_command.hpp>

#include <steward/apps/bench/bench_report.hpp>
#include <steward/apps/bench/child.hpp>
#include <steward/apps/bench/driver_status.hpp>
#include <steward/apps/interrupt.hpp>
#include <steward/apps/output.hpp>
#include <steward/apps/progress.hpp>
#include <steward/apps/text.hpp>
#include <steward/version.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace steward::bench {
namespace {

namespace fs = std::filesystem;

constexpr int below_ratio = 4;

struct driver_command {
  std::string command; // as the user names it; empty: this steward
  std::vector<std::string> words;
};

std::vector<std::string> own_words() {
  return {fs::read_symlink("/proc/self/exe").string(), "bench", "--driver"};
}

driver_command other_driver(const std::string& command) {
  driver_command result{command, split_words(command)};
  auto program = fs::path{result.words.front()}.filename().string();
  if (program == "steward" && result.words.size() == 1)
    result.words.insert(result.words.end(), {"bench", "--driver"});
  return result;
}

// Ends with what the driver complained about last.
[[noreturn]] void fail(const driver_command& who, const run_options& run,
                       const std::string& what) {
  throw std::runtime_error{(who.command.empty() ? "steward" : who.command)
                           + ": " + title_of(run) + ": " + what};
}

std::string last_line(std::string text) {
  while (text.ends_with('\n'))
    text.pop_back();
  return printable(text.substr(text.find_last_of('\n') + 1));
}

// As the user names a driver that has no better name.
std::string name_of(std::string command) {
  constexpr std::string_view suffix = " bench --driver";
  if (command.ends_with(suffix))
    command.resize(command.size() - suffix.size());
  return printable(command);
}

// As it names itself; by its command where that is not enough, by the last part
// of it where it never ran.
void name_all(std::vector<driver_series>& drivers) {
  std::vector<std::string> taken;
  for (auto& x : drivers) {
    x.label = x.command.empty() ? "steward" : name_of(x.command);
    if (x.cannot)
      x.label = x.label.substr(x.label.find_last_of('/') + 1);
    if (!x.all.empty()
        && std::find(taken.begin(), taken.end(), x.all[0].driver)
             == taken.end())
      x.label = printable(x.all[0].driver);
    taken.push_back(x.label);
  }
}

class bench {
public:
  explicit bench(const bench_arguments& arguments)
    : arguments_(arguments), bar_("measuring", !arguments.quiet) {
    drivers_.push_back({{}, own_words()});
    for (const auto& command : arguments.against)
      drivers_.push_back(other_driver(command));
    for (const auto& run : arguments.runs) {
      run_result x{run, {}};
      for (const auto& driver : drivers_)
        x.drivers.push_back({{}, driver.command, {}, false});
      results_.push_back(std::move(x));
    }
  }

  // All drivers do one run right after each other, and then again.
  std::vector<run_result> operator()() {
    for (auto& x : results_)
      for (std::size_t i = 0; i < arguments_.repeat; ++i)
        for (std::size_t n = 0; n < drivers_.size() && !interrupted(); ++n)
          measure(x, n);
    for (auto& x : results_)
      name_all(x.drivers);
    return std::move(results_);
  }

private:
  void measure(run_result& x, std::size_t n) {
    auto total = results_.size() * arguments_.repeat * drivers_.size();
    bar_.update(done_, static_cast<double>(done_) / static_cast<double>(total));
    ++done_;
    auto& series = x.drivers[n];
    if (series.cannot)
      return;
    const auto& driver = drivers_[n];
    auto words = driver.words;
    for (auto& word : split_words(to_words(x.run)))
      words.push_back(std::move(word));
    auto patience = std::chrono::seconds{
      300 + static_cast<std::int64_t>(10 * x.run.seconds)};
    auto outcome = run_child(words, interrupted(), patience);
    series.cannot = outcome.status == driver_cannot_run;
    if (series.cannot || (interrupted() && outcome.out.empty()))
      return;
    take(x.run, driver, outcome, series);
  }

  void take(const run_options& run, const driver_command& driver,
            const child_outcome& outcome, driver_series& to) {
    if (outcome.timed_out)
      fail(driver, run, "takes too long");
    if (outcome.status == 127 && outcome.err.empty())
      fail(driver, run, "cannot be run");
    if (outcome.status != 0 && !interrupted()) {
      auto why = last_line(outcome.err);
      fail(driver, run,
           why.empty() ? "ended with status " + std::to_string(outcome.status)
                       : why);
    }
    try {
      to.all.push_back(parse_line(outcome.out));
    } catch (const std::runtime_error& error) {
      fail(driver, run, error.what());
    }
  }

  const bench_arguments& arguments_;
  progress_bar bar_;
  std::vector<driver_command> drivers_;
  std::vector<run_result> results_;
  std::uint64_t done_ = 0;
};

std::string machine_text() {
  std::string model = "unknown processor";
  std::ifstream in{"/proc/cpuinfo"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  return std::to_string(std::thread::hardware_concurrency()) + " x " + model
         + ", g++ " __VERSION__ ", steward " STEWARD_VERSION;
}

std::string date_text() {
  auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

void check_outputs(const bench_arguments& arguments) {
  auto check = [](const char* option, const std::string& path) {
    if (path.empty() || path == "-")
      return;
    if (auto why = why_not_writable(path); !why.empty())
      throw unusable_run{std::string{option} + ' ' + path + ": " + why};
  };
  check("--json", arguments.json);
  check("--plot", arguments.plot);
}

void print(const bench_arguments& arguments, const bench_report& report) {
  // First: a closed standard output must not cost it.
  if (!arguments.plot.empty())
    write_file(arguments.plot, to_page(report));
  write_report(
    arguments.json, arguments.quiet, [&] { return to_json(report); },
    [&] { return to_table(report); });
}

// Says what is certainly below the limit.
bool is_below(const bench_report& report, double at_least) {
  auto result = false;
  for (const auto& x : report.results)
    for (std::size_t i = 1; i < x.drivers.size(); ++i) {
      auto pairs = rate_ratios(x, i);
      if (pairs.empty())
        continue;
      auto all = spread_of(pairs);
      if (!all.likely_most || *all.likely_most >= at_least)
        continue;
      char text[64];
      std::snprintf(text, sizeof(text), "%.2f at most, allowed is %.2f",
                    *all.likely_most, at_least);
      complain(title_of(x.run) + ": the ratio to " + x.drivers[i].label + " is "
               + text);
      result = true;
    }
  return result;
}

} // namespace

int run_bench(const bench_arguments& arguments) {
  check_outputs(arguments);
  bench_report report;
  report.machine = machine_text();
  report.date = date_text();
  report.results = bench{arguments}();
  report.stopped = interrupted();
  print(arguments, report);
  if (report.stopped)
    return 128 + interrupt_signal();
  return arguments.at_least && is_below(report, *arguments.at_least)
           ? below_ratio
           : 0;
}

} // namespace steward::bench
