#pragma once

#include <steward/actors/key_entry.hpp>
#include <steward/core/time.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace steward {

// What happens to a key while its supervisor sleeps, so that a million idle keys
// can expire without a million actors. A slot is taken under the directory's
// lock, closed without it, and marked as closed under it again; a supervisor
// that wakes in between finds the slot closing and is told of the end. Any
// thread; user code runs here only if the opener does not block.

/// Serves a request as the supervisor would, at once: with what is free, with a
/// new resource, or in the place of the least recently used idle one, of the key
/// or, where `total_max` is reached, of all. Empty if somebody is awake, or if
/// the request has to wait or to be refused: then the supervisor has to be
/// asked. @pre the opener does not block
std::optional<caf::expected<hold>>
attend_acquire(key_home& home, std::string_view key, std::string_view params);

/// Closes what is due; when to look at the key again (`never`: not, or it is
/// gone).
time_point attend_tick(const std::shared_ptr<key_entry>& key, time_point now);

/// Closes the resource `id` if it is idle; else `kept` goes to the budget.
void attend_give_up(const std::shared_ptr<key_entry>& key, std::uint64_t id);

/// Closes all that is idle; wakes the supervisor for what is held.
void attend_drain(const std::shared_ptr<key_entry>& key);

} // namespace steward
