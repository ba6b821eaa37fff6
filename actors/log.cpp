#include <steward/actors/log.hpp>

#include <spdlog/sinks/stdout_sinks.h>

#include <map>
#include <memory>
#include <mutex>

namespace steward {

spdlog::logger& logger_of(const std::string& part) {
  static std::mutex guard;
  static auto& known
    = *new std::map<std::string, std::shared_ptr<spdlog::logger>>;
  std::lock_guard lock{guard};
  auto& result = known[part];
  if (result == nullptr) {
    auto name = "steward." + part;
    result = spdlog::get(name);
    if (result == nullptr) {
      result = spdlog::stderr_logger_mt(name);
      result->set_level(spdlog::level::warn);
      result->set_pattern("%Y-%m-%dT%H:%M:%S.%e %n %l %v");
    }
  }
  return *result;
}

} // namespace steward
