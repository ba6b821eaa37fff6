#pragma once

// Not installed: users of the store have no libpq.

#include <steward/core/database_error.hpp>
#include <steward/storage/postgres_store.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace steward {

/// What a server, or the way to it, said.
class pg_failure : public std::runtime_error {
public:
  pg_failure(const std::string& what, std::string state, database_stage stage)
    : std::runtime_error(what), state_(std::move(state)), stage_(stage) {
  }

  database_code code() const {
    return {.state = state_, .link_lost = link_lost, .of_name = of_name};
  }

  const std::string& state() const {
    return state_;
  }

  reaction to_do() const {
    if (after_commit)
      return reaction::unknown_outcome;
    return classify(backend::postgresql, code(), stage_);
  }

  bool link_lost = false;
  bool after_commit = false; ///< part of the batch is written all the same
  bool of_name = false;

private:
  std::string state_;
  database_stage stage_;
};

/// What a statement returned. Text is valid as long as the result lives.
class pg_result {
public:
  explicit pg_result(PGresult* x = nullptr) : result_(x, &PQclear) {
  }

  int rows() const {
    return PQntuples(result_.get());
  }

  std::string_view text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }

  std::string string(int row, int column) const {
    return std::string{text(row, column)};
  }

  std::int64_t number(int row, int column) const;

  bool is_null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) == 1;
  }

  /// What the server says it did: `COMMIT`, `INSERT 0 3`, ...
  std::string_view tag() const {
    return PQcmdStatus(result_.get());
  }

  PGresult* get() const {
    return result_.get();
  }

private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// A statement that is worth its preparation: often used, and planned in one
/// way whatever the parameters are. The same name is the same text for all who
/// share a session through a pooler.
struct pg_statement {
  std::string name;
  std::string sql;

  /// Called by what it says.
  static pg_statement of(std::string sql);
};

/// One connection to a server, its settings set and read back: for the session;
/// where a pooler lends it out, for each transaction, and each statement is one.
/// Every wait is bounded here, whatever the network does. One thread.
class pg_connection {
public:
  using params = std::span<const std::string>;

  /// Throws `pg_failure`; of a server that only reads, unless that will do.
  pg_connection(const std::string& url, const postgres_limits& limits,
                std::function<void()> on_wait, store_use use = store_use::keep);

  pg_connection(const pg_connection&) = delete;
  pg_connection& operator=(const pg_connection&) = delete;

  ~pg_connection() {
    close();
  }

  /// Runs one statement; `stage` says what it means if it fails.
  pg_result exec(database_stage stage, const std::string& sql,
                 params values = {});

  /// The same of a statement that is prepared on its first use; where a pooler
  /// loses it, it is sent as text from then on.
  pg_result exec(database_stage stage, const pg_statement& what, params values);

  /// Runs one statement that reads, and takes up to `most` instead of the usual
  /// limits: in a transaction of its own, so that no session remembers that.
  pg_result exec_within(duration most, const std::string& sql);

  void begin();

  /// Throws if the server says that it rolled back.
  void commit();

  /// Leaves a transaction that failed; the link stays. False if it is gone.
  bool roll_back() noexcept;

  /// Whether somebody who was told of a wait ended it, by an exception.
  bool is_closed() const {
    return link_ == nullptr;
  }

  bool in_transaction() const {
    return in_transaction_;
  }

private:
  using clock = std::chrono::steady_clock;

  void close() noexcept;
  void connect(const std::string& url, store_use use);
  void set_and_verify(store_use use);
  void require_setting(const pg_result& rows, int row);
  void wait(bool to_write, clock::time_point until, database_stage stage);
  void tell_of_wait();
  void flush(clock::time_point until, database_stage stage);
  pg_result next_result(clock::time_point until, database_stage stage);
  template <class Send>
  pg_result ask(database_stage stage, Send send);
  pg_result send(database_stage stage, const std::string& sql, params values);
  bool prepare(const pg_statement& what);
  [[noreturn]] void lose(const std::string& why, database_stage stage);
  [[noreturn]] void refuse(const pg_result& said, database_stage stage);
  std::string link_error() const;

  postgres_limits limits_;
  std::function<void()> on_wait_;
  PGconn* link_ = nullptr;
  bool own_session_ = true; // else each transaction may have another one
  bool in_transaction_ = false;
  bool unconfirmed_ = false; // by a standby that should have
  bool prepares_ = true;     // while the session is ours
  std::set<std::string, std::less<>> prepared_;
};

/// Texts as an array, for `$1::text[]`.
std::string pg_array(std::span<const std::string_view> texts);

} // namespace steward
