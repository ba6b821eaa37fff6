#include <steward/apps/bench/bench_report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace steward::bench {
namespace {

constexpr double label_end = 190;
constexpr double axis_end = 760;
constexpr double row_height = 26;
constexpr double axis_height = 34;

const std::array<std::string_view, 8> colours{"#0b6e99", "#d9730d", "#0f7b6c",
                                              "#ad1a72", "#6940a5", "#9b9a97",
                                              "#64473a", "#e03e3e"};

const char* const page_start = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>steward bench</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 54em;
       padding: 0 1em; color: #222; background: #fff }
h2 { margin: 2em 0 0.3em } p, figcaption { color: #555 } figure { margin: 0 }
svg { width: 100%; height: auto } text { font-size: 12px; fill: #333 }
.grid { stroke: #ddd } .dot { fill: #222; fill-opacity: 0.55 }
</style>
<h1>steward bench</h1>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (auto c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", x);
  return text;
}

std::string attribute(std::string_view name, double x) {
  return ' ' + std::string{name} + "=\"" + number(x) + '"';
}

std::string text_at(double x, double y, std::string_view anchor,
                    const std::string& text) {
  return "<text" + attribute("x", x) + attribute("y", y) + " text-anchor=\""
         + std::string{anchor} + "\">" + escaped(text) + "</text>\n";
}

// Where a value is on an axis.
class axis {
public:
  axis(double least, double most, bool logarithmic)
    : least_(least), most_(most), logarithmic_(logarithmic) {
  }

  double at(double x) const {
    auto share = logarithmic_ ? std::log(std::max(x, least_) / least_)
                                  / std::log(most_ / least_)
                              : (x - least_) / (most_ - least_);
    return label_end + std::clamp(share, 0.0, 1.0) * (axis_end - label_end);
  }

  std::vector<double> marks() const {
    std::vector<double> result;
    if (logarithmic_) {
      for (auto x = least_; x <= most_ * 1.001; x *= 10)
        result.push_back(x);
      return result;
    }
    auto step = std::pow(10.0, std::floor(std::log10(most_)));
    while (most_ / step < 4)
      step /= 2;
    for (auto x = 0.0; x <= most_ * 1.001; x += step)
      result.push_back(x);
    return result;
  }

private:
  double least_;
  double most_;
  bool logarithmic_;
};

std::string grid(const axis& x, double height, std::string (*text)(double)) {
  std::string result;
  for (auto mark : x.marks()) {
    auto at = x.at(mark);
    result += "<line class=\"grid\"" + attribute("x1", at) + attribute("x2", at)
              + attribute("y1", 0) + attribute("y2", height) + "/>\n"
              + text_at(at, height + 16, "middle", text(mark));
  }
  return result;
}

std::string figure(const std::string& content, double height,
                   const std::string& caption) {
  return "<figure><svg role=\"img\" viewBox=\"0 0 840 " + number(height)
         + "\">\n" + content + "</svg><figcaption>" + escaped(caption)
         + "</figcaption></figure>\n";
}

// A bar for the median, a dot for each run.
std::string rates(const run_result& of) {
  double most = 0;
  std::size_t rows = 0;
  for (const auto& x : of.drivers) {
    auto all = figures_of(x, &measurement::rate);
    rows += all.empty() ? 0U : 1U;
    for (auto n : all)
      most = std::max(most, n);
  }
  if (most <= 0)
    return {};
  axis scale{0, most, false};
  auto height = static_cast<double>(rows) * row_height;
  auto content = grid(scale, height, short_count);
  double y = 0;
  for (std::size_t i = 0; i < of.drivers.size(); ++i) {
    auto all = figures_of(of.drivers[i], &measurement::rate);
    if (all.empty())
      continue;
    auto median = spread_of(all).median;
    content += text_at(label_end - 8, y + 17, "end", of.drivers[i].label)
               + "<rect" + attribute("x", label_end) + attribute("y", y + 4)
               + attribute("width", scale.at(median) - label_end)
               + attribute("height", row_height - 8) + " fill=\""
               + std::string{colours[i % colours.size()]} + "\"/>\n";
    for (auto n : all)
      content += "<circle class=\"dot\"" + attribute("cx", scale.at(n))
                 + attribute("cy", y + row_height / 2) + " r=\"3\"/>\n";
    content += text_at(axis_end + 8, y + 17, "start", short_count(median));
    y += row_height;
  }
  return figure(content, height + axis_height,
                of.run.what == workload::w4
                  ? "Resources that expire in a second: median, and each run"
                  : "Operations in a second: median, and each run");
}

struct times {
  std::array<double, 3> at{}; // p50, p99, max
  bool known = false;
};

times times_of(const driver_series& x) {
  auto p50 = median_of(x, &measurement::p50_ns);
  auto p99 = median_of(x, &measurement::p99_ns);
  auto max = median_of(x, &measurement::max_ns);
  if (!p50 || !p99 || !max)
    return {};
  return {{*p50, *p99, *max}, true};
}

// A line from p50 to the maximum, with a mark at p99.
std::string latencies(const run_result& of) {
  double most = 10;
  double least = 1e18;
  std::size_t rows = 0;
  for (const auto& x : of.drivers)
    if (auto t = times_of(x); t.known) {
      least = std::min(least, t.at[0]);
      most = std::max(most, t.at[2]);
      ++rows;
    }
  if (rows == 0)
    return {};
  auto decade = [](double x) { return std::pow(10.0, x); };
  axis scale{decade(std::floor(std::log10(std::max(least, 1.0)))),
             decade(std::ceil(std::log10(most))), true};
  auto height = static_cast<double>(rows) * row_height;
  auto content = grid(scale, height, short_time);
  auto y = row_height / 2;
  for (std::size_t i = 0; i < of.drivers.size(); ++i) {
    auto t = times_of(of.drivers[i]);
    if (!t.known)
      continue;
    auto colour = std::string{colours[i % colours.size()]};
    content += text_at(label_end - 8, y + 4, "end", of.drivers[i].label)
               + "<line stroke-width=\"3\" stroke=\"" + colour + '"'
               + attribute("x1", scale.at(t.at[0]))
               + attribute("x2", scale.at(t.at[2])) + attribute("y1", y)
               + attribute("y2", y) + "/>\n";
    for (auto n : t.at)
      content += "<circle fill=\"" + colour + '"' + attribute("cx", scale.at(n))
                 + attribute("cy", y) + " r=\"5\"/>\n";
    y += row_height;
  }
  return figure(content, height + axis_height,
                "Time of one operation: p50, p99, maximum; each ten times the "
                "one before it");
}

} // namespace

std::string to_page(const bench_report& report) {
  auto result = page_start + ("<p>" + escaped(report.machine) + "<br>")
                + escaped(report.date);
  if (report.stopped)
    result += "<br>Stopped early: these are the figures so far.";
  result += "</p>\n";
  for (const auto& x : report.results)
    result += "<h2>" + escaped(title_of(x.run)) + "</h2>\n" + rates(x)
              + latencies(x);
  return result + "<pre>" + escaped(to_table(report)) + "</pre>\n</html>\n";
}

} // namespace steward::bench
