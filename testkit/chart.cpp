#include <steward/core/duration_text.hpp>
#include <steward/testkit/report.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>

namespace steward::testkit {

namespace {

// In pixels.
constexpr std::size_t margin = 130; // for step and time
constexpr std::size_t lane_width = 190;
constexpr std::size_t row_height = 30;
constexpr std::size_t head_height = 40;

constexpr std::size_t label_max = 60; // bytes

// For HTML.
std::string escaped(std::string_view text) {
  std::string result;
  for (auto c : text)
    result += c == '<'   ? "&lt;"
              : c == '>' ? "&gt;"
              : c == '&' ? "&amp;"
              : c == '"' ? "&quot;"
                         : std::string{c};
  return result;
}

// What Mermaid does not take for something of its own.
std::string harmless(std::string_view text) {
  std::string result;
  for (auto c : text)
    result += std::isalnum(static_cast<unsigned char>(c)) != 0
                  || std::string_view{" _-.=()"}.find(c)
                       != std::string_view::npos
                ? c
                : '_';
  return result;
}

// The actors, each in a lane, in the order in which they come in.
class lanes {
public:
  explicit lanes(std::span<const event> events) {
    for (const auto& e : events) {
      if (!e.from.empty())
        add(e.from);
      add(to(e));
    }
  }

  static std::string to(const event& e) {
    return e.to.empty() ? "clock" : e.to;
  }

  std::size_t of(const std::string& actor) const {
    auto i = std::find(names_.begin(), names_.end(), actor);
    return static_cast<std::size_t>(i - names_.begin());
  }

  const std::vector<std::string>& names() const noexcept {
    return names_;
  }

private:
  void add(const std::string& actor) {
    if (of(actor) == names_.size())
      names_.push_back(actor);
  }

  std::vector<std::string> names_;
};

std::string number(std::size_t n) {
  return std::to_string(n);
}

std::size_t middle_of(std::size_t lane) {
  return margin + lane * lane_width + lane_width / 2;
}

std::string text_at(std::size_t x, std::size_t y, const char* anchor,
                    const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\""
         + anchor + "\">" + escaped(text) + "</text>\n";
}

std::string line_between(std::size_t x1, std::size_t y1, std::size_t x2,
                         std::size_t y2, const char* kind) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\""
         + number(x2) + "\" y2=\"" + number(y2) + "\" class=\"" + kind
         + "\"/>\n";
}

// An arrow for a message, a dot for what came from nobody or from itself.
std::string row_of(const event& e, std::size_t y, const lanes& all) {
  auto label = shown(e.what, label_max);
  auto at = to_text(e.at - sim_options{}.start);
  auto result = text_at(4, y, "start", number(e.step) + "  +" + at);
  auto to = middle_of(all.of(lanes::to(e)));
  auto from = e.from.empty() ? to : middle_of(all.of(e.from));
  if (from == to)
    return result + "<circle cx=\"" + number(to) + "\" cy=\"" + number(y - 4)
           + "\" r=\"4\"/>\n" + text_at(to + 9, y, "start", label);
  return result + line_between(from, y, to, y, "message")
         + text_at((from + to) / 2, y - 4, "middle", label);
}

std::string drawing_of(std::span<const event> events, const lanes& all) {
  auto width = number(margin + (all.names().size() + 1) * lane_width);
  auto height = head_height + row_height * (events.size() + 1);
  auto result
    = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width
      + "\" height=\"" + number(height)
      + "\" font-family=\"sans-serif\" font-size=\"11\">\n"
        "<style>.lane{stroke:#bbb} .message{stroke:#06c;"
        "marker-end:url(#tip)} circle{fill:#06c}</style>\n"
        "<defs><marker id=\"tip\" markerWidth=\"9\" markerHeight=\"6\""
        " refX=\"8\" refY=\"3\" orient=\"auto\"><path d=\"M0,0 L9,3 "
        "L0,6 z\" fill=\"#06c\"/></marker></defs>\n";
  for (std::size_t i = 0; i < all.names().size(); ++i)
    result += line_between(middle_of(i), head_height - 8, middle_of(i), height,
                           "lane")
              + text_at(middle_of(i), head_height - 16, "middle",
                        shown(all.names()[i]));
  auto y = head_height;
  for (const auto& e : events)
    result += row_of(e, y += row_height, all);
  return result + "</svg>\n";
}

std::string mermaid_of(std::span<const event> events, const lanes& all) {
  std::string result = "sequenceDiagram\n";
  for (std::size_t i = 0; i < all.names().size(); ++i)
    result += "  participant a" + number(i) + " as "
              + harmless(shown(all.names()[i])) + "\n";
  for (const auto& e : events) {
    auto to = number(all.of(lanes::to(e)));
    auto from = e.from.empty() ? to : number(all.of(e.from));
    result += "  a" + from + "->>a" + to + ": " + number(e.step) + " "
              + harmless(shown(e.what)) + "\n";
  }
  return result;
}

} // namespace

std::string chart_of(const std::string& title, std::span<const event> events) {
  lanes all{events};
  auto text = escaped(shown(title));
  return "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\"/>\n<title>"
         + text + "</title>\n</head>\n<body>\n<h1>" + text + "</h1>\n"
         + drawing_of(events, all)
         + "<details>\n<summary>for Mermaid</summary>\n"
           "<pre class=\"mermaid\">\n"
         + escaped(mermaid_of(events, all))
         + "</pre>\n</details>\n</body>\n</html>\n";
}

} // namespace steward::testkit
