#pragma once

#include <steward/messages/caf.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace steward {

/// Which of `writers` writes records of this name: always the same one, so that
/// writes of one name stay in order and no two transactions want one name.
std::size_t writer_of(std::string_view name, std::size_t writers);

/// Starts the actor that stands for several persistences: takes their messages
/// (see messages/records.hpp), hands each write to the one for its name, and
/// each flush and stop to all. Ends with them. @pre `writers` is not empty.
caf::actor spawn_record_router(caf::actor_system& sys,
                               std::vector<caf::actor> writers);

} // namespace steward
