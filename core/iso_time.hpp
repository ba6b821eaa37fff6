#pragma once

#include <steward/core/time.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace steward {

/// `t` as ISO 8601 in UTC with milliseconds, `2015-05-17T10:05:03.250Z`; finer
/// digits are cut off. The texts sort as the times do. What lies before 1678 or
/// after 2261 becomes the first or the last moment of those: more cannot be read.
std::string to_iso_text(time_point t);

/// Reads what `to_iso_text` writes, and nothing else.
std::optional<time_point> parse_iso_text(std::string_view text);

/// `t` as it is read back from `to_iso_text`.
time_point cut_to_milliseconds(time_point t);

} // namespace steward
