#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace steward {

/// Adds an option whose value is read as a word; who needs a number judges it,
/// and says what is allowed.
inline void add_option(CLI::App& app, const std::string& group,
                       const std::string& name, const std::string& value,
                       std::string& word, const std::string& text) {
  app.add_option(name, word, text)->option_text(value)->group(group);
}

} // namespace steward
