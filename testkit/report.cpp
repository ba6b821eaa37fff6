#include <steward/testkit/report.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/testkit/internal/environment.hpp>
#include <steward/testkit/internal/regressions.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace steward::testkit {

namespace {

// Of a long story its beginning, its end, and what is around each deviation.
constexpr std::size_t all_shown_max = 60;
constexpr std::size_t first_shown = 12;
constexpr std::size_t last_shown = 30;
constexpr std::size_t around_shown = 2;
constexpr std::size_t messages_per_actor = 5;

// Of what a rule says; evidence may be many lines.
constexpr std::size_t detail_lines_max = 100;
constexpr std::size_t detail_line_max = 500; // bytes

std::string when(const event& e) {
  return to_text(e.at - sim_options{}.start);
}

std::string line_of(const event& e) {
  auto to = e.to.empty() ? "clock" : e.to;
  auto from = e.from.empty() ? std::string{} : e.from + " -> ";
  return "    " + std::to_string(e.step) + (e.deviates ? " *+" : "  +")
         + when(e) + "  " + from + to + ": " + shown(e.what) + "\n";
}

std::string shown_lines(const std::string& text) {
  std::istringstream in{text};
  std::string result;
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count)
    if (count < detail_lines_max)
      result += (count == 0 ? "" : "\n") + shown(line, detail_line_max);
  if (count > detail_lines_max)
    result += "\n    [" + std::to_string(count - detail_lines_max) + " more]";
  return result;
}

std::string last_of_each(const std::vector<event>& events) {
  std::map<std::string, std::vector<const event*>> by_actor;
  for (const auto& e : events)
    if (!e.to.empty())
      by_actor[e.to].push_back(&e);
  std::string result;
  for (const auto& [actor, all] : by_actor) {
    result += "    " + actor + ":";
    auto n = std::min(messages_per_actor, all.size());
    for (auto i = all.size() - n; i < all.size(); ++i)
      result += (i + n == all.size() ? " " : ", ") + shown(all[i]->what) + " ("
                + std::to_string(all[i]->step) + ")";
    result += '\n';
  }
  return result;
}

std::string write_chart(const explore_options& o, const run_result& r,
                        std::span<const event> events) {
  if (o.charts.empty())
    return {};
  std::error_code ignored; // what matters is whether the file can be written
  std::filesystem::create_directories(o.charts, ignored);
  auto path = o.charts
              / (file_name_of(o) + "-" + std::to_string(r.seed) + ".html");
  std::ofstream out{path};
  out << chart_of(o.name + ": " + r.violated + ": " + r.detail, events)
      << std::flush;
  return "  chart: " + path.string() + (out ? "\n" : " cannot be written\n");
}

// Which events are told, by number: where the end does not show the cause, a
// deviation before it does.
std::vector<std::size_t> told(const std::vector<event>& all) {
  std::vector<bool> shown(all.size(), all.size() <= all_shown_max);
  auto show = [&](std::size_t first, std::size_t last) {
    for (auto i = first; i < std::min(last, all.size()); ++i)
      shown[i] = true;
  };
  show(0, first_shown);
  show(all.size() - std::min(all.size(), last_shown), all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].deviates)
      show(i - std::min(i, around_shown), i + around_shown + 1);
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (shown[i])
      result.push_back(i);
  return result;
}

std::string story_of(const std::vector<event>& all,
                     const std::vector<std::size_t>& which) {
  std::string result = "  what happened, as step, time, message; * is out of "
                       "plain order:\n";
  std::size_t next = 0;
  for (auto i : which) {
    if (i > next)
      result += "    [" + std::to_string(i - next) + " more]\n";
    result += line_of(all[i]);
    next = i + 1;
  }
  return result;
}

std::string head_of(const explore_options& o, const run_result& failed,
                    const run_result& shortest, bool smallest) {
  auto seed = std::to_string(failed.seed);
  auto list = schedule_text(shortest.decisions);
  auto deviations
    = std::count_if(shortest.decisions.begin(), shortest.decisions.end(),
                    [](const decision& x) { return x.taken != 0; });
  auto result = "\n  in " + o.name + ", seed " + seed + ", policy "
                + (failed.listed ? "listed" : to_string(failed.how)) + ", step "
                + std::to_string(shortest.steps) + ", virtual time +"
                + to_text(shortest.ended - sim_options{}.start) + "\n";
  if (deviations == 0)
    result += "  fails in plain order, too\n";
  else
    result += "  needs " + std::to_string(deviations) + " of "
              + std::to_string(failed.decisions.size()) + " decisions: " + list
              + (smallest ? "\n"
                          : "; perhaps less, the search was ended after "
                              + to_text(duration{o.shrink_time_max}) + "\n");
  return result + "  to repeat: STEWARD_TESTKIT_ONLY=" + shell_word(o.name)
         + " STEWARD_TESTKIT_SEED=" + seed + " STEWARD_TESTKIT_SCHEDULE=" + list
         + " " + command_line() + "\n";
}

} // namespace

std::string report_of(const explore_options& options, const run_result& failed,
                      const told_run& shortest) {
  const auto& [r, events, smallest] = shortest;
  auto which = told(events);
  std::vector<event> charted;
  for (auto i : which)
    charted.push_back(events[i]);
  return shown_lines(r.detail) + head_of(options, failed, r, smallest)
         + write_chart(options, r, charted) + story_of(events, which)
         + "  the last messages of each actor:\n" + last_of_each(events);
}

std::string first_difference(const explore_options& options,
                             const scenario& what, std::uint64_t seed) {
  std::vector<event> a;
  std::vector<event> b;
  run_order order{.seed = seed, .events = &a, .digests_contents = true};
  auto first = run_once(options, what, order);
  order.events = &b;
  auto second = run_once(options, what, order);
  auto head = "seed " + std::to_string(seed) + " of " + options.name
              + " did two different things";
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    auto text_of = [i](const std::vector<event>& all) {
      return i < all.size() ? line_of(all[i]) : std::string{"    the end\n"};
    };
    if (text_of(a) != text_of(b))
      return head + "; at first\n" + text_of(a) + "  and then\n" + text_of(b);
  }
  if (first.violated != second.violated)
    return head + ": the same steps, but at first \"" + first.violated
           + "\" was violated, then \"" + second.violated + "\"";
  return head + ", but not when it was watched";
}

} // namespace steward::testkit
