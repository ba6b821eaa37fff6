#include <steward/runtime/logging.hpp>

#include <steward/actors/log.hpp>

namespace steward {

namespace {

spdlog::level::level_enum in_spdlog(log_level level) {
  switch (level) {
    case log_level::error: return spdlog::level::err;
    case log_level::warn: return spdlog::level::warn;
    case log_level::info: return spdlog::level::info;
    case log_level::debug: return spdlog::level::debug;
    case log_level::silent: break;
  }
  return spdlog::level::off;
}

} // namespace

void set_log_level(log_level level) {
  for (const auto* part : log_parts)
    logger_of(part).set_level(in_spdlog(level));
}

} // namespace steward
