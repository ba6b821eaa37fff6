#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

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

} // namespace steward
