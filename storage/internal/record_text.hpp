#pragma once

// How records are written as text that people can read. Not installed.

#include <steward/core/hex.hpp>
#include <steward/core/record.hpp>
#include <steward/storage/record_store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

/// What a database takes for a limit of rows; SIZE_MAX would be negative there.
inline std::int64_t to_limit(std::size_t rows) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(rows, most));
}

/// How much is read at once.
class page_limit {
public:
  explicit page_limit(std::size_t rows_max = page_rows_max)
    : rows_max_(std::min(rows_max, page_rows_max)) {
  }

  std::size_t rows_max() const {
    return rows_max_;
  }

  bool reached() const {
    return rows_ >= rows_max_ || bytes_ >= page_bytes_max;
  }

  /// One more row, or a name that has none.
  void add(std::size_t bytes) {
    ++rows_;
    bytes_ += bytes;
  }

private:
  std::size_t rows_max_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0; // of attributes and journals, as others have a limit
};

/// Puts a page together, row by row, until it is full.
class page_builder {
public:
  explicit page_builder(std::size_t rows_max) : limit_(rows_max) {
  }

  std::int64_t rows_max() const {
    return static_cast<std::int64_t>(limit_.rows_max());
  }

  bool full() const {
    return limit_.reached();
  }

  /// Adds the row that `read` returns, or what it says of one that is damaged.
  template <class Read>
  void add(std::int64_t id, std::size_t bytes, Read read) {
    page_.last = id;
    limit_.add(bytes);
    try {
      page_.rows.push_back(read());
    } catch (const store_failure& x) {
      if (x.code() != store_errc::damaged)
        throw;
      page_.unreadable.emplace_back(x.what());
    }
  }

  record_page take() {
    page_.more = page_.size() > 0 && full();
    return std::move(page_);
  }

private:
  page_limit limit_;
  record_page page_;
};

/// Throws `store_errc::bad_row` if one of the names is empty or too long, or one
/// of the rows too large.
void require_writable(std::span<const record_write> batch);

/// Puts a row together as it stands after it was created with this id.
record created_row(const record& draft, std::int64_t id);

} // namespace steward
