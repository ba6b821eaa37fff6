#include <steward/apps/text.hpp>

#include <algorithm>
#include <cstdio>

namespace steward {
namespace {

constexpr std::size_t printable_bytes_max = 80;

} // namespace

std::string with_commas(std::uint64_t n) {
  auto result = std::to_string(n);
  for (auto i = result.size(); i > 3; i -= 3)
    result.insert(i - 3, 1, ',');
  return result;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0 || part == 0)
    return "0.0 %";
  if (part == whole)
    return "100.0 %";
  auto share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (share < 0.05)
    return "<0.1 %";
  if (share >= 99.95)
    return ">99.9 %";
  char text[16];
  std::snprintf(text, sizeof(text), "%.1f %%", share);
  return text;
}

std::string right(std::string text, std::size_t width) {
  text.insert(0, width - std::min(width, text.size()), ' ');
  return text;
}

std::string left(std::string text, std::size_t width) {
  text.append(width - std::min(width, text.size()), ' ');
  return text;
}

std::string printable(std::string_view text) {
  std::string result;
  for (auto c : text.substr(0, printable_bytes_max)) {
    auto control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    result += control ? '?' : c;
  }
  if (text.size() > printable_bytes_max)
    result += "...";
  return result;
}

std::string wrapped(std::string_view text, std::size_t indent,
                    std::size_t width) {
  std::string result;
  while (!text.empty()) {
    auto paragraph = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), paragraph.size() + 1));
    std::string line;
    while (!paragraph.empty()) {
      auto word = paragraph.substr(0, paragraph.find(' '));
      paragraph.remove_prefix(std::min(paragraph.size(), word.size() + 1));
      if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
        result += std::string(indent, ' ') + line + '\n';
        line.clear();
      }
      if (!line.empty())
        line += ' ';
      line += word;
    }
    if (!line.empty())
      result += std::string(indent, ' ') + line;
    result += '\n';
  }
  return result;
}

} // namespace steward
