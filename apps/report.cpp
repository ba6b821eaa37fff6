#include <steward/apps/report.hpp>

#include <steward/apps/text.hpp>
#include <steward/core/duration_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace steward {
namespace {

constexpr std::size_t name_width = 18;
constexpr std::size_t count_width = 14;
constexpr std::size_t share_width = 10;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

double per_second(const replay_result& result) {
  auto s = seconds(result.wall_time);
  return s > 0 ? static_cast<double>(result.requests) / s : 0.0;
}

std::string seconds_text(std::chrono::nanoseconds d) {
  char text[32];
  auto s = seconds(d);
  std::snprintf(text, sizeof(text), s < 1 ? "%.0f ms" : "%.2f s",
                s < 1 ? s * 1000 : s);
  return text;
}

std::string limit_text(duration d) {
  return d == off ? "off" : to_text(d);
}

std::string limit_text(std::size_t n) {
  return n == unlimited ? "unlimited" : with_commas(n);
}

std::string_view when_full_text(full_policy x) {
  return x == full_policy::evict_idle ? "evict" : "reject";
}

std::uint64_t closed(const replay_result& result, close_reason reason) {
  return result.closed[static_cast<std::size_t>(reason)];
}

std::uint64_t closed(const replay_result& result) {
  std::uint64_t sum = 0;
  for (auto n : result.closed)
    sum += n;
  return sum;
}

// The four that a replay is about are always told, others if they happened.
bool is_told(const replay_result& result, close_reason reason) {
  return reason == close_reason::idle || reason == close_reason::lifetime
         || reason == close_reason::evicted || reason == close_reason::drained
         || closed(result, reason) > 0;
}

// "1 request", "2 requests".
std::string counted(std::uint64_t n, std::string_view one,
                    std::string_view many) {
  return with_commas(n) + ' ' + std::string{n == 1 ? one : many};
}

std::string row(std::string_view name, std::uint64_t count,
                const std::string& share, std::string_view note) {
  auto result = left(std::string{name}, name_width)
                + right(with_commas(count), count_width)
                + right(share, share_width) + "   " + std::string{note};
  result.erase(result.find_last_not_of(' ') + 1);
  return result + '\n';
}

std::string meaning(const replay_report& report, close_reason reason) {
  const auto& pool = report.arguments.replaying.pool;
  switch (reason) {
    case close_reason::idle:
      return "not used for " + limit_text(pool.idle_timeout);
    case close_reason::lifetime:
      return pool.max_lifetime == off
               ? std::string{"--max-lifetime is off"}
               : "older than " + limit_text(pool.max_lifetime);
    case close_reason::evicted: return "made room for another one";
    case close_reason::drained: return "open at the end";
    default: return {};
  }
}

std::string head(const replay_report& report) {
  const auto& log = report.log;
  const auto& result = report.result;
  auto name = report.arguments.log == "-" ? std::string{"standard input"}
                                          : printable(report.arguments.log);
  auto text = name + ": " + counted(result.requests, "request", "requests")
              + " for " + counted(log.keys, "key", "keys") + " in "
              + to_text(result.virtual_time);
  if (result.stopped)
    text += "\nStopped early: " + with_commas(log.requests.size())
            + " requests were read, the figures are for the first "
            + with_commas(result.requests) + " of them.";
  if (log.late > 0)
    text += "\n" + counted(log.late, "line was", "lines were")
            + " late (earlier than a line before); "
            + (report.arguments.reading.order == log_order::sort
                 ? "all were sorted by time."
                 : "they count as of the latest time before them.");
  auto all = wrapped(text, 0);
  if (log.bad > 0) {
    all += counted(log.bad, "line", "lines") + " of " + with_commas(log.lines)
           + " cannot be parsed:\n";
    for (const auto& x : log.bad_lines)
      all += "  line " + std::to_string(x.number) + ": " + x.reason + "\n    "
             + x.text + '\n';
    if (log.bad > log.bad_lines.size())
      all += "  and " + with_commas(log.bad - log.bad_lines.size()) + " more\n";
  }
  return all;
}

std::string limits(const replay_report& report) {
  const auto& options = report.arguments.replaying;
  const auto& pool = options.pool;
  std::string text;
  auto pair = [&](std::string_view name, std::string_view value) {
    text += "  " + left(std::string{name}, name_width - 2)
            + left(std::string{value}, count_width + 4);
  };
  auto end = [&] {
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  text += "Limits\n";
  pair("idle timeout", limit_text(pool.idle_timeout));
  pair("max lifetime", limit_text(pool.max_lifetime));
  end();
  pair("per key max", limit_text(pool.per_key_max));
  pair("total max", limit_text(pool.total_max));
  end();
  pair("when full", when_full_text(pool.when_full));
  pair("hold, tick", to_text(options.hold) + ", " + to_text(pool.tick));
  end();
  return text;
}

std::string counts(const replay_report& report) {
  const auto& result = report.result;
  auto of_requests = [&](std::uint64_t n) {
    return percent(n, result.requests);
  };
  auto all_closed = closed(result);
  auto text = row("Requests", result.requests, "", "")
              + row("  reused", result.reused, of_requests(result.reused),
                    "found a free resource")
              + row("  opened", result.opened, of_requests(result.opened),
                    "waited for a new one")
              + row("  rejected", result.rejected, of_requests(result.rejected),
                    "got none")
              + row("Closed", all_closed, "", "");
  for (std::size_t i = 0; i < close_reason_count; ++i) {
    auto reason = static_cast<close_reason>(i);
    if (is_told(result, reason))
      text += row("  " + std::string{to_string(reason)}, result.closed[i],
                  percent(result.closed[i], all_closed),
                  meaning(report, reason));
  }
  text += row("Open at most", result.peak_open, "", "at one instant");
  const auto& options = report.arguments.replaying;
  if (options.records.empty())
    return text;
  text += row("Records", result.records_written, "",
              "in " + printable(report.arguments.records));
  if (result.conflicts > 0)
    text += row("  conflicts", result.conflicts, "", "names that were taken");
  return text + "  owner: " + options.owner + '\n';
}

std::string rejection_words(const replay_report& report) {
  const auto& result = report.result;
  const auto& pool = report.arguments.replaying.pool;
  if (result.rejected == 0)
    return "Nobody was turned away.";
  auto text = counted(result.rejected, "request was", "requests were")
              + " turned away (" + percent(result.rejected, result.requests)
              + "): the key had its " + with_commas(pool.per_key_max)
              + (pool.total_max == unlimited
                   ? ""
                   : ", or all keys their " + with_commas(pool.total_max));
  return text
         + (pool.when_full == full_policy::reject
              ? ", and to close an idle one for it was not allowed "
                "(--when-full evict allows it)."
              : ", and all of those were in use.");
}

// What the figures mean for the people behind the keys.
std::string words(const replay_report& report) {
  const auto& result = report.result;
  const auto& pool = report.arguments.replaying.pool;
  if (result.requests == 0)
    return {};
  auto text = percent(result.reused, result.requests)
              + " of the requests found a free resource at once; "
              + percent(result.opened, result.requests)
              + " had to wait until one was opened. " + rejection_words(report);
  if (auto n = closed(result, close_reason::evicted); n > 0)
    text += ' ' + counted(n, "resource was", "resources were")
            + " closed before its time to make room, which a higher limit "
              "(--per-key-max is "
            + limit_text(pool.per_key_max) + ", --total-max "
            + limit_text(pool.total_max) + ") would avoid.";
  if (auto n = closed(result, close_reason::lifetime); n > 0)
    text += ' ' + counted(n, "was", "were") + " closed for age, though in use "
            + "within the last " + limit_text(pool.idle_timeout) + '.';
  if (auto n = closed(result, close_reason::idle); n > 0)
    text += ' ' + counted(n, "resource was", "resources were")
            + " closed after " + limit_text(pool.idle_timeout)
            + " without use.";
  text += " At most "
          + counted(result.peak_open, "resource was", "resources were")
          + " open at one instant; one for each key, never closed, would have "
            "been "
          + with_commas(report.log.keys) + '.';
  return "What these limits did to these users\n" + wrapped(text, 2);
}

nlohmann::ordered_json milliseconds(duration d) {
  if (d == off)
    return nullptr;
  auto ns = d.count();
  if (ns % 1'000'000 == 0)
    return ns / 1'000'000;
  return static_cast<double>(ns) / 1e6;
}

nlohmann::ordered_json options_json(const replay_arguments& arguments) {
  const auto& pool = arguments.replaying.pool;
  nlohmann::ordered_json json;
  json["idle_timeout_ms"] = milliseconds(pool.idle_timeout);
  json["max_lifetime_ms"] = milliseconds(pool.max_lifetime);
  json["per_key_max"] = pool.per_key_max;
  json["total_max"] = nullptr;
  if (pool.total_max != unlimited)
    json["total_max"] = pool.total_max;
  json["when_full"] = when_full_text(pool.when_full);
  json["hold_ms"] = milliseconds(arguments.replaying.hold);
  json["tick_ms"] = milliseconds(pool.tick);
  json["order"] = to_string(arguments.reading.order);
  json["params"] = to_string(arguments.reading.params);
  return json;
}

} // namespace

std::string to_table(const replay_report& report) {
  auto rate
    = static_cast<std::uint64_t>(std::llround(per_second(report.result)));
  return head(report) + '\n' + limits(report) + '\n' + counts(report) + '\n'
         + words(report) + "\nReplayed in "
         + seconds_text(report.result.wall_time) + " (" + with_commas(rate)
         + " requests/s), read in " + seconds_text(report.read_time) + ".\n";
}

std::string to_json(const replay_report& report) {
  const auto& log = report.log;
  const auto& result = report.result;
  nlohmann::ordered_json json;
  json["log"] = report.arguments.log;
  json["format"] = to_string(log.format);
  json["lines"] = log.lines;
  json["requests"] = result.requests;
  json["bad"] = log.bad;
  json["late"] = log.late;
  json["keys"] = log.keys;
  json["opened"] = result.opened;
  json["reused"] = result.reused;
  json["rejected"] = result.rejected;
  auto& by_reason = json["closed"] = nlohmann::ordered_json::object();
  for (auto reason : {close_reason::idle, close_reason::lifetime,
                      close_reason::evicted, close_reason::drained})
    by_reason[std::string{to_string(reason)}] = closed(result, reason);
  for (std::size_t i = 0; i < close_reason_count; ++i)
    if (result.closed[i] > 0)
      by_reason[std::string{close_reason_names[i]}] = result.closed[i];
  json["peak_open"] = result.peak_open;
  json["records_written"] = result.records_written;
  json["conflicts"] = result.conflicts;
  json["virtual_seconds"] = seconds(result.virtual_time);
  json["read_seconds"] = seconds(report.read_time);
  json["wall_seconds"] = seconds(result.wall_time);
  json["requests_per_second"] = per_second(result);
  json["stopped"] = result.stopped;
  json["options"] = options_json(report.arguments);
  json["records"] = nullptr;
  if (!report.arguments.replaying.records.empty())
    json["records"] = report.arguments.records;
  json["owner"] = report.arguments.replaying.owner;
  auto& bad_lines = json["bad_lines"] = nlohmann::ordered_json::array();
  for (const auto& x : log.bad_lines)
    bad_lines.push_back(
      {{"line", x.number}, {"reason", x.reason}, {"text", x.text}});
  // A path may have any bytes; JSON may not.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
         + '\n';
}

} // namespace steward
