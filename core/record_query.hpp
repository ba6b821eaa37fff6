#pragma once

#include <steward/core/record.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace steward {

/// Which records somebody wants to see, in pages by id. What is empty is any.
struct record_query {
  std::string pool = {};
  std::string key = {};
  std::string owner = {};
  std::optional<bool> open = {};
  std::int64_t after = 0;      ///< the last id of the page before
  std::size_t rows_max = 1000; ///< of a page; never more than `page_rows_max`
};

/// Where a page ends, and what is found by name, whatever was asked for: it is
/// held in memory, and a server has to send it within its limits. The row that
/// goes beyond is still in it.
inline constexpr std::size_t page_rows_max = 10'000;
inline constexpr std::size_t page_bytes_max = 4'000'000;

/// A page of records; those that cannot be read do not hide the others.
struct record_page {
  std::vector<record> rows;
  std::vector<std::string> unreadable = {}; ///< a line each: which one, and why
  /// The highest id of all of them, 0 if there are none: where the next page
  /// begins. Of a query only.
  std::int64_t last = 0;
  bool more = false; ///< it is full: there may be others after it

  std::size_t size() const {
    return rows.size() + unreadable.size();
  }
};

} // namespace steward
