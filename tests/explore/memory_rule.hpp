#pragma once

#include <steward/testkit.hpp>

#include <memory>
#include <string>

namespace explored {

/// Of a key that was idle long enough nothing is left: no supervisor lives, as
/// CAF says, and no resource is in memory, as these say themselves. // I12
inline void expect_memory_back(steward::testkit::world& w,
                               std::shared_ptr<steward::testkit::truth> book) {
  w.eventually("I12", [&w, book] {
    if (auto n = w.sim().living("steward.supervisor"); n > 0)
      return std::to_string(n) + " supervisors live still";
    if (auto n = book->in_memory(); n > 0)
      return std::to_string(n) + " resources are in memory still";
    return std::string{};
  });
}

} // namespace explored
