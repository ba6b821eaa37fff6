#pragma once

#include <steward/actors/key_entry.hpp>
#include <steward/core/close_reason.hpp>

#include <cstdint>
#include <string>

namespace steward {

// What an open or a close leaves behind in counters, records and log, whoever
// carried it out. Any thread.

void book_opened(const key_entry& key, const slot& place);
void book_open_failed(const key_entry& key, const slot& place,
                      const std::string& error);
void book_closed(const key_entry& key, std::uint64_t id, close_reason why);

/// The key and its pool, as errors name them.
std::string whereabouts(const key_entry& key);

/// Closes the resource of a slot and destroys it, unless it has to be kept for
/// those who still hold it. User code: may block.
void close_resource_of(const key_entry& key, slot& place, close_reason why,
                       bool keep);

} // namespace steward
