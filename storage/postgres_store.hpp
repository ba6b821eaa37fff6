#pragma once

#include <steward/storage/looking.hpp>
#include <steward/storage/record_store.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace steward {

class pg_connection;

/// How long things may take on a server.
struct postgres_limits {
  duration connect = std::chrono::seconds{5}; ///< to get a connection
  duration lock = std::chrono::seconds{2};    ///< to get a lock, by the server
  duration statement = std::chrono::seconds{4}; ///< a statement, by the server
  /// An answer, by us: then the link is given up, and the outcome is unknown.
  duration answer = std::chrono::seconds{6};
};

/// Records in a PostgreSQL database, 13 or newer, which several machines may
/// share. Durable whatever the server's default is; a server that cannot
/// promise it is refused. Needs no session state, so that a pooler of
/// transactions may stand before it. One thread at a time.
class postgres_store final : public record_store {
public:
  /// Connects to `url` (`postgresql://user@host/database`) and brings the
  /// schema up to date, as far as the use permits. Tries again for `wait_max`
  /// while the server starts or others do the same. Throws `store_failure`.
  postgres_store(const std::string& url, duration wait_max,
                 postgres_limits limits = {}, store_use use = store_use::keep);

  ~postgres_store() override;

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override;

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override;

  record_page read_page(const record_query& what, duration wait_max) override;

  purged_records purge(time_point before, std::size_t rows_max,
                       duration wait_max) override;

  std::vector<std::string> verify(duration wait_max) override;

  std::int64_t join(const node& x, duration ttl, duration wait_max) override;

  bool beat(std::int64_t id, duration ttl, duration wait_max) override;

  void leave(std::int64_t id, duration wait_max) override;

  std::vector<node> nodes(duration wait_max) override;

  std::vector<std::int64_t> strays(duration wait_max) override;

  record_page adopt(const adoption& what, duration wait_max) override;

  std::string where() const override;

  std::size_t writers() const override {
    return 2;
  }

  void on_wait(std::function<void()> fun) override;

  /// Runs `fun` with the connection, for what is built on a store; `what` says
  /// to do what. Throws `store_failure`.
  void with_connection(const char* what,
                       const std::function<void(pg_connection&)>& fun);

private:
  template <class Fun>
  auto run(const char* what, Fun fun);
  void confirm(pg_connection& c);

  std::string url_;
  std::string where_;
  std::string password_; // never to be shown
  postgres_limits limits_;
  store_use use_;
  std::function<void()> on_wait_;
  looking look_;
  bool confirm_ = false;                      // before anything else is written
  std::unique_ptr<pg_connection> connection_; // none after a lost link
};

} // namespace steward
