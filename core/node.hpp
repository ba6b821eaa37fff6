#pragma once

#include <steward/core/time.hpp>

#include <cstdint>
#include <string>

namespace steward {

/// A process as others can tell it from all that came before: its number
/// alone comes back.
struct process_id {
  /// The boot and the process namespace in which `pid` means something; empty:
  /// nobody can tell from outside.
  std::string host;
  std::int64_t pid = 0;
  std::int64_t started = 0; ///< ticks after boot

  friend bool operator==(const process_id&, const process_id&) = default;
};

/// One start of one program that watches over records: its lease is good until
/// the clock of the database says otherwise. It never comes back: who starts
/// again is another node.
struct node {
  std::int64_t id = 0; ///< the incarnation that its records carry
  std::string owner;
  process_id process;
  bool expired = false; ///< by the clock of the database
};

/// What a machine knows of one of its processes.
enum class liveness : unsigned char {
  alive,
  dead,
  unknown, ///< it is on another machine, or cannot be seen from here
};

/// Whether a node's records may be taken. A process that is seen to live is
/// never robbed, and be it that it stopped for hours; one that is seen to be
/// dead need not be waited for.
constexpr bool may_adopt_from(const node& x, std::int64_t self,
                              liveness process) {
  if (x.id == self || process == liveness::alive)
    return false;
  return process == liveness::dead || x.expired;
}

} // namespace steward
