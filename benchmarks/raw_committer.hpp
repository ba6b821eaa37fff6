#pragma once

// The least that can be done: callers, a queue, one thread that writes what
// waits in one transaction, and nothing else. What persistence is measured by.

#include <SQLiteCpp/SQLiteCpp.h>

#include <libpq-fe.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace raw {

struct row {
  std::string name;
  std::string token; ///< 32 hexadecimal digits
};

/// Writes rows in one transaction, and returns after it is durable.
using write = std::function<void(const std::vector<row>&)>;

/// One thread that commits what waits: natural group commit.
class committer {
public:
  explicit committer(write to) : to_(std::move(to)) {
    thread_ = std::thread{[this] { run(); }};
  }

  committer(const committer&) = delete;
  committer& operator=(const committer&) = delete;

  ~committer() {
    {
      std::lock_guard lock{guard_};
      ending_ = true;
    }
    come_.notify_one();
    thread_.join();
  }

  std::future<void> add(row x) {
    auto done = std::make_shared<std::promise<void>>();
    auto result = done->get_future();
    {
      std::lock_guard lock{guard_};
      waiting_.push_back({std::move(x), std::move(done)});
    }
    come_.notify_one();
    return result;
  }

private:
  struct item {
    row what;
    std::shared_ptr<std::promise<void>> done;
  };

  void run() {
    std::unique_lock lock{guard_};
    for (;;) {
      come_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty())
        return;
      auto batch = std::exchange(waiting_, {});
      lock.unlock();
      std::vector<row> rows;
      for (auto& x : batch)
        rows.push_back(std::move(x.what));
      std::sort(rows.begin(), rows.end(),
                [](auto& a, auto& b) { return a.name < b.name; });
      to_(rows);
      for (auto& x : batch)
        x.done->set_value();
      lock.lock();
    }
  }

  write to_;
  std::mutex guard_;
  std::condition_variable come_;
  std::vector<item> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

/// Straight into the table of a SQLite file whose schema is there.
inline write to_sqlite(const std::string& file) {
  struct state {
    explicit state(const std::string& path)
      : db(path, SQLite::OPEN_READWRITE), insert(db, R"(
INSERT INTO record(name, pool, key, attributes, owner, state, opened_at,
                   creator, writer, journal, incarnation, fingerprint)
VALUES(?1, 'sessions', 'tenant-7', 'dsn=postgresql://host/db', 'bench-1',
       'open', '2015-05-17T10:05:03.250Z', ?2, ?2, '', 0, ?2)
ON CONFLICT(name) DO NOTHING)") {
      db.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;");
      db.execAndGet("PRAGMA wal_autocheckpoint = 8000");
    }

    SQLite::Database db;
    SQLite::Statement insert;
  };
  auto it = std::make_shared<state>(file);
  return [it](const std::vector<row>& rows) {
    SQLite::Transaction writing{it->db, SQLite::TransactionBehavior::IMMEDIATE};
    for (auto& x : rows) {
      it->insert.bindNoCopy(1, x.name);
      it->insert.bindNoCopy(2, x.token);
      it->insert.exec();
      it->insert.reset();
    }
    writing.commit();
  };
}

/// Straight into the table of a PostgreSQL database whose schema is there: one
/// INSERT of arrays that commits by itself.
inline write to_postgres(const std::string& url) {
  std::shared_ptr<PGconn> link{PQconnectdb(url.c_str()), &PQfinish};
  if (PQstatus(link.get()) != CONNECTION_OK)
    throw std::runtime_error{PQerrorMessage(link.get())};
  return [link](const std::vector<row>& rows) {
    std::string names = "{";
    std::string tokens = "{";
    for (auto& x : rows) {
      names += (names.size() > 1 ? ",\"" : "\"") + x.name + '"';
      tokens += (tokens.size() > 1 ? "," : "") + x.token;
    }
    names += '}';
    tokens += '}';
    const char* const values[] = {names.c_str(), tokens.c_str()};
    auto* said = PQexecParams(link.get(), R"(
INSERT INTO steward_record(name, pool, key, attributes, journal, owner,
  incarnation, state, opened_at, creator, writer, fingerprint)
SELECT u.name, 'sessions', 'tenant-7', 'dsn=postgresql://host/db', '',
  'bench-1', 0, 'open', '2015-05-17T10:05:03.250Z', u.token, u.token, u.token
FROM unnest($1::text[], $2::uuid[]) AS u(name, token)
ON CONFLICT (name) DO NOTHING RETURNING name, id)",
                              2, nullptr, values, nullptr, nullptr, 0);
    auto good = PQresultStatus(said) == PGRES_TUPLES_OK;
    PQclear(said);
    if (!good)
      throw std::runtime_error{PQerrorMessage(link.get())};
  };
}

} // namespace raw
