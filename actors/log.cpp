#include <steward/actors/log.hpp>

#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>

namespace steward {

std::shared_ptr<spdlog::logger> logger_of(const std::string& part) {
  static std::mutex making;
  std::lock_guard lock{making};
  auto name = "steward." + part;
  if (auto known = spdlog::get(name))
    return known;
  auto result = spdlog::stderr_logger_mt(name);
  result->set_level(spdlog::level::warn);
  return result;
}

} // namespace steward
