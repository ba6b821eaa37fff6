#pragma once

#include <spdlog/spdlog.h>

#include <array>
#include <string>

namespace steward {

/// The parts that log.
inline constexpr std::array log_parts = {"supervisor", "clock", "persistence",
                                         "runtime"};

/// The logger of one part, `steward.<part>`: made on first use, to standard
/// error, from level `warn`. Lines read `event key=value ...`. A program that
/// wants another sink registers a logger of that name first. Never destroyed:
/// a runtime may be a static object. Any thread.
spdlog::logger& logger_of(const std::string& part);

} // namespace steward
