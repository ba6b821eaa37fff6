#include <steward/core/database_error.hpp>

#include <initializer_list>

namespace steward {

namespace {

// SQLite's result codes by number, as core/ has no SQLite. Extended ones have
// their family in the low byte.
namespace sqlite {

constexpr int busy = 5;
constexpr int locked = 6;
constexpr int out_of_memory = 7;
constexpr int io = 10;
constexpr int full = 13;
constexpr int protocol = 15;
constexpr int too_big = 18;
constexpr int constraint = 19;
constexpr int mismatch = 20;

constexpr int constraint_check = 275;
constexpr int constraint_not_null = 1299;
constexpr int constraint_unique = 2067;
constexpr int constraint_datatype = 3091;
constexpr int io_no_memory = 3082;

} // namespace sqlite

reaction classify_sqlite_constraint(const database_code& code) {
  switch (code.number) {
    case sqlite::constraint_check:
    case sqlite::constraint_not_null:
    case sqlite::constraint_datatype: return reaction::bisect;
    case sqlite::constraint_unique:
      return code.of_name ? reaction::reread : reaction::fail;
    default: return reaction::fail;
  }
}

reaction classify_sqlite(const database_code& code, database_stage where) {
  if (code.number == sqlite::io_no_memory)
    return reaction::retry;
  switch (code.number & 0xff) {
    case sqlite::busy:
      // Who has the write lock meets nobody at COMMIT: a statement of ours was
      // not reset. A new connection has none.
      return where == database_stage::commit ? reaction::reopen
                                             : reaction::retry;
    case sqlite::locked:
    case sqlite::protocol:
    case sqlite::full:
    case sqlite::out_of_memory: return reaction::retry;
    case sqlite::io:
      // A failed fsync leaves the frames of the commit in the log, where the
      // next process may find them.
      return where == database_stage::commit ? reaction::unknown_outcome
                                             : reaction::reopen;
    case sqlite::constraint: return classify_sqlite_constraint(code);
    case sqlite::too_big:
    case sqlite::mismatch: return reaction::bisect;
    default: return reaction::fail;
  }
}

bool is_one_of(std::string_view state,
               std::initializer_list<std::string_view> list) {
  for (auto x : list)
    if (state == x)
      return true;
  return false;
}

bool is_of_class(std::string_view state,
                 std::initializer_list<std::string_view> list) {
  return is_one_of(state.substr(0, 2), list);
}

// What libpq says of a failed connection has mostly no SQLSTATE at all.
reaction classify_connecting(std::string_view state) {
  return is_of_class(state, {"28", "3D", "42", "22"}) ? reaction::fail
                                                      : reaction::retry;
}

reaction classify_postgresql(const database_code& code, database_stage where) {
  auto state = code.state;
  if (where == database_stage::connect)
    return classify_connecting(state);
  // Whatever the code: the server may have committed before the link went.
  if (code.link_lost)
    return reaction::unknown_outcome;
  if (state == "23505")
    return code.of_name ? reaction::reread : reaction::fail;
  if (state == "25006") // a failover left us with a server that only reads
    return reaction::reopen;
  // Serialization, deadlock, lock and statement timeout, a transaction that
  // was aborted, a pooler that lost a statement.
  if (is_one_of(state, {"40001", "40P01", "55P03", "57014", "25P02", "26000"}))
    return reaction::retry;
  // The server ends this session; mostly the link goes, too.
  if (is_one_of(state, {"57P01", "57P02", "57P05", "25P03"})
      || is_of_class(state, {"08"}))
    return reaction::unknown_outcome;
  if (state == "57P03" || is_of_class(state, {"53"}))
    return reaction::retry;
  if (is_of_class(state, {"58"}))
    return where == database_stage::commit ? reaction::unknown_outcome
                                           : reaction::reopen;
  if (is_one_of(state, {"23502", "23514", "54000"})
      || is_of_class(state, {"22"}))
    return reaction::bisect;
  return reaction::fail;
}

} // namespace

std::string_view to_string(reaction x) {
  switch (x) {
    case reaction::retry: return "retry";
    case reaction::reread: return "reread";
    case reaction::unknown_outcome: return "unknown_outcome";
    case reaction::reopen: return "reopen";
    case reaction::bisect: return "bisect";
    case reaction::fail: break;
  }
  return "fail";
}

reaction classify(backend from, const database_code& code,
                  database_stage where) {
  return from == backend::sqlite ? classify_sqlite(code, where)
                                 : classify_postgresql(code, where);
}

} // namespace steward
