#include <steward/apps/bench/bench_arguments.hpp>

#include <steward/apps/bench/bench_manual.hpp>
#include <steward/apps/bench/child.hpp>
#include <steward/apps/option.hpp>
#include <steward/apps/text.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

namespace steward::bench {
namespace {

constexpr std::size_t repeat_max = 1'000;
constexpr std::size_t repeat_against = 5;
constexpr double at_least_max = 1'000;

void add_work(CLI::App& app, bench_words& words) {
  const auto* group = "Work";
  app.add_option("WORKLOAD", words.workloads)->group("");
  add_option(app, group, "--clients", "N[,N]...", words.clients,
             "How many clients borrow at the same time; several numbers are "
             "measured one after the other. 1 to 1024. Default: 2; W4: 1; "
             "W5: 64");
  add_option(app, group, "--from", "threads|actors|both", words.from,
             "What the clients are. Default: threads");
  add_option(app, group, "--keys", "K", words.keys,
             "How many keys there are. 1 to 100000000. Default: 1000; W2: "
             "1000000; W4: 100000; W5: 1");
  add_option(app, group, "--seconds", "S", words.seconds,
             "How long operations are counted. They are warmed up for a "
             "quarter of that before, and timed for half of it after. 0.001 to "
             "3600. Default: 2");
  add_option(app, group, "--limit", "L", words.limit,
             "Most resources of a key. 1 to 1000000. Default: 8; W2: 4; W3, "
             "W4, W5: 1");
  add_option(app, group, "--total", "T", words.total,
             "Most resources of all keys. 1 or more. Default: unlimited; W2: "
             "100000");
  add_option(app, group, "--seed", "X", words.seed,
             "Which keys the clients draw. Default: 1");
  add_option(app, group, "--pace", "R", words.pace,
             "So many operations a second are due, of all clients together, "
             "and each is timed from when it was due. Not for W4. Default: "
             "each client begins an operation when it has ended one");
  add_option(app, group, "--operations", "O", words.operations,
             "So many operations of all clients together instead of so many "
             "seconds, each one timed. Not for W4");
}

void add_comparison(CLI::App& app, bench_words& words) {
  const auto* group = "Comparison";
  app
    .add_option("--against", words.against,
                "Another driver; may be given several times. Each does the "
                "same work, in turn with this steward. Words are separated by "
                "blanks; a program whose name is steward is called with bench "
                "--driver")
    ->option_text("COMMAND")
    ->allow_extra_args(false) // what follows is a workload
    ->take_all()
    ->group(group);
  add_option(app, group, "--repeat", "R", words.repeat,
             "How often everything is run; figures are medians. 1 to 1000. "
             "Default: 1; 5 with --against");
  add_option(app, group, "--at-least", "X", words.at_least,
             "Ends with 4 if a rate is certainly (95 %) less than X times that "
             "of a driver of --against. Needs a --repeat of at least 5");
}

void add_output(CLI::App& app, bench_words& words) {
  const auto* group = "Output";
  add_option(app, group, "--json", "PATH|-", words.json,
             "Also write every run and every ratio as JSON: to a file, which "
             "is replaced in one step, or to standard output (-), and the "
             "table to standard error then");
  add_option(app, group, "--plot", "PATH", words.plot,
             "Also write a page with plots, which needs nothing but a browser");
  app.add_flag("-q,--quiet", words.quiet, "Print no table and no progress")
    ->disable_flag_override()
    ->group(group);
  app
    .add_flag("--driver", words.driver,
              "As the first word: do one run in this process and print it as "
              "one line of JSON, as every driver of --against does. See "
              "DRIVERS")
    ->disable_flag_override()
    ->group("Other");
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> result{""};
  for (auto c : text)
    if (c == ',')
      result.emplace_back();
    else
      result.back() += c;
  return result;
}

std::vector<std::string> origins_of(const std::string& from) {
  if (from == "both")
    return {"threads", "actors"};
  if (from != "threads" && from != "actors")
    throw unusable_run{"--from is \"" + printable(from)
                       + "\"; allowed: threads, actors, both"};
  return {from};
}

run_options to_run(const bench_words& words, const std::string& what,
                   const std::string& from, const std::string& clients) {
  std::vector<const char*> all{what.c_str()};
  auto add = [&](const char* option, const std::string& word) {
    if (!word.empty())
      all.insert(all.end(), {option, word.c_str()});
  };
  add("--from", from);
  if (!words.clients.empty())
    all.insert(all.end(), {"--clients", clients.c_str()});
  add("--keys", words.keys);
  add("--seconds", words.seconds);
  add("--limit", words.limit);
  add("--total", words.total);
  add("--seed", words.seed);
  add("--pace", words.pace);
  add("--operations", words.operations);
  return parse_run(static_cast<int>(all.size()), all.data());
}

template <class T>
T to_number(const char* option, const std::string& word, T least, T most,
            const char* allowed) {
  T result{};
  const auto* end = word.data() + word.size();
  auto [at, code] = std::from_chars(word.data(), end, result);
  if (code != std::errc{} || at != end || !(result >= least && result <= most))
    throw unusable_run{std::string{option} + " is \"" + printable(word)
                       + "\"; allowed: " + allowed};
  return result;
}

void read_comparison(const bench_words& words, bench_arguments& to) {
  to.against = words.against;
  for (const auto& command : to.against)
    if (split_words(command).empty())
      throw unusable_run{"--against is empty; allowed: a command"};
  to.repeat = to.against.empty() ? 1 : repeat_against;
  if (!words.repeat.empty())
    to.repeat = to_number<std::size_t>("--repeat", words.repeat, 1, repeat_max,
                                       "1 to 1000");
  if (words.at_least.empty())
    return;
  to.at_least = to_number("--at-least", words.at_least, 0.0, at_least_max,
                          "0 to 1000");
  if (to.against.empty())
    throw unusable_run{"--at-least needs --against"};
  if (to.repeat < repeat_against)
    throw unusable_run{"--at-least needs a --repeat of at least 5, which is "
                       + std::to_string(to.repeat)};
}

} // namespace

CLI::App& add_bench(CLI::App& app, bench_words& words) {
  auto& result = *app.add_subcommand("bench", bench_manual);
  result.footer(bench_manual_end);
  result.set_help_flag("-h,--help", "Show this text")->group("Other");
  add_work(result, words);
  add_comparison(result, words);
  add_output(result, words);
  return result;
}

bench_arguments to_arguments(const bench_words& words) {
  if (words.driver)
    throw unusable_run{"--driver must be the first word after bench"};
  bench_arguments result;
  std::vector<std::string> all{"W1", "W2", "W3", "W4", "W5"};
  if (!words.workloads.empty())
    all = words.workloads;
  auto sorted = all;
  std::sort(sorted.begin(), sorted.end());
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw unusable_run{"WORKLOAD " + printable(*twice)
                       + " is named twice; --repeat runs it more often"};
  for (const auto& what : all)
    for (const auto& from : origins_of(words.from))
      for (const auto& clients : split_list(words.clients))
        result.runs.push_back(to_run(words, what, from, clients));
  read_comparison(words, result);
  result.json = words.json;
  result.plot = words.plot;
  if (result.plot == "-")
    throw unusable_run{"--plot is \"-\"; allowed: a path"};
  result.quiet = words.quiet;
  return result;
}

} // namespace steward::bench
