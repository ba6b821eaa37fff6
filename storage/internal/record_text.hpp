#pragma once

// How records are written as text that people can read. Not installed.

#include <steward/core/hex.hpp>
#include <steward/core/record.hpp>
#include <steward/storage/record_store.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace steward {

/// What `to_hex` wrote into a column of the record `name`, else it is damaged.
std::array<std::byte, 16> hex_or_damaged(std::string_view text,
                                         const std::string& name,
                                         const char* what);

/// The time in a column of the record `name`, else it is damaged.
time_point time_or_damaged(std::string_view text, const std::string& name);

/// The close reason in a column of the record `name`, else it is damaged.
close_reason reason_or_damaged(std::string_view text, const std::string& name);

/// Throws `store_failure`: the record has `what`.
[[noreturn]] void damaged(const std::string& name, const std::string& what);

/// Adds the row that `read` returns, or what it says of one that is damaged.
template <class Read>
void add_to(record_page& page, Read read) {
  try {
    page.rows.push_back(read());
  } catch (const store_failure& x) {
    if (x.code() != store_errc::damaged)
      throw;
    page.unreadable.emplace_back(x.what());
  }
}

/// Throws `store_errc::bad_row` if one of the names is empty or too long, or one
/// of the rows too large.
void require_writable(std::span<const record_write> batch);

/// Puts a row together as it stands after it was created with this id.
record created_row(const record& draft, std::int64_t id);

} // namespace steward
