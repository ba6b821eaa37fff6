#include <steward/apps/replay_command.hpp>

#include <steward/apps/interrupt.hpp>
#include <steward/apps/output.hpp>
#include <steward/apps/progress.hpp>
#include <steward/apps/report.hpp>
#include <steward/runtime/logging.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <random>

namespace steward {
namespace {

namespace fs = std::filesystem;

// So many supervisors take some hundred megabytes.
constexpr std::uint64_t keys_kept_max = 100'000;

// Names this run in the records, and no other one.
std::string make_owner() {
  auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  std::array<char, 16> tail{};
  // Runs of containers share their process ids.
  std::snprintf(tail.data(), tail.size(), "%08x", std::random_device{}());
  return std::string{"replay-"} + stamp.data() + '-' + tail.data();
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (fs::equivalent(a, b, ignored))
    return true;
  // One that is not there yet can still become the same.
  auto path_a = fs::weakly_canonical(fs::absolute(a, ignored), ignored);
  auto path_b = fs::weakly_canonical(fs::absolute(b, ignored), ignored);
  return !path_a.empty() && path_a == path_b;
}

std::string records_path(const replay_arguments& arguments) {
  constexpr std::string_view scheme = "sqlite:";
  const auto& url = arguments.replaying.records;
  return url.starts_with(scheme) ? url.substr(scheme.size()) : "";
}

// Mistakes that would cost a file, or be found only after a long replay.
void check_outputs(const replay_arguments& arguments) {
  auto records = records_path(arguments);
  if (!records.empty() && same_file(records, arguments.log))
    throw usage_error{"--records " + arguments.records
                      + ": is the log itself; name another file"};
  const auto& json = arguments.json;
  if (json.empty() || json == "-")
    return;
  if (auto why = why_not_writable(json); !why.empty())
    throw usage_error{"--json " + json + ": " + why};
  if (same_file(json, arguments.log))
    throw usage_error{"--json " + json
                      + ": is the log itself; name another "
                        "file"};
  if (!records.empty() && same_file(json, records))
    throw usage_error{"--json " + json
                      + ": is the database of --records; "
                        "name another file"};
}

int interrupted_status() {
  return 128 + interrupt_signal();
}

request_log read(const replay_arguments& arguments) {
  progress_bar bar{"reading", !arguments.quiet};
  auto options = arguments.reading;
  options.stop = &interrupted();
  options.progress = [&](const read_progress& x) {
    auto share = x.bytes_total == 0 ? -1.0
                                    : static_cast<double>(x.bytes)
                                        / static_cast<double>(x.bytes_total);
    bar.update(x.lines, share);
  };
  return read_log(arguments.log, options);
}

replay_result drive(const replay_arguments& arguments, const request_log& log) {
  progress_bar bar{"replaying", !arguments.quiet};
  auto options = arguments.replaying;
  options.stop = &interrupted();
  // A key that comes back finds its supervisor, as long as memory allows.
  if (log.keys <= keys_kept_max)
    options.pool.linger = std::chrono::hours{24};
  auto total = static_cast<double>(log.requests.size());
  options.progress = [&](std::uint64_t done) {
    bar.update(done, static_cast<double>(done) / total);
  };
  return replay(log.requests, options);
}

} // namespace

int run_replay(replay_arguments arguments) {
  set_log_level(log_level::silent); // what goes wrong is said in one line
  check_outputs(arguments);
  arguments.replaying.owner = make_owner();
  auto start = std::chrono::steady_clock::now();
  auto log = read(arguments);
  if (log.stopped) {
    complain("stopped while reading "
             + (arguments.log == "-" ? "standard input" : arguments.log)
             + "; nothing was replayed");
    return interrupted_status();
  }
  auto read_time = std::chrono::steady_clock::now() - start;
  auto result = drive(arguments, log);
  replay_report report{arguments, log, result, read_time};
  write_report(
    arguments.json, arguments.quiet, [&] { return to_json(report); },
    [&] { return to_table(report); });
  if (!result.records_error.empty()) {
    complain("--records " + arguments.records + ": "
             + std::to_string(result.records_missing)
             + " opens and closes are not written: " + result.records_error);
    return 1;
  }
  return result.stopped ? interrupted_status() : 0;
}

} // namespace steward
