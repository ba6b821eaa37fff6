#pragma once

#include <steward/actors/record_desk.hpp>
#include <steward/messages/caf.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace steward {

/// A persistence, and where it is left what it shall write.
struct record_writer {
  caf::actor persistence;
  std::shared_ptr<record_desk> desk;

  /// Sees to it that what was left is taken.
  void tell_of(const record_desk::left& x) const;

  /// Leaves a request of an actor, which is answered in any case. Whether the
  /// router must be told: `watch_desks`.
  [[nodiscard]] bool leave(record_write write, time_point deadline,
                           cafx::asker<record_answer> from) const;
};

/// Which of `writers` writes records of this name: always the same one, so that
/// writes of one name stay in order and no two transactions want one name.
std::size_t writer_of(std::string_view name, std::size_t writers);

/// Starts the actor that takes the messages of messages/records.hpp and leaves
/// each at the desk of the persistence for its name, flushes at all desks. It
/// never waits for a database, so that whoever asks too much hears it at once,
/// and actors whose deadline is over, if persistence hangs. Ends with the
/// writers. @pre `writers` is not empty.
caf::actor spawn_record_router(caf::actor_system& sys,
                               std::vector<record_writer> writers);

} // namespace steward
