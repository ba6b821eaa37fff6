#pragma once

#include <steward/storage/record_store.hpp>

namespace steward {

/// What can be done about a result code of SQLite, extended or not, that is
/// not a success.
store_errc classify_sqlite_code(int code);

} // namespace steward
