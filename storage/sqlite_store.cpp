#include <steward/storage/sqlite_store.hpp>

#include <steward/core/iso_time.hpp>
#include <steward/storage/internal/record_text.hpp>
#include <steward/storage/internal/sqlite_connection.hpp>
#include <steward/storage/internal/sqlite_rows.hpp>
#include <steward/storage/internal/sqlite_schema.hpp>
#include <steward/storage/sqlite_codes.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace steward {

namespace {

// -- errors -------------------------------------------------------------------

int code_of(const SQLite::Exception& x) {
  auto extended = x.getExtendedErrorCode();
  return extended > 0 ? extended : x.getErrorCode();
}

store_failure to_failure(const SQLite::Exception& x, const char* what,
                         const std::string& where, database_stage stage) {
  auto code = code_of(x);
  std::string text = "cannot ";
  text.append(what).append(" ").append(where).append(": ").append(x.what());
  text.append(" (SQLite code ").append(std::to_string(code)).append(")");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {classify_sqlite_code(code), text,
          classify(backend::sqlite, {.number = code}, stage)};
}

// -- pages --------------------------------------------------------------------

// Every filter that is given narrows, so that an index can serve it.
std::string page_sql(const sqlite_connection& c, const record_query& what) {
  auto sql = c.select_record() + "WHERE id > ?1";
  if (!what.pool.empty())
    sql += " AND pool = ?2";
  if (!what.key.empty())
    sql += " AND key = ?3";
  if (!what.owner.empty())
    sql += " AND owner = ?4";
  if (what.open)
    sql += *what.open ? " AND state = 'open'" : " AND state = 'closed'";
  return sql + " ORDER BY id LIMIT ?5";
}

record_page read_rows(sqlite_connection& c, const record_query& what) {
  SQLite::Statement sql{c.db(), page_sql(c, what)};
  sql.bind(1, what.after);
  if (!what.pool.empty())
    sql.bindNoCopy(2, what.pool);
  if (!what.key.empty())
    sql.bindNoCopy(3, what.key);
  if (!what.owner.empty())
    sql.bindNoCopy(4, what.owner);
  page_builder page{what.rows_max};
  sql.bind(5, page.rows_max());
  while (!page.full() && sql.executeStep())
    page.add(id_of_row(sql), bytes_of_row(sql), [&] { return read_row(sql); });
  return page.take();
}

// -- nodes --------------------------------------------------------------------

// Milliseconds by the clock of the database, of which a file has only that of
// its machine.
constexpr const char* now_sql
  = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

std::int64_t in_ms(duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

std::int64_t insert_node(sqlite_connection& c, const node& x, duration ttl) {
  SQLite::Statement sql{
    c.db(), std::string{"INSERT INTO node(owner, host, pid, pid_started,"
                        " expires_at) VALUES(?1, ?2, ?3, ?4, ?5 + "}
              + now_sql + ")"};
  sql.bindNoCopy(1, x.owner);
  sql.bindNoCopy(2, x.process.host);
  sql.bind(3, x.process.pid);
  sql.bind(4, x.process.started);
  sql.bind(5, in_ms(ttl));
  sql.exec();
  return c.db().getLastInsertRowid();
}

std::vector<node> read_nodes(sqlite_connection& c) {
  SQLite::Statement sql{c.db(),
                        std::string{"SELECT id, owner, host, pid, pid_started,"
                                    " expires_at <= "}
                          + now_sql + " FROM node ORDER BY id"};
  std::vector<node> result;
  while (sql.executeStep())
    result.push_back(
      {sql.getColumn(0).getInt64(),
       sql.getColumn(1).getString(),
       {sql.getColumn(2).getString(), sql.getColumn(3).getInt64(),
        sql.getColumn(4).getInt64()},
       sql.getColumn(5).getInt() != 0});
  return result;
}

// Nobody needs a node whose lease is over and that has nothing open.
void forget_idle_nodes(sqlite_connection& c) {
  c.db().exec(std::string{"DELETE FROM node WHERE expires_at <= "} + now_sql
              + " AND NOT EXISTS (SELECT 1 FROM record WHERE state = 'open'"
                " AND incarnation = node.id)");
}

record_page take_over(sqlite_connection& c, const adoption& what) {
  auto text = c.select_record()
              + "WHERE state = 'open' AND incarnation = ?1 AND (?2 = '' OR pool"
                " = ?2) AND (?3 OR NOT EXISTS (SELECT 1 FROM node WHERE id = ?1"
                " AND expires_at > "
              + now_sql + ")) ORDER BY id LIMIT ?4";
  page_builder page{what.rows_max};
  std::vector<std::int64_t> ids;
  SQLite::Statement find{c.db(), text};
  find.bind(1, what.from);
  find.bindNoCopy(2, what.pool);
  find.bind(3, what.surely_dead ? 1 : 0);
  find.bind(4, page.rows_max());
  while (!page.full() && find.executeStep()) {
    ids.push_back(id_of_row(find));
    page.add(ids.back(), bytes_of_row(find), [&] {
      auto row = read_row(find);
      row.incarnation = what.to;
      ++row.version;
      return row;
    });
  }
  find.reset();
  SQLite::Statement take{c.db(), "UPDATE record SET incarnation = ?2, version ="
                                 " version + 1 WHERE id = ?1"};
  take.bind(2, what.to);
  for (auto id : ids) {
    take.bind(1, id);
    take.exec();
    take.reset();
  }
  return page.take();
}

// Runs `fun` in a transaction that has the write lock.
template <class Fun>
auto in_transaction(sqlite_connection& c, Fun fun) {
  SQLite::Transaction writing{c.db(), SQLite::TransactionBehavior::IMMEDIATE};
  c.stage = database_stage::statement;
  auto result = fun();
  c.stage = database_stage::commit;
  writing.commit();
  return result;
}

} // namespace

// -- every call ---------------------------------------------------------------

template <class Fun>
auto sqlite_store::run(const char* what, duration wait_max, Fun fun) {
  try {
    if (file_)
      sqlite_connection::require_file(path_, *file_);
    if (connection_)
      connection_->require_companions();
    if (!connection_) {
      connection_ = std::make_unique<sqlite_connection>(path_, wait_max, use_);
      connection_->set_pages_max(pages_max_);
      file_ = std::make_unique<file_id>(connection_->file());
    }
    connection_->wait_at_most(wait_max);
    connection_->stage = database_stage::begin;
    return fun(*connection_);
  } catch (const SQLite::Exception& x) {
    auto stage = connection_ ? connection_->stage : database_stage::connect;
    auto failure = to_failure(x, what, path_.string(), stage);
    // A new connection has to recover: only that shows what a failed COMMIT
    // left behind. The other case would let single rows commit by themselves.
    if (failure.reaction() == reaction::reopen
        || failure.reaction() == reaction::unknown_outcome
        || (connection_ && connection_->in_transaction()))
      connection_.reset();
    throw failure;
  }
}

// -- construction -------------------------------------------------------------

sqlite_store::sqlite_store(const std::filesystem::path& path, duration wait_max,
                           store_use use)
  // Absolute, because it is opened again after an I/O error.
  : path_(path == sqlite_connection::memory ? path
                                            : std::filesystem::absolute(path)),
    use_(use) {
  run("open records", wait_max, [](sqlite_connection&) {});
}

std::unique_ptr<sqlite_store> sqlite_store::in_memory() {
  return std::make_unique<sqlite_store>(sqlite_connection::memory,
                                        duration::zero());
}

sqlite_store::~sqlite_store() = default;

// -- records ------------------------------------------------------------------

std::vector<record_answer>
sqlite_store::write(std::span<const record_write> batch, duration wait_max) {
  if (batch.empty())
    return {};
  require_writable(batch);
  auto look_first = look_.first() || looked_;
  look_.failed(); // until it did not
  auto answers = run("write records to", wait_max, [&](sqlite_connection& c) {
    return write_batch(c, batch, look_first, looked_);
  });
  look_.wrote(batch, answers);
  return answers;
}

std::vector<std::optional<record>>
sqlite_store::find(std::span<const std::string> names, duration wait_max) {
  return run("read records from", wait_max, [&](sqlite_connection& c) {
    std::vector<std::optional<record>> rows;
    SQLite::Transaction snapshot{c.db()};
    page_limit limit;
    for (std::size_t i = 0; i < names.size() && !limit.reached(); ++i) {
      auto& row = rows.emplace_back(read_by_name(c, names[i]));
      limit.add(row ? row->attributes.size() + row->journal.size() : 0);
    }
    return rows;
  });
}

record_page sqlite_store::read_page(const record_query& what,
                                    duration wait_max) {
  return run("read records from", wait_max,
             [&](sqlite_connection& c) { return read_rows(c, what); });
}

purged_records sqlite_store::purge(time_point before, std::size_t rows_max,
                                   duration wait_max) {
  return run("purge records of", wait_max, [&](sqlite_connection& c) {
    return in_transaction(c, [&] {
      SQLite::Statement sql{
        c.db(), "DELETE FROM record WHERE id IN (SELECT id FROM record WHERE"
                " state = 'closed' AND closed_at < ?1 ORDER BY closed_at LIMIT"
                " ?2)"};
      sql.bind(1, to_iso_text(before));
      sql.bind(2, to_limit(rows_max));
      // Who has the write lock meets nobody else's.
      return purged_records{static_cast<std::size_t>(sql.exec()), 0};
    });
  });
}

std::vector<std::string> sqlite_store::verify(duration wait_max) {
  return run("verify records of", wait_max, [&](sqlite_connection& c) {
    auto wrong = what_sqlite_lacks(c.db(), c.schema_version());
    SQLite::Statement check{c.db(), "PRAGMA integrity_check"};
    while (check.executeStep())
      if (auto said = check.getColumn(0).getString(); said != "ok")
        wrong.push_back(said);
    return wrong;
  });
}

// -- nodes --------------------------------------------------------------------

std::int64_t sqlite_store::join(const node& x, duration ttl,
                                duration wait_max) {
  return run("join the nodes of", wait_max, [&](sqlite_connection& c) {
    return in_transaction(c, [&] {
      forget_idle_nodes(c);
      return insert_node(c, x, ttl);
    });
  });
}

bool sqlite_store::beat(std::int64_t id, duration ttl, duration wait_max) {
  return run("renew a lease in", wait_max, [&](sqlite_connection& c) {
    return in_transaction(c, [&] {
      SQLite::Statement sql{
        c.db(), std::string{"UPDATE node SET expires_at = ?2 + "} + now_sql
                  + " WHERE id = ?1 AND expires_at > " + now_sql};
      sql.bind(1, id);
      sql.bind(2, in_ms(ttl));
      return sql.exec() == 1;
    });
  });
}

void sqlite_store::leave(std::int64_t id, duration wait_max) {
  run("leave the nodes of", wait_max, [&](sqlite_connection& c) {
    return in_transaction(c, [&] {
      SQLite::Statement sql{c.db(), "UPDATE node SET expires_at = 0, host = ''"
                                    " WHERE id = ?1"};
      sql.bind(1, id);
      sql.exec();
      forget_idle_nodes(c);
      return true;
    });
  });
}

std::vector<node> sqlite_store::nodes(duration wait_max) {
  return run("read the nodes of", wait_max, [](sqlite_connection& c) {
    return c.schema_version() < sqlite_schema_with_nodes ? std::vector<node>{}
                                                         : read_nodes(c);
  });
}

std::vector<std::int64_t> sqlite_store::strays(duration wait_max) {
  return run("read the nodes of", wait_max, [](sqlite_connection& c) {
    SQLite::Statement sql{
      c.db(), "SELECT DISTINCT incarnation FROM record WHERE state = 'open' AND"
              " incarnation <> 0 AND NOT EXISTS (SELECT 1 FROM node WHERE id ="
              " incarnation)"};
    std::vector<std::int64_t> result;
    while (sql.executeStep())
      result.push_back(sql.getColumn(0).getInt64());
    return result;
  });
}

record_page sqlite_store::adopt(const adoption& what, duration wait_max) {
  return run("take over records of", wait_max, [&](sqlite_connection& c) {
    return in_transaction(c, [&] { return take_over(c, what); });
  });
}

// -- seams --------------------------------------------------------------------

void sqlite_store::set_pages_max(std::int64_t pages) {
  pages_max_ = pages;
  if (connection_)
    connection_->set_pages_max(pages);
}

void sqlite_store::on_looked(std::function<void()> fun) {
  looked_ = std::move(fun);
}

// -- queries ------------------------------------------------------------------

std::string sqlite_store::where() const {
  return "sqlite:" + path_.string();
}

} // namespace steward
