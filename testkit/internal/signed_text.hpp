#pragma once

#include <steward/core/duration_text.hpp>
#include <steward/core/time.hpp>

#include <algorithm>
#include <string>

namespace steward::testkit {

/// As `to_text`, also of what is less than nothing.
inline std::string signed_text(duration d) {
  return d < duration::zero() ? "-" + to_text(-std::max(d, -duration::max()))
                              : to_text(d);
}

} // namespace steward::testkit
