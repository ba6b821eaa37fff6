#pragma once

#include <string>
#include <string_view>

namespace steward {

/// `text` fit for one line of a log: control characters as `\\n` or `\\x1b`, so
/// that no key and no error can forge a line or steer a terminal.
std::string one_line(std::string_view text);

} // namespace steward
