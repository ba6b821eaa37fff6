#include <steward/apps/bench/workload.hpp>

#include <steward/apps/text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>

namespace steward::bench {
namespace {

constexpr std::size_t clients_max = 1'024;
constexpr std::uint32_t keys_max = 100'000'000;
constexpr std::size_t limit_max = 1'000'000;
constexpr double seconds_max = 3'600;
constexpr double rate_max = 1e9;

[[noreturn]] void refuse(std::string_view option, std::string_view word,
                         std::string_view allowed) {
  throw unusable_run{std::string{option} + " is \"" + printable(word)
                     + "\"; allowed: " + std::string{allowed}};
}

template <class T>
T to_number(std::string_view option, std::string_view word, T least, T most,
            std::string_view allowed) {
  T result{};
  const auto* end = word.data() + word.size();
  auto [at, code] = std::from_chars(word.data(), end, result);
  if (code != std::errc{} || at != end || !(result >= least && result <= most))
    refuse(option, word, allowed);
  return result;
}

workload to_workload(std::string_view word) {
  for (std::size_t i = 0; i < workload_count; ++i)
    if (auto x = static_cast<workload>(i); to_string(x) == word)
      return x;
  refuse("WORKLOAD", word, "W1, W2, W3, W4, W5");
}

void set(run_options& run, std::string_view option, std::string_view word) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  if (option == "--clients")
    run.clients = to_number<std::size_t>(option, word, 1, clients_max,
                                         "1 to 1024");
  else if (option == "--keys")
    run.keys = to_number<std::uint32_t>(option, word, 1, keys_max,
                                        "1 to 100000000");
  else if (option == "--seconds")
    run.seconds = to_number(option, word, 1e-3, seconds_max, "0.001 to 3600");
  else if (option == "--limit")
    run.limit = to_number<std::size_t>(option, word, 1, limit_max,
                                       "1 to 1000000");
  else if (option == "--total")
    run.total = to_number<std::size_t>(option, word, 1, most, "1 or more");
  else if (option == "--seed")
    run.seed = to_number<std::uint64_t>(option, word, 0, most, "0 to 2^64 - 1");
  else if (option == "--pace")
    run.pace = to_number(option, word, 1.0, rate_max, "1 to 1e9 a second");
  else if (option == "--operations")
    run.operations = to_number<std::uint64_t>(option, word, 1, most,
                                              "1 or more");
  else if (option != "--from")
    throw unusable_run{"unknown option " + printable(option)};
  else if (word != "threads" && word != "actors")
    refuse(option, word, "threads, actors");
  else
    run.from = word == "threads" ? origin::threads : origin::actors;
}

void check(const run_options& run) {
  if (run.pace && run.operations)
    throw unusable_run{"--pace and --operations exclude each other"};
  if (run.what == workload::w4 && (run.pace || run.operations))
    throw unusable_run{"W4 has no --pace and no --operations"};
  if (run.what == workload::w2 && run.total < run.clients)
    throw unusable_run{"--total is less than --clients"};
}

} // namespace

run_options defaults_of(workload what) {
  run_options result;
  result.what = what;
  switch (what) {
    case workload::w1: break;
    case workload::w2:
      result.keys = 1'000'000;
      result.limit = 4;
      result.total = 100'000;
      break;
    case workload::w3: result.limit = 1; break;
    case workload::w4:
      result.clients = 1;
      result.keys = 100'000;
      result.limit = 1;
      break;
    case workload::w5:
      result.clients = 64;
      result.keys = 1;
      result.limit = 1;
      break;
  }
  return result;
}

std::string help_of_driver(std::string_view name) {
  return std::string{name}
         + ": one run of a workload, as one line of JSON\n\n"
           "  WORKLOAD            W1, W2, W3, W4 or W5; then, in any order,\n"
           "  --clients N         1 to 1024\n"
           "  --from WHAT         threads or actors\n"
           "  --keys K            1 to 100000000\n"
           "  --seconds S         0.001 to 3600\n"
           "  --limit L           most resources of a key, 1 to 1000000\n"
           "  --total T           most of all keys\n"
           "  --seed X            which keys are drawn\n"
           "  --pace R            operations that are due in a second\n"
           "  --operations O      so many of them instead of --seconds\n\n"
           "`steward bench --help` tells what the workloads are, under DRIVERS\n"
           "what is printed and with what a driver ends, and compares several.\n";
}

bool asks_for_help(int count, const char* const* words) {
  auto is_help = [](std::string_view x) { return x == "-h" || x == "--help"; };
  return std::any_of(words, words + count, is_help);
}

run_options parse_run(int count, const char* const* words) {
  std::span all{words, static_cast<std::size_t>(count)};
  if (all.empty())
    throw unusable_run{"WORKLOAD is missing; allowed: W1, W2, W3, W4, W5"};
  auto result = defaults_of(to_workload(all[0]));
  for (std::size_t i = 1; i < all.size(); i += 2) {
    if (i + 1 == all.size())
      throw unusable_run{printable(all[i]) + ": its value is missing"};
    set(result, all[i], all[i + 1]);
  }
  check(result);
  return result;
}

std::string to_words(const run_options& run) {
  auto decimal = [](double x) {
    char text[32];
    auto [end, code] = std::to_chars(text, text + sizeof(text), x);
    return std::string{text, code == std::errc{} ? end : text};
  };
  auto result = std::string{to_string(run.what)} + " --clients "
                + std::to_string(run.clients) + " --from "
                + std::string{to_string(run.from)} + " --keys "
                + std::to_string(run.keys) + " --seconds "
                + decimal(run.seconds) + " --limit " + std::to_string(run.limit)
                + " --seed " + std::to_string(run.seed);
  if (run.total)
    result += " --total " + std::to_string(*run.total);
  if (run.pace)
    result += " --pace " + decimal(*run.pace);
  if (run.operations)
    result += " --operations " + std::to_string(*run.operations);
  return result;
}

} // namespace steward::bench
