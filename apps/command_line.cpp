#include <steward/apps/command_line.hpp>

#include <steward/apps/manual.hpp>
#include <steward/apps/option.hpp>
#include <steward/apps/secrets.hpp>
#include <steward/apps/text.hpp>
#include <steward/core/duration_text.hpp>
#include <steward/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr duration hold_max = 3650 * 24h;
constexpr std::size_t threads_max = 1024;
constexpr duration linger = 60s;
constexpr duration linger_max = 24h;

// The words of the command line, before they are understood.
struct replay_words {
  std::string log;
  std::string format = "auto";
  std::string params = "auto";
  std::string order;
  std::string idle_timeout = "300s";
  std::string max_lifetime = "off";
  std::string per_key_max = "8";
  std::string total_max = "unlimited";
  std::string when_full = "evict";
  std::string hold = "0";
  std::string tick = "1s";
  std::string threads;
  std::string records = "steward.db";
  std::string json;
  bool quiet = false;
};

[[noreturn]] void refuse(std::string_view option, std::string_view value,
                         std::string_view allowed) {
  throw usage_error{std::string{option} + " is \"" + printable(value)
                    + "\"; allowed: " + std::string{allowed}};
}

duration to_duration(std::string_view option, std::string_view word,
                     std::string_view also) {
  if (auto result = parse_duration(word))
    return *result;
  refuse(option, word,
         "a duration, such as 500ms, 90s, 5min, 1h30min" + std::string{also});
}

duration to_timeout(std::string_view option, std::string_view word) {
  return word == "off" ? off : to_duration(option, word, ", or off");
}

std::size_t to_count(std::string_view option, std::string_view word,
                     std::string_view allowed) {
  std::size_t result = 0;
  const auto* end = word.data() + word.size();
  auto [at, code] = std::from_chars(word.data(), end, result);
  if (code != std::errc{} || at != end || word.empty())
    refuse(option, word, allowed);
  return result;
}

template <class T>
T to_choice(std::string_view option, std::string_view word,
            std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (name == word)
      return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string{name};
  }
  refuse(option, word, allowed);
}

// The options of the pool have other names on the command line.
void check_pool(const pool_options& pool) {
  auto lines = check(pool);
  if (lines.empty())
    return;
  auto line = lines.front();
  auto name_end = std::min(line.size(), line.find(' '));
  std::replace(line.begin(),
               line.begin() + static_cast<std::ptrdiff_t>(name_end), '_', '-');
  throw usage_error{"--" + line};
}

log_options to_log_options(const replay_words& words) {
  log_options result;
  result.format = to_choice<log_format>("--format", words.format,
                                        {{"auto", log_format::automatic},
                                         {"clf", log_format::clf},
                                         {"csv", log_format::csv}});
  result.params = to_choice<params_source>("--params", words.params,
                                           {{"auto", params_source::automatic},
                                            {"none", params_source::none},
                                            {"agent", params_source::agent}});
  if (words.order.empty())
    result.order = words.log == "-" ? log_order::clamp : log_order::sort;
  else
    result.order = to_choice<log_order>("--order", words.order,
                                        {{"sort", log_order::sort},
                                         {"clamp", log_order::clamp}});
  if (result.params == params_source::agent && result.format == log_format::csv)
    throw usage_error{"--params agent needs the combined log format, and "
                      "--format is csv"};
  return result;
}

replay_options to_replay_options(const replay_words& words) {
  replay_options result;
  auto& pool = result.pool;
  pool.name = "replay";
  pool.tick = to_duration("--tick", words.tick, "");
  pool.idle_timeout = to_timeout("--idle-timeout", words.idle_timeout);
  pool.max_lifetime = to_timeout("--max-lifetime", words.max_lifetime);
  pool.per_key_max = to_count("--per-key-max", words.per_key_max,
                              "1 to 1000000");
  if (words.total_max != "unlimited")
    pool.total_max = to_count("--total-max", words.total_max,
                              "1 or more, or unlimited");
  pool.when_full = to_choice<full_policy>("--when-full", words.when_full,
                                          {{"evict", full_policy::evict_idle},
                                           {"reject", full_policy::reject}});
  // How long an empty supervisor stays changes no figure, but has to fit.
  pool.linger = std::clamp(linger, std::min(pool.tick, linger_max), linger_max);
  check_pool(pool);
  result.hold = to_duration("--hold", words.hold, ", or 0");
  if (result.hold > hold_max)
    refuse("--hold", words.hold, "0 to 10 years");
  if (!words.threads.empty()) {
    constexpr auto allowed = "1 to 1024";
    result.threads = to_count("--threads", words.threads, allowed);
    if (result.threads < 1 || result.threads > threads_max)
      refuse("--threads", words.threads, allowed);
  }
  return result;
}

replay_arguments to_arguments(const replay_words& words) {
  replay_arguments result;
  if (words.log.empty())
    throw usage_error{"LOG is empty; allowed: a path, or - for standard input"};
  result.log = words.log;
  result.reading = to_log_options(words);
  result.replaying = to_replay_options(words);
  result.records = without_password(words.records);
  if (words.records != "none") {
    result.replaying.records = to_records_url(words.records);
    result.replaying.pool.recorded = true;
  }
  result.json = words.json;
  result.quiet = words.quiet;
  return result;
}

void add_limits(CLI::App& app, replay_words& words) {
  const auto* group = "Limits";
  add_option(app, group, "--idle-timeout", "D|off", words.idle_timeout,
             "Close a resource at the first tick at which nobody has held it "
             "for this long. At least --tick, at most 10 years. Default: 300s");
  add_option(app, group, "--max-lifetime", "D|off", words.max_lifetime,
             "Close a resource at the first tick at which it is this old and "
             "not held. At least --tick, at most 10 years. Default: off");
  add_option(app, group, "--per-key-max", "N", words.per_key_max,
             "Most resources of one key. 1 to 1000000. Default: 8");
  add_option(app, group, "--total-max", "N|unlimited", words.total_max,
             "Most resources of all keys together. 1 or more. "
             "Default: unlimited");
  add_option(app, group, "--when-full", "evict|reject", words.when_full,
             "What a request gets when its key or the pool is full: the place "
             "of the least recently used idle resource (evict; rejected if "
             "none is idle), or nothing (reject). Default: evict");
  add_option(app, group, "--hold", "D", words.hold,
             "How long each request holds its resource. 0 to 10 years. "
             "Default: 0");
  add_option(app, group, "--tick", "D", words.tick,
             "The clock's grid, on which resources are closed. 1ms to 1d. "
             "Default: 1s");
}

void add_input(CLI::App& app, replay_words& words) {
  const auto* group = "Input";
  app.add_option("LOG", words.log)->required()->group("");
  add_option(app, group, "--format", "auto|clf|csv", words.format,
             "The format of LOG; auto: csv if its first line is a header with "
             "time and key, else clf. Default: auto");
  add_option(app, group, "--params", "auto|none|agent", words.params,
             "With what a resource is opened; only equal params share one. "
             "auto: the column params of csv, if there is one; agent: the user "
             "agent of the combined format, so that lines without one are bad. "
             "Default: auto");
  add_option(app, group, "--order", "sort|clamp", words.order,
             "What becomes of late lines, whose time is earlier than one "
             "before them. sort: all lines are sorted by time, those of one "
             "time stay as they are; clamp: time never goes back, a late line "
             "counts as of the latest time before it. Default: sort; clamp for "
             "standard input");
}

void add_output(CLI::App& app, replay_words& words) {
  const auto* group = "Output";
  add_option(app, group, "--records", "PATH|URL|none", words.records,
             "The SQLite database that gets a record of each resource, or "
             "postgresql://USER@HOST/DATABASE. It is made if it is not there; "
             "a run adds to what is in it. Default: steward.db in the working "
             "directory");
  add_option(app, group, "--json", "PATH|-", words.json,
             "Also write the outcome as JSON: to a file, which is replaced in "
             "one step, or to standard output (-), and the table to standard "
             "error then");
  app.add_flag("-q,--quiet", words.quiet, "Print no table and no progress")
    ->disable_flag_override()
    ->group(group);
  add_option(app, "Other", "--threads", "N", words.threads,
             "Worker threads. 1 to 1024; changes the speed only, and more are "
             "no faster. Default: 1");
}

// CLI11 says "--hold: 1 required TEXT missing", "--hold: At Most 1 required but
// received 2", or "quiet was given a disallowed flag override".
std::string mismatch(const std::string& what) {
  auto option = what.substr(0, what.find_first_of(": "));
  if (!what.starts_with('-'))
    return "--" + option + ": takes no value";
  if (what.ends_with("missing"))
    return option + ": its value is missing";
  return option + ": may be given only once";
}

// What was left out: CLI11 has no name for what stands without an option.
std::string missing(const std::string& word, const std::string& what) {
  if (what.starts_with(" is") || word == "LOG")
    return word + " is missing";
  return what.starts_with("A subcommand") ? "the command is missing"
                                          : printable(what);
}

// Why CLI11 could not make sense of the words, as our sentence.
std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
  auto in_replay = app.got_subcommand("replay");
  std::string help = "; see `steward --help`";
  for (const auto* sub : {"replay", "bench", "records"})
    if (app.got_subcommand(sub))
      help = std::string{"; see `steward "} + sub + " --help`";
  auto left = app.remaining(true);
  auto is_required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  auto is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  // A command that it does not know makes it miss one.
  if (!left.empty()
      && (is_extra || (is_required && !left.front().starts_with('-')))) {
    const auto& word = left.front();
    auto is_option = word.size() > 1 && word.front() == '-';
    auto what = is_option   ? "unknown option "
                : in_replay ? "only one LOG is allowed, unexpected: "
                            : "unknown command ";
    return what + printable(word) + help;
  }
  if (is_required)
    return missing(in_replay ? "LOG" : "NAME", error.what()) + help;
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return mismatch(error.what()) + help;
  return printable(error.what()) + help;
}

} // namespace

command parse_command_line(int argc, const char* const* argv) {
  CLI::App app{steward_manual, "steward"};
  app.formatter(std::make_shared<manual_formatter>());
  app.footer(steward_manual_end);
  app.set_help_flag("-h,--help", "Show this text, or that of a command");
  app.set_version_flag("--version", std::string{"steward "} + STEWARD_VERSION,
                       "Show the version");
  app.require_subcommand(0, 1);
  auto& replay = *app.add_subcommand("replay", replay_manual);
  replay.footer(replay_manual_end);
  replay.set_help_flag("-h,--help", "Show this text")->group("Other");
  bench::bench_words bench_words;
  auto& bench = bench::add_bench(app, bench_words);
  replay_words words;
  add_limits(replay, words);
  add_input(replay, words);
  add_output(replay, words);
  records_words record_words;
  auto& records = add_records(app, record_words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return show_text{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return show_text{std::string{version.what()} + '\n'};
  } catch (const CLI::ParseError& error) {
    throw usage_error{complaint(app, error)};
  }
  if (app.got_subcommand(&bench))
    return bench::to_arguments(bench_words);
  if (app.got_subcommand(&records))
    return to_arguments(records, record_words);
  if (!app.got_subcommand(&replay))
    throw usage_error{"no command; see `steward --help`"};
  return to_arguments(words);
}

} // namespace steward
