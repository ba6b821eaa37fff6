#pragma once

#include <steward/core/record.hpp>
#include <steward/core/record_query.hpp>
#include <steward/storage/record_store.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace steward {

/// Records as somebody sees them who looks after the database: beside the
/// programs that use it, or after they are gone. One thread. All functions
/// throw `store_failure`.
class record_admin {
public:
  /// Opens records that are there; makes none. An older schema is brought up to
  /// date.
  explicit record_admin(const std::string& url);

  /// The next page, by id.
  std::vector<record> page(const record_query& what);

  std::optional<record> find(const std::string& name);

  /// What must not be, and what a dead process left open; one line each.
  std::vector<std::string> verify();

  /// Removes what was closed before `before`; says how many.
  std::size_t purge(time_point before);

  /// Where the records are, without passwords.
  std::string where() const;

private:
  std::unique_ptr<record_store> store_;
};

} // namespace steward
