#pragma once

#include <steward/runtime/replay.hpp>

#include <steward/apps/log_reader.hpp>
#include <steward/apps/records_line.hpp>

#include <stdexcept>
#include <string>
#include <variant>

namespace steward {

/// A command line that cannot be used. `what()` is one line: what, where, what
/// is allowed.
class usage_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What `steward replay` was asked to do. All values are checked.
struct replay_arguments {
  std::string log; ///< a path, or `-`
  log_options reading;
  replay_options replaying;
  std::string records; ///< where records go, as the user names it, or `none`
  std::string json;    ///< a path, `-`, or empty
  bool quiet = false;
};

/// A text that was asked for: help, the version.
struct show_text {
  std::string text;
};

using command = std::variant<show_text, replay_arguments, records_arguments>;

/// Reads the command line. Throws `usage_error`.
command parse_command_line(int argc, const char* const* argv);

} // namespace steward
