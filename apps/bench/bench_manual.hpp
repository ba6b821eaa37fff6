#pragma once

namespace steward::bench {

/// What `steward bench --help` says before and after the options.
extern const char* const bench_manual;
extern const char* const bench_manual_end;

} // namespace steward::bench
