#pragma once

#include <steward/messages/caf.hpp>

#include <cstdint>
#include <string>

namespace steward {

/// Names a lease that was granted in a message.
struct lease_id {
  std::string key;
  std::uint64_t ticket = 0;

  friend bool operator==(const lease_id&, const lease_id&) = default;
};

} // namespace steward

STEWARD_MESSAGE(steward::lease_id)
