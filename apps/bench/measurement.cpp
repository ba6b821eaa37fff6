#include <steward/apps/bench/measurement.hpp>

#include <steward/apps/text.hpp>

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace steward::bench {
namespace {

using nlohmann::ordered_json;

// Calls `f(name, field)` for each figure that may be missing.
template <class X, class F>
void each_figure(X& x, F f) {
  f("rate", x.rate);
  f("p50_ns", x.p50_ns);
  f("p90_ns", x.p90_ns);
  f("p99_ns", x.p99_ns);
  f("p999_ns", x.p999_ns);
  f("max_ns", x.max_ns);
  f("clock_ns", x.clock_ns);
  f("cpu_seconds", x.cpu_seconds);
  f("peak_rss_bytes", x.peak_rss_bytes);
  f("bytes_per_key", x.bytes_per_key);
  f("bytes_per_key_after", x.bytes_per_key_after);
  f("hit_rate", x.hit_rate);
  f("refused", x.refused);
  f("jain", x.jain);
  f("longest_wait_ns", x.longest_wait_ns);
  f("expire_all_ms", x.expire_all_ms);
  f("tick_idle_us", x.tick_idle_us);
  f("tick_idle_max_us", x.tick_idle_max_us);
}

template <class T>
ordered_json or_null(const std::optional<T>& x) {
  return x ? ordered_json(*x) : ordered_json(nullptr);
}

// A figure of an unknown driver: 1e6 is as good as 1000000.
template <class T>
void read_figure(const ordered_json& from, const char* name,
                 std::optional<T>& to) {
  auto at = from.find(name);
  if (at == from.end() || at->is_null())
    return;
  auto x = at->get<double>();
  if (!(x >= 0))
    throw std::runtime_error{std::string{name} + " is negative"};
  to = at->is_number_integer() ? at->get<T>() : static_cast<T>(x);
}

run_options read_run(const ordered_json& json) {
  auto name = json.at("workload").get<std::string>();
  const char* words[] = {name.c_str()};
  auto run = parse_run(1, words);
  run.clients = json.value("clients", run.clients);
  run.from = json.value("from", "threads") == "actors" ? origin::actors
                                                       : origin::threads;
  run.keys = json.value("keys", run.keys);
  run.seconds = json.value("seconds", run.seconds);
  return run;
}

} // namespace

std::string to_line(const measurement& x) {
  ordered_json json;
  json["driver"] = x.driver;
  json["workload"] = to_string(x.run.what);
  json["clients"] = x.run.clients;
  json["from"] = to_string(x.run.from);
  json["keys"] = x.run.keys;
  json["seconds"] = x.run.seconds;
  json["limit"] = x.run.limit;
  json["total"] = or_null(x.run.total);
  json["seed"] = x.run.seed;
  json["pace"] = or_null(x.run.pace);
  json["operations"] = x.operations;
  each_figure(x, [&](const char* name, const auto& figure) {
    json[name] = or_null(figure);
  });
  json["stopped"] = x.stopped;
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

measurement parse_line(std::string_view line) {
  try {
    auto json = ordered_json::parse(line);
    measurement x;
    x.driver = json.at("driver").get<std::string>();
    x.run = read_run(json);
    x.operations = json.at("operations").get<std::uint64_t>();
    each_figure(x, [&](const char* name, auto& figure) {
      read_figure(json, name, figure);
    });
    x.stopped = json.value("stopped", false);
    return x;
  } catch (const std::exception& e) {
    throw std::runtime_error{"no measurement: " + printable(e.what())};
  }
}

} // namespace steward::bench
