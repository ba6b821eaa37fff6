#include <steward/runtime/timepieces.hpp>

#include <chrono>
#include <ctime>

namespace steward {

namespace {

std::int64_t in_ns(const timespec& t) noexcept {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::int64_t read(clockid_t which) noexcept {
  timespec t{};
  clock_gettime(which, &t);
  return in_ns(t);
}

std::int64_t coarse_resolution() noexcept {
  timespec t{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &t);
  return in_ns(t);
}

} // namespace

duration since_boot() noexcept {
  return duration{read(CLOCK_BOOTTIME)};
}

system_timepiece::system_timepiece()
  : offset_(read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)),
    resolution_(coarse_resolution()) {
}

time_point system_timepiece::now() const noexcept {
  return time_point{
    duration{read(CLOCK_MONOTONIC) + offset_.load(std::memory_order_relaxed)}};
}

time_point system_timepiece::stamp() const noexcept {
  return time_point{duration{read(CLOCK_MONOTONIC_COARSE) + resolution_
                             + offset_.load(std::memory_order_relaxed)}};
}

void system_timepiece::leave_out(duration lost) noexcept {
  offset_.fetch_sub(lost.count(), std::memory_order_relaxed);
}

} // namespace steward
