#pragma once

// Who waits in a model, and for what.

#include <steward/tests/model/commands.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace modelled {

struct request {
  unsigned number;
  unsigned who;
  unsigned key;
  unsigned with;
  time_point deadline;
  std::uint64_t promised = 0; ///< the open it waits for; 0: its turn
  bool widowed = false;       ///< who asked is dead

  bool in_line() const noexcept {
    return promised == 0;
  }
};

/// All of them, in order of arrival.
struct those_waiting {
  std::vector<request> all = {};

  template <class Predicate>
  std::size_t count(Predicate pred) const {
    return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), pred));
  }

  std::size_t in_line(unsigned key) const {
    return count([&](const auto& w) { return w.key == key && w.in_line(); });
  }

  std::size_t promised(std::uint64_t open) const {
    return count([&](const auto& w) { return w.promised == open; });
  }

  time_point first_deadline() const {
    auto result = never;
    for (const auto& w : all)
      result = std::min(result, w.deadline);
    return result;
  }
};

} // namespace modelled
