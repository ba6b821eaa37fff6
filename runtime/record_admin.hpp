#pragma once

#include <steward/core/function_ref.hpp>
#include <steward/core/record.hpp>
#include <steward/core/record_query.hpp>
#include <steward/storage/record_store.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace steward {

/// What `record_admin::verify` counted.
struct verified_records {
  std::size_t rows = 0;       ///< all that were looked at
  std::size_t unreadable = 0; ///< of them
  std::size_t wrong = 0; ///< findings, those about unreadable rows included
};

/// Records as somebody sees them who looks after the database: beside the
/// programs that use it, or after they are gone. One thread. All functions
/// throw `store_failure`.
class record_admin {
public:
  /// Opens records that are there; makes none. To `look` takes no right to
  /// write, and changes nothing; to `tend` brings an older schema up to date.
  record_admin(const std::string& url, store_use use);

  /// The next page, by id.
  record_page page(const record_query& what);

  std::optional<record> find(const std::string& name);

  /// Tells `found` what must not be and what a dead process left open, a line
  /// each, as it goes through the records in pages. After each page `at` hears
  /// how many rows that were so far.
  verified_records verify(function_ref<void(const std::string&)> found,
                          function_ref<void(std::size_t)> at);

  /// Removes what was closed before `before`, in many small transactions, as
  /// long as `go_on`, which hears how many that were so far. What others have
  /// locked stays.
  purged_records purge(time_point before,
                       function_ref<bool(std::size_t)> go_on);

  /// Thrown by all functions that wait for a server when `told` says so; what
  /// they did then is not known.
  struct ended : std::exception {};

  /// From now on `told` is asked whether somebody wants this to end.
  void end_when(std::function<bool()> told);

  /// Where the records are, without passwords.
  std::string where() const;

private:
  purged_records purge_some(time_point before);

  std::unique_ptr<record_store> store_;
  std::function<bool()> told_ = [] { return false; };
};

} // namespace steward
