#pragma once

#include <cstdint>

namespace steward::bench {

/// Bytes of this process in memory, after what was freed went back to the
/// system as far as the allocator can.
std::uint64_t settled_bytes();

/// Bytes of this process in memory, now.
std::uint64_t resident_bytes();

/// The most that this process ever had in memory.
std::uint64_t peak_resident_bytes();

/// CPU time of all threads of this process, kernel's included.
double cpu_seconds();

/// Nanoseconds of the monotonic clock.
std::uint64_t clock_ns() noexcept;

/// What one reading of that clock costs: the median of several tries.
double clock_cost_ns();

} // namespace steward::bench
