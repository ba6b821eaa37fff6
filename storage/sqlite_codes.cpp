#include <steward/storage/sqlite_codes.hpp>

#include <sqlite3.h>

namespace steward {

namespace {

store_errc classify_constraint(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_DATATYPE: return store_errc::bad_row;
    default:
      // Conflicts of names are answers and never get here.
      return store_errc::misuse;
  }
}

} // namespace

store_errc classify_sqlite_code(int code) {
  // Two members of families that behave otherwise.
  if (code == SQLITE_READONLY_DBMOVED)
    return store_errc::cannot_open;
  if (code == SQLITE_IOERR_NOMEM)
    return store_errc::full;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return store_errc::busy;
    case SQLITE_FULL:
    case SQLITE_NOMEM: return store_errc::full;
    case SQLITE_IOERR: return store_errc::io;
    case SQLITE_READONLY: return store_errc::read_only;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return store_errc::cannot_open;
    case SQLITE_NOTADB: return store_errc::not_a_database;
    case SQLITE_CORRUPT: return store_errc::damaged;
    case SQLITE_CONSTRAINT: return classify_constraint(code);
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH: return store_errc::bad_row;
    default: return store_errc::misuse;
  }
}

} // namespace steward
