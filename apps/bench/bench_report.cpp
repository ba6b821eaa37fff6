#include <steward/apps/bench/bench_report.hpp>

#include <steward/apps/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace steward::bench {
namespace {

using nlohmann::ordered_json;

std::string text_of(const char* format, double x) {
  char text[48];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

// Three digits that count.
std::string three_digits(double x, const char* unit) {
  const auto* format = x < 9.995 ? "%.2f" : x < 99.95 ? "%.1f" : "%.0f";
  return text_of(format, x) + unit;
}

std::string whole(double x) {
  return with_commas(static_cast<std::uint64_t>(std::llround(x)));
}

template <class F>
std::string or_dash(std::optional<double> x, F f) {
  return x ? f(*x) : std::string{"-"};
}

// What is of interest in one workload only.
std::string notes(const driver_series& x, workload what) {
  std::string result;
  auto note = [&](std::string text) {
    result += (result.empty() ? "" : ", ") + std::move(text);
  };
  if (auto n = median_of(x, &measurement::expire_all_ms))
    note("all gone in " + short_time(*n * 1e6));
  if (auto n = median_of(x, &measurement::tick_idle_us))
    note("idle tick " + short_time(*n * 1e3));
  if (auto n = median_of(x, &measurement::tick_idle_max_us))
    note("the longest " + short_time(*n * 1e3));
  if (auto n = median_of(x, &measurement::hit_rate); n && what == workload::w2)
    note(text_of("%.1f %% hits", *n * 100));
  if (auto n = median_of(x, &measurement::jain); n && what == workload::w5)
    note(text_of("Jain %.3f", *n));
  if (auto n = median_of(x, &measurement::bytes_per_key))
    note(whole(*n) + " B per key");
  if (auto n = median_of(x, &measurement::bytes_per_key_after))
    note(whole(*n) + " B after");
  if (auto n = median_of(x, &measurement::refused); n && *n > 0)
    note(short_count(*n) + " refused");
  return result;
}

constexpr std::size_t label_width_min = 14;
constexpr std::size_t figure_width = 9;

std::size_t label_width_of(const bench_report& report) {
  auto result = label_width_min;
  for (const auto& x : report.results)
    for (const auto& driver : x.drivers)
      result = std::max(result, driver.label.size());
  return result;
}

std::string row(const driver_series& x, workload what,
                std::size_t label_width) {
  auto result = "  " + left(x.label, label_width);
  if (x.cannot)
    return result + "  cannot do this\n";
  auto time = [&](std::optional<std::uint64_t> measurement::*figure) {
    result += right(or_dash(median_of(x, figure), short_time), figure_width);
  };
  result += right(or_dash(median_of(x, &measurement::rate), short_count),
                  figure_width);
  result += right(or_dash(cpu_of_operation(x), short_time), figure_width);
  time(&measurement::p50_ns);
  time(&measurement::p99_ns);
  time(&measurement::max_ns);
  result += "   " + notes(x, what);
  result.erase(result.find_last_not_of(' ') + 1);
  return result + '\n';
}

// Two digits behind the point, or two that count.
std::string ratio(double x) {
  return text_of(x < 0.095 ? "%.2g" : x < 9.995 ? "%.2f" : "%.0f", x);
}

std::string ratio_text(const run_result& in, std::size_t other) {
  auto rates = spread_of(rate_ratios(in, other));
  auto result = "  " + in.drivers.front().label + " / "
                + in.drivers[other].label + ": rate " + ratio(rates.median);
  if (rates.count > 1)
    result += " (" + ratio(rates.least) + " to " + ratio(rates.most) + " in "
              + std::to_string(rates.count) + " pairs, half of them "
              + ratio(rates.quartile_1) + " to " + ratio(rates.quartile_3)
              + ')';
  auto cpu = cpu_of_operation(in.drivers.front());
  auto others_cpu = cpu_of_operation(in.drivers[other]);
  if (cpu && others_cpu && *others_cpu > 0)
    result += ", CPU " + ratio(*cpu / *others_cpu);
  return result + '\n';
}

ordered_json json_of(const spread& x) {
  auto or_null = [](std::optional<double> y) {
    return y ? ordered_json(*y) : ordered_json(nullptr);
  };
  return {{"median", x.median},
          {"least", x.least},
          {"most", x.most},
          {"quartile_1", x.quartile_1},
          {"quartile_3", x.quartile_3},
          {"likely_least", or_null(x.likely_least)},
          {"likely_most", or_null(x.likely_most)}};
}

ordered_json json_of(const run_result& x) {
  ordered_json json;
  json["workload"] = to_string(x.run.what);
  json["from"] = to_string(x.run.from);
  json["clients"] = x.run.clients;
  json["words"] = to_words(x.run);
  auto& drivers = json["drivers"] = ordered_json::array();
  auto& ratios = json["ratios"] = ordered_json::array();
  for (std::size_t i = 0; i < x.drivers.size(); ++i) {
    const auto& driver = x.drivers[i];
    ordered_json one{{"label", driver.label},
                     {"command", driver.command},
                     {"cannot", driver.cannot}};
    auto& all = one["measurements"] = ordered_json::array();
    for (const auto& y : driver.all)
      all.push_back(ordered_json::parse(to_line(y)));
    drivers.push_back(std::move(one));
    auto pairs = i == 0 ? std::vector<double>{} : rate_ratios(x, i);
    if (pairs.empty())
      continue;
    auto ratio = json_of(spread_of(pairs));
    ratio["to"] = driver.label;
    ratio["pairs"] = pairs;
    ratios.push_back(std::move(ratio));
  }
  return json;
}

} // namespace

std::string short_count(double n) {
  if (n < 999.5)
    return three_digits(n, "");
  if (n < 999.5e3)
    return three_digits(n / 1e3, " k");
  return three_digits(n / 1e6, " M");
}

std::string short_time(double nanoseconds) {
  if (nanoseconds < 999.5)
    return text_of("%.0f ns", nanoseconds);
  if (nanoseconds < 999.5e3)
    return three_digits(nanoseconds / 1e3, " us");
  if (nanoseconds < 999.5e6)
    return three_digits(nanoseconds / 1e6, " ms");
  return three_digits(nanoseconds / 1e9, " s");
}

std::optional<double> cpu_of_operation(const driver_series& of) {
  std::vector<double> all;
  for (const auto& x : of.all)
    if (x.cpu_seconds && x.operations > 0)
      all.push_back(*x.cpu_seconds * 1e9 / static_cast<double>(x.operations));
  if (all.empty())
    return std::nullopt;
  return spread_of(std::move(all)).median;
}

std::vector<double> rate_ratios(const run_result& in, std::size_t other) {
  return ratios_of(figures_of(in.drivers.front(), &measurement::rate),
                   figures_of(in.drivers[other], &measurement::rate));
}

std::string title_of(const run_options& run) {
  auto kind = std::string{to_string(run.from)};
  if (run.clients == 1)
    kind.pop_back();
  auto result = std::string{to_string(run.what)} + " from "
                + with_commas(run.clients) + ' ' + kind;
  if (run.what != workload::w5)
    result += ", " + with_commas(run.keys) + " keys";
  if (run.pace)
    result += ", " + short_count(*run.pace) + "/s due";
  return result;
}

std::string to_table(const bench_report& report) {
  auto result = report.machine + ", " + report.date + '\n';
  if (report.stopped)
    result += "Stopped early: these are the figures so far.\n";
  auto label_width = label_width_of(report);
  for (const auto& x : report.results) {
    result += '\n' + title_of(x.run) + '\n' + std::string(label_width + 2, ' ');
    for (const auto* head : {"rate/s", "CPU", "p50", "p99", "max"})
      result += right(head, figure_width);
    result += '\n';
    for (const auto& driver : x.drivers)
      result += row(driver, x.run.what, label_width);
    for (std::size_t i = 1; i < x.drivers.size(); ++i)
      if (!rate_ratios(x, i).empty())
        result += ratio_text(x, i);
  }
  return result;
}

std::string to_json(const bench_report& report) {
  ordered_json json;
  json["machine"] = report.machine;
  json["date"] = report.date;
  json["stopped"] = report.stopped;
  auto& runs = json["runs"] = ordered_json::array();
  for (const auto& x : report.results)
    runs.push_back(json_of(x));
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace)
         + '\n';
}

} // namespace steward::bench
