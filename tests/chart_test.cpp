// The drawing of a failure, for a browser.
#include "report_fixture.hpp"

using namespace sim_test;

namespace {

// Ends at once what has no end, and all others in the right order.
std::string flaw_in(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t i = 0;
       (i = html.find_first_of("<>&", i)) != std::string::npos; ++i) {
    if (html[i] == '&') {
      auto end = html.find(';', i);
      auto name = html.substr(i + 1, end - i - 1);
      if (name != "lt" && name != "gt" && name != "amp" && name != "quot")
        return "&" + name;
      continue;
    }
    if (html[i] == '>')
      return "> at " + std::to_string(i);
    auto end = html.find('>', i);
    auto tag = html.substr(i + 1, end - i - 1);
    i = end;
    if (tag[0] == '!' || tag.back() == '/')
      continue;
    if (tag[0] != '/') {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
      continue;
    }
    if (open.empty() || open.back() != tag.substr(1))
      return "<" + tag + "> where " + (open.empty() ? "nothing" : open.back())
             + " is open";
    open.pop_back();
  }
  return open.empty() ? "" : open.back() + " has no end";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t i = 0; (i = text.find(part, i)) != std::string::npos; ++i)
    ++result;
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(flaws_of_html_are_seen) {
  BOOST_TEST(flaw_in("<!doctype html><p a=\"&quot;\">x &lt; y</p><br/>") == "");
  for (const auto* bad : {"<p>", "</p>", "<p><b></p></b>", "x > y", "a & b;"})
    BOOST_TEST(flaw_in(bad) != "", bad);
}

BOOST_AUTO_TEST_CASE(a_chart_is_written_for_a_failure) {
  folder f;
  auto o = usual();
  o.charts = f.path() / "charts";
  auto report = report_of_exploring(o, box_office_with_a_race);
  auto file = o.charts
              / ("box office-" + word_after(report, ", seed ") + ".html");
  BOOST_TEST(contains(report, "\n  chart: " + file.string() + "\n"), report);
  auto html = text_of(file);
  BOOST_TEST(flaw_in(html) == "");
  BOOST_TEST(contains(html, "<h1>box office: no ticket is sold twice: it does "
                            "not hold</h1>"));
  auto told = lines_of(part_of(report, "what happened, ")).size();
  // One arrow for each message of another, one dot for all else.
  BOOST_TEST(count(html, "class=\"message\"") + count(html, "<circle ")
             == told);
  BOOST_TEST(count(html, "class=\"lane\"") == 7u);
  BOOST_TEST(count(html, "-&gt;&gt;") == told); // Mermaid's
  BOOST_TEST(contains(html, "participant a0 as stock\n"));
}

BOOST_AUTO_TEST_CASE(a_chart_stands_whatever_is_written_in_messages) {
  std::vector<event> all{
    {1, sim_options{}.start, "<a>", "\"b\" & c", "x < y; end"},
    {2, sim_options{}.start + 1s, "", "", "a timer fires"},
    {3, sim_options{}.start + 1s, "\"b\" & c", "<a>", std::string(500, '>')}};
  auto html = chart_of("1 < 2 & \"3\"", all);
  BOOST_TEST(flaw_in(html) == "");
  BOOST_TEST(contains(html, "<title>1 &lt; 2 &amp; &quot;3&quot;</title>"));
  BOOST_TEST(count(html, "class=\"lane\"") == 3u);
  BOOST_TEST(contains(html, "a0-&gt;&gt;a1: 1 x _ y_ end\n"));
  BOOST_TEST(flaw_in(chart_of("nothing", {})) == "");
}

BOOST_AUTO_TEST_CASE(a_chart_is_not_longer_for_what_is_in_messages) {
  std::string huge(1'000'000, 'x');
  std::string umlauts;
  for (int i = 0; i < 100; ++i)
    umlauts += "\xc3\xa4";
  std::vector<event> all{{1, sim_options{}.start, "a\x1b", huge, huge},
                         {2, sim_options{}.start, "", huge, "y" + umlauts}};
  auto html = chart_of(huge + "\n", all);
  BOOST_TEST(flaw_in(html) == "");
  BOOST_TEST(html.size() < 10'000u);
  BOOST_TEST(html.find('\x1b') == std::string::npos);
  BOOST_TEST(contains(html, ">a\\x1b</text>"));
  // Whole characters only.
  BOOST_TEST(contains(html, "\xc3\xa4... (201 bytes)</text>"));
}
