#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace steward {

/// Lays `--help` out as a manual page: the description of a command (name,
/// synopsis, description), then its options by group, then its footer (exit
/// status, examples). So options cannot be missing from it.
class manual_formatter : public CLI::Formatter {
public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

/// An option as the manual shows it: its name, and below it what it does.
std::string option_entry(const CLI::Option& option);

/// What `steward --help` says before and after the options.
extern const char* const steward_manual;
extern const char* const steward_manual_end;

/// The same of `steward replay --help`.
extern const char* const replay_manual;
extern const char* const replay_manual_end;

} // namespace steward
