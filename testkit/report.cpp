#include <steward/testkit/report.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/testkit/internal/regressions.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace steward::testkit {

namespace {

constexpr std::size_t events_shown = 60;
constexpr std::size_t messages_per_actor = 5;

std::string when(const event& e) {
  return to_text(e.at - sim_options{}.start);
}

std::string line_of(const event& e) {
  auto to = e.to.empty() ? "clock" : e.to;
  auto from = e.from.empty() ? std::string{} : e.from + " -> ";
  return "    " + std::to_string(e.step) + "  +" + when(e) + "  " + from + to
         + ": " + e.what + "\n";
}

// A word for a shell, in quotes if it needs them.
std::string shell_word(const std::string& word) {
  auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0
           || std::string_view{"_-./,:=+@%"}.find(static_cast<char>(c))
                != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain))
    return word;
  std::string result = "'";
  for (auto c : word)
    result += c == '\'' ? "'\\''" : std::string{c};
  return result + "'";
}

// How this program was called, as far as the system tells.
std::string command_line() {
  std::ifstream in{"/proc/self/cmdline", std::ios::binary};
  std::string all{std::istreambuf_iterator<char>{in}, {}};
  if (!all.empty() && all.back() == '\0')
    all.pop_back();
  if (all.empty())
    return "<this test>";
  std::string result;
  std::istringstream words{all};
  for (std::string word; std::getline(words, word, '\0');)
    result += " " + shell_word(word);
  return result.substr(1);
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
      result += (i + n == all.size() ? " " : ", ") + all[i]->what + " ("
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

std::string head_of(const explore_options& o, const run_result& failed,
                    const run_result& shortest) {
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
              + "\n";
  return result + "  to repeat: STEWARD_TESTKIT_ONLY=" + shell_word(o.name)
         + " STEWARD_TESTKIT_SEED=" + seed + " STEWARD_TESTKIT_SCHEDULE=" + list
         + " " + command_line() + "\n";
}

} // namespace

std::string report_of(const explore_options& options, const scenario& what,
                      const run_result& failed,
                      const std::vector<std::uint16_t>& shrunk) {
  std::vector<event> events;
  auto r = run_once(options, what, {failed.seed, &shrunk, nullptr, &events});
  std::span<const event> all{events};
  auto last = all.last(std::min(events_shown, all.size()));
  auto result = r.detail + head_of(options, failed, r)
                + write_chart(options, r, last)
                + "  what happened last, as step, time, message:\n";
  for (const auto& e : last)
    result += line_of(e);
  return result + "  the last messages of each actor:\n" + last_of_each(events);
}

std::string first_difference(const explore_options& options,
                             const scenario& what, std::uint64_t seed) {
  std::vector<event> a;
  std::vector<event> b;
  auto first = run_once(options, what, {seed, nullptr, nullptr, &a});
  auto second = run_once(options, what, {seed, nullptr, nullptr, &b});
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
