#pragma once

// The least that can be done: callers, a queue, one thread that writes what
// waits in one transaction, and nothing else. What persistence is measured by.

#include <SQLiteCpp/SQLiteCpp.h>

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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

/// As much as a record has, as text.
struct row {
  std::string name;
  std::string pool;
  std::string key;
  std::string attributes;
  std::string owner;
  std::string opened_at;
  std::string token; ///< 32 hexadecimal digits; here the fingerprint, too
};

inline row row_of(std::string name) {
  return {std::move(name),
          "sessions",
          "tenant-7",
          "dsn=postgresql://host/db",
          "bench-1",
          "2015-05-17T10:05:03.250Z",
          "0123456789abcdef0123456789abcdef"};
}

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

  /// Transactions so far.
  std::uint64_t batches() const {
    return batches_;
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
      ++batches_;
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
  std::atomic<std::uint64_t> batches_{0};
  std::thread thread_;
};

/// Straight into the table of a SQLite file whose schema is there.
inline write to_sqlite(const std::string& file) {
  struct state {
    explicit state(const std::string& path)
      : db(path, SQLite::OPEN_READWRITE), insert(db, R"(
INSERT INTO record(name, pool, key, attributes, owner, state, opened_at,
                   creator, writer, journal, incarnation, fingerprint)
VALUES(?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?7, '', 0, ?7)
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
      int at = 0;
      for (auto* text : {&x.name, &x.pool, &x.key, &x.attributes, &x.owner,
                         &x.opened_at, &x.token})
        it->insert.bindNoCopy(++at, *text);
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
  auto require = [link](PGresult* said, ExecStatusType wanted) {
    auto good = PQresultStatus(said) == wanted;
    PQclear(said);
    if (!good)
      throw std::runtime_error{PQerrorMessage(link.get())};
  };
  require(PQprepare(link.get(), "raw", R"(
INSERT INTO steward_record(name, pool, key, attributes, journal, owner,
  incarnation, state, opened_at, creator, writer, fingerprint)
SELECT u.name, u.pool, u.key, u.attributes, '', u.owner, 0, 'open',
  u.opened_at, u.token, u.token, u.token
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
  $6::timestamptz[], $7::uuid[])
  AS u(name, pool, key, attributes, owner, opened_at, token)
ON CONFLICT (name) DO NOTHING RETURNING name, id)",
                    0, nullptr),
          PGRES_COMMAND_OK);
  return [link, require](const std::vector<row>& rows) {
    std::array<std::string, 7> arrays;
    for (auto& x : rows) {
      std::size_t at = 0;
      for (auto* text : {&x.name, &x.pool, &x.key, &x.attributes, &x.owner,
                         &x.opened_at, &x.token}) {
        auto& to = arrays[at++];
        to.append(to.empty() ? "{\"" : ",\"").append(*text).append("\"");
      }
    }
    std::array<const char*, 7> values{};
    for (std::size_t i = 0; i < arrays.size(); ++i)
      values[i] = (arrays[i] += '}').c_str();
    require(PQexecPrepared(link.get(), "raw", 7, values.data(), nullptr,
                           nullptr, 0),
            PGRES_TUPLES_OK);
  };
}

} // namespace raw
