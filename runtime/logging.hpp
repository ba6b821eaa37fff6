#pragma once

namespace steward {

/// How much steward logs. Each level includes the ones before it.
enum class log_level : unsigned char { silent, error, warn, info, debug };

/// Sets the level of all parts (supervisor, clock, persistence, runtime), which
/// start at `warn`. Any thread.
void set_log_level(log_level level);

} // namespace steward
