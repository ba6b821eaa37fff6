#pragma once

#include <steward/core/record.hpp>

#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace steward {

/// What went wrong with a record store. A closed list that says what can be
/// done about it; the text of `store_failure` says what happened.
enum class store_errc : unsigned char {
  busy,           ///< locked by somebody else: nothing was written, try again
  full,           ///< no space left: nothing was written, try again later
  read_only,      ///< the file or its directory cannot be written
  cannot_open,    ///< no such directory, no permission, a directory, ...
  not_a_database, ///< the file is something else; it was not touched
  newer_schema,   ///< written by a newer steward; it was not touched
  damaged,        ///< the database is malformed
  io,             ///< reading or writing failed; a commit may or may not stand
  bad_row,        ///< this row can never be written
  misuse,         ///< a defect of steward or of the URL
};

std::string_view to_string(store_errc x);

/// Whether the same call can succeed later without anybody's help.
constexpr bool transient(store_errc x) {
  return x == store_errc::busy || x == store_errc::full || x == store_errc::io;
}

/// Thrown by stores. `what()` is one line: what, where, the database's code.
class store_failure : public std::runtime_error {
public:
  store_failure(store_errc code, const std::string& what)
    : std::runtime_error(what), code_(code) {
  }

  store_errc code() const noexcept {
    return code_;
  }

private:
  store_errc code_;
};

/// Where records are kept. One thread at a time; every call blocks at most for
/// `wait_max` on somebody else's lock, then throws `store_errc::busy`.
class record_store {
public:
  virtual ~record_store() = default;

  /// Writes all of `batch`, in order, in one transaction and returns after it
  /// is durable. The n-th answer belongs to the n-th write; that of a
  /// `close_record` is `existed` if there is such a row, else `unavailable`.
  /// Throws: nothing of the batch was written (or, for `io`, perhaps all).
  virtual std::vector<record_answer>
  write(std::span<const record_write> batch, duration wait_max) = 0;

  /// Reads rows by name in a fresh snapshot, in the order asked for.
  virtual std::vector<std::optional<record>>
  find(std::span<const std::string> names, duration wait_max) = 0;

  /// Reads all rows of one owner by id; of everybody if `owner` is empty.
  virtual std::vector<record> list(const std::string& owner, duration wait_max)
    = 0;

  /// Where the records are, without passwords: for logs and errors.
  virtual std::string where() const = 0;
};

/// Opens the store that `url` names (`sqlite:PATH`) and brings its schema up
/// to date. Throws `store_failure`; a file that cannot be used is left as is.
std::unique_ptr<record_store> open_record_store(const std::string& url,
                                                duration wait_max);

} // namespace steward
