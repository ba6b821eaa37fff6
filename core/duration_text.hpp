#pragma once

#include <steward/core/time.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace steward {

/// Reads a duration as people write it: a number (fractions allowed) and one of
/// `ns us ms s min m h d`, with or without a space, or several such parts from
/// the largest unit down (`1h30min`). `0` needs no unit. Nothing else: no sign,
/// no bare number, no fraction of a nanosecond, nothing that leaves the range of
/// `duration`.
std::optional<duration> parse_duration(std::string_view text);

/// What `parse_duration` reads back as `d`: whole parts from the largest unit
/// down, `90s` -> `1min30s`, `1.5ms` -> `1ms500us`, `0s` for nothing.
/// @pre `d` is not negative.
std::string to_text(duration d);

} // namespace steward
