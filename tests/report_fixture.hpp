#pragma once

// Reading reports as a person would.

#include "exploration_fixture.hpp"

#include <steward/testkit/report.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sim_test {

namespace fs = std::filesystem;

inline std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write(const fs::path& file, const std::string& text) {
  std::ofstream{file} << text;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

inline explore_options usual() {
  return {.name = "box office",
          .seeds = 300,
          .policies = {fair_random{}},
          .early_timers = {0}};
}

/// What stands behind `name` in a report, up to the next blank.
inline std::string word_after(const std::string& text,
                              const std::string& name) {
  auto i = text.find(name);
  BOOST_REQUIRE_MESSAGE(i != std::string::npos, name << " is not in " << text);
  i += name.size();
  return text.substr(i, text.find_first_of(" \n,", i) - i);
}

/// The part of a report from the line that begins so to the next such line.
inline std::string part_of(const std::string& report, const std::string& head) {
  auto i = report.find("\n  " + head);
  BOOST_REQUIRE_MESSAGE(i != std::string::npos,
                        head << " is not in " << report);
  i = report.find('\n', i + 1) + 1;
  auto end = i;
  while (report.compare(end, 4, "    ") == 0)
    end = report.find('\n', end) + 1;
  return report.substr(i, end - i);
}

} // namespace sim_test
