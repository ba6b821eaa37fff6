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
  std::size_t rows_max = 1000; ///< of a page
};

/// A page of records; those that cannot be read do not hide the others.
struct record_page {
  std::vector<record> rows;
  std::vector<std::string> unreadable = {}; ///< a line each: which one, and why
  /// The highest id of all of them, 0 if there are none: where the next page
  /// begins. Of a query only.
  std::int64_t last = 0;

  /// Fewer than were asked for: there are no more.
  std::size_t size() const {
    return rows.size() + unreadable.size();
  }
};

} // namespace steward
