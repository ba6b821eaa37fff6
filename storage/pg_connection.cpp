#include <steward/storage/internal/pg_connection.hpp>

#include <steward/core/fingerprint.hpp>
#include <steward/core/hex.hpp>
#include <steward/core/planted.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr duration slice = 20ms; // how often who waits looks up
constexpr int server_version_min = 130'000;

struct setting {
  const char* name;
  std::string value;
};

std::string in_ms(duration d) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return std::to_string(ms);
}

// What must hold in every session, as pg_settings writes it.
std::array<setting, 5> settings_of(const postgres_limits& limits) {
  return {{{"synchronous_commit", "on"},
           {"default_transaction_isolation", "read committed"},
           {"lock_timeout", in_ms(limits.lock)},
           {"statement_timeout", in_ms(limits.statement)},
           {"client_encoding", "UTF8"}}};
}

// For the session, or for one transaction.
std::string set_all(const postgres_limits& limits, bool local) {
  std::string result;
  for (auto& x : settings_of(limits))
    result.append(result.empty() ? "" : ", ")
      .append("set_config('")
      .append(x.name)
      .append("', '")
      .append(x.value)
      .append(local ? "', true)" : "', false)");
  return result;
}

std::string one_line_of(const char* text) {
  std::string result{text == nullptr ? "" : text};
  while (!result.empty() && result.back() == '\n')
    result.pop_back();
  std::erase(result, '\t'); // before a hint on a line of its own
  std::replace(result.begin(), result.end(), '\n', ' ');
  return result;
}

std::vector<const char*> pointers_to(pg_connection::params values) {
  std::vector<const char*> result;
  for (auto& x : values)
    result.push_back(x.c_str());
  return result;
}

std::string field_of(const PGresult* x, int which) {
  auto text = PQresultErrorField(x, which);
  return text == nullptr ? std::string{} : std::string{text};
}

// By default libpq prints notices to standard error. One counts: a commit that
// was to wait for a standby was made not to, and stands here alone.
void hear(void* unconfirmed, const PGresult* notice) {
  if (field_of(notice, PG_DIAG_SOURCE_FUNCTION) == "SyncRepWaitForLSN")
    *static_cast<bool*>(unconfirmed) = true;
}

} // namespace

pg_statement pg_statement::of(std::string sql) {
  return {"steward_" + to_hex(fingerprint_of(sql)), std::move(sql)};
}

std::int64_t pg_result::number(int row, int column) const {
  auto digits = text(row, column);
  std::int64_t result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

// -- construction -------------------------------------------------------------

pg_connection::pg_connection(const std::string& url,
                             const postgres_limits& limits,
                             std::function<void()> on_wait, store_use use)
  : limits_(limits), on_wait_(std::move(on_wait)) {
  try {
    connect(url, use);
    set_and_verify(use);
  } catch (...) {
    close();
    throw;
  }
}

void pg_connection::close() noexcept {
  if (link_ != nullptr)
    PQfinish(std::exchange(link_, nullptr));
}

void pg_connection::connect(const std::string& url, store_use use) {
  // What stands after the URL wins over it, what stands before does not.
  constexpr std::array<const char*, 8> names = {"fallback_application_name",
                                                "keepalives_idle",
                                                "keepalives_interval",
                                                "keepalives_count",
                                                "tcp_user_timeout",
                                                "target_session_attrs",
                                                "dbname",
                                                nullptr};
  auto user_timeout = in_ms(limits_.answer);
  const auto* which = use == store_use::look ? "any" : "read-write";
  const std::array<const char*, 8> values
    = {"steward", "10",        "5",    "3", user_timeout.c_str(),
       which,     url.c_str(), nullptr};
  auto until = clock::now() + limits_.connect;
  auto stage = database_stage::connect;
  link_ = PQconnectStartParams(names.data(), values.data(), 1);
  if (link_ == nullptr)
    lose("no memory for a connection", stage);
  PQsetNoticeReceiver(link_, &hear, &unconfirmed_);
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(link_)) {
    if (state == PGRES_POLLING_FAILED || PQstatus(link_) == CONNECTION_BAD)
      lose(link_error(), stage);
    wait(state == PGRES_POLLING_WRITING, until, stage);
  }
  if (PQsetnonblocking(link_, 1) != 0)
    lose(link_error(), stage);
  if (auto version = PQserverVersion(link_); version < server_version_min)
    throw pg_failure{"the server is version " + std::to_string(version / 10'000)
                       + "; 13 or newer is needed",
                     "0A000", database_stage::begin};
}

// A pooler of transactions shows a process of its own, and any session may run
// the next transaction: so each sets everything anew and leaves nothing behind.
void pg_connection::set_and_verify(store_use use) {
  auto stage = database_stage::begin;
  own_session_ = exec(stage, "SELECT pg_backend_pid()").number(0, 0)
                 == PQbackendPID(link_);
  prepares_ = own_session_;
  if (own_session_)
    exec(stage, "SELECT " + set_all(limits_, false));
  else
    begin();
  // Who only looks needs no server that writes, and loses nothing with one.
  std::string names
    = use == store_use::look ? "''" : "'fsync', 'transaction_read_only'";
  for (auto& x : settings_of(limits_))
    names.append(", '").append(x.name).append("'");
  auto is = exec(stage, "SELECT name, setting FROM pg_settings WHERE name IN ("
                          + names + ")");
  for (int row = 0; row < is.rows(); ++row)
    require_setting(is, row);
  if (!own_session_)
    commit();
}

// A server that lies about its disk, or gave us less than we asked for, would
// lose what was acknowledged. // I10
void pg_connection::require_setting(const pg_result& rows, int row) {
  auto name = rows.text(row, 0);
  auto value = rows.text(row, 1);
  std::string wanted = name == "fsync" ? "on" : "off";
  for (auto& x : settings_of(limits_))
    if (name == x.name)
      wanted = x.value;
  if (value == wanted)
    return;
  // Only this one heals: there may be another server that writes.
  auto state = name == "transaction_read_only" ? "25006" : "55000";
  throw pg_failure{"the server has " + std::string{name} + " '"
                     + std::string{value} + "' where '" + wanted
                     + "' is needed",
                   state, database_stage::begin};
}

// -- waiting ------------------------------------------------------------------

void pg_connection::wait(bool to_write, clock::time_point until,
                         database_stage stage) {
  for (;;) {
    auto left = until - clock::now();
    if (left <= left.zero())
      lose("no answer in time", stage);
    pollfd what{PQsocket(link_), POLLIN, 0};
    if (to_write)
      what.events |= POLLOUT;
    auto pause = std::min<clock::duration>(left, slice);
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(pause).count();
    if (::poll(&what, 1, static_cast<int>(ms)) > 0)
      return;
    tell_of_wait();
  }
}

// Who has had enough throws; the answer that comes then is nobody's.
void pg_connection::tell_of_wait() {
  if (!on_wait_)
    return;
  try {
    on_wait_();
  } catch (...) {
    close();
    throw;
  }
}

void pg_connection::flush(clock::time_point until, database_stage stage) {
  for (;;) {
    auto left = PQflush(link_);
    if (left < 0)
      return; // the reason is in what can still be read
    if (left == 0)
      return;
    wait(true, until, stage);
    // A server that has much to say takes nothing until it has said it.
    if (PQconsumeInput(link_) == 0)
      return;
  }
}

pg_result pg_connection::next_result(clock::time_point until,
                                     database_stage stage) {
  while (PQisBusy(link_) == 1) {
    wait(false, until, stage);
    if (PQconsumeInput(link_) == 0)
      break; // PQgetResult tells why
  }
  return pg_result{PQgetResult(link_)};
}

// -- statements ---------------------------------------------------------------

template <class Send>
pg_result pg_connection::ask(database_stage stage, Send send) {
  if (link_ == nullptr)
    lose("the connection is closed", stage);
  auto until = clock::now() + limits_.answer;
  unconfirmed_ = false;
  if (send() == 0)
    lose(link_error(), stage);
  flush(until, stage);
  // All results are read, the first error counts: after a terminated session
  // the code comes first, and the link goes bad only then.
  pg_result answer;
  pg_result error;
  for (;;) {
    auto next = next_result(until, stage);
    if (next.get() == nullptr)
      break;
    auto status = PQresultStatus(next.get());
    auto good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (good)
      answer = std::move(next);
    else if (error.get() == nullptr)
      error = std::move(next);
    if (PQstatus(link_) == CONNECTION_BAD)
      break;
  }
  if (error.get() != nullptr)
    refuse(error, stage);
  if (PQstatus(link_) == CONNECTION_BAD || answer.get() == nullptr)
    lose(link_error(), stage);
  if (unconfirmed_) {
    pg_failure failure{
      "it is committed, but its standby has not confirmed it", {}, stage};
    failure.after_commit = true;
    throw failure;
  }
  return answer;
}

pg_result pg_connection::exec(database_stage stage, const std::string& sql,
                              params values) {
  if (own_session_ || in_transaction_)
    return send(stage, sql, values);
  begin();
  auto said = send(stage, sql, values);
  commit();
  return said;
}

pg_result pg_connection::send(database_stage stage, const std::string& sql,
                              params values) {
  auto texts = pointers_to(values);
  return ask(stage, [&] {
    return PQsendQueryParams(link_, sql.c_str(), static_cast<int>(texts.size()),
                             nullptr, texts.data(), nullptr, nullptr, 0);
  });
}

pg_result pg_connection::exec(database_stage stage, const pg_statement& what,
                              params values) {
  if (!prepare(what))
    return exec(stage, what.sql, values);
  auto texts = pointers_to(values);
  try {
    return ask(stage, [&] {
      return PQsendQueryPrepared(link_, what.name.c_str(),
                                 static_cast<int>(texts.size()), texts.data(),
                                 nullptr, nullptr, 0);
    });
  } catch (const pg_failure& x) {
    if (x.state() != "26000" || x.link_lost)
      throw;
    // This transaction runs in another session. Nothing of it was done.
    prepares_ = false;
    if (in_transaction_)
      throw;
    return exec(stage, what.sql, values);
  }
}

// Not within a transaction: a preparation that fails would end it.
bool pg_connection::prepare(const pg_statement& what) {
  if (prepared_.contains(what.name))
    return prepares_;
  if (!prepares_ || in_transaction_)
    return false;
  try {
    ask(database_stage::begin, [&] {
      return PQsendPrepare(link_, what.name.c_str(), what.sql.c_str(), 0,
                           nullptr);
    });
    prepared_.insert(what.name);
  } catch (const pg_failure& x) {
    if (x.link_lost || x.state() != "42P05")
      throw;
    prepares_ = false; // somebody else did, in a session that is shared
  }
  return prepares_;
}

pg_result pg_connection::exec_within(duration most, const std::string& sql) {
  struct patience {
    duration& answer;
    duration usual;
    ~patience() {
      answer = usual;
    }
  } until_the_end{limits_.answer, limits_.answer};
  begin();
  exec(database_stage::begin,
       "SELECT set_config('statement_timeout', $1, true)",
       std::array{in_ms(most)});
  limits_.answer = most + slice;
  auto answer = exec(database_stage::begin, sql);
  limits_.answer = until_the_end.usual;
  commit();
  return answer;
}

void pg_connection::begin() {
  in_transaction_ = true; // whatever comes of it, ROLLBACK does no harm
  if (own_session_) {
    send(database_stage::begin, "BEGIN", {});
    return;
  }
  auto sql = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT "
             + set_all(limits_, true);
  ask(database_stage::begin, [&] { return PQsendQuery(link_, sql.c_str()); });
}

void pg_connection::commit() {
  auto said = exec(database_stage::commit, "COMMIT");
  in_transaction_ = false;
  // A COMMIT of a transaction that had failed succeeds, and rolls back.
  if (said.tag() != "COMMIT" && !STEWARD_PLANTED(commit_tag_ignored))
    throw pg_failure{"the server rolled back at COMMIT", "25P02",
                     database_stage::commit};
}

bool pg_connection::roll_back() noexcept {
  try {
    exec(database_stage::begin, "ROLLBACK");
    in_transaction_ = false;
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// -- errors -------------------------------------------------------------------

std::string pg_connection::link_error() const {
  auto text = one_line_of(PQerrorMessage(link_));
  return text.empty() ? "the connection is lost" : text;
}

void pg_connection::lose(const std::string& why, database_stage stage) {
  close();
  pg_failure failure{why, {}, stage};
  failure.link_lost = true;
  throw failure;
}

void pg_connection::refuse(const pg_result& said, database_stage stage) {
  auto state = field_of(said.get(), PG_DIAG_SQLSTATE);
  auto text = field_of(said.get(), PG_DIAG_MESSAGE_PRIMARY);
  auto constraint = field_of(said.get(), PG_DIAG_CONSTRAINT_NAME);
  auto lost = PQstatus(link_) == CONNECTION_BAD;
  pg_failure failure{one_line_of(text.empty() ? PQresultErrorMessage(said.get())
                                              : text.c_str()),
                     state, stage};
  failure.of_name = constraint == "steward_record_name_key";
  failure.link_lost = lost;
  if (lost)
    close();
  throw failure;
}

// -- values -------------------------------------------------------------------

std::string pg_array(std::span<const std::string_view> texts) {
  std::string result = "{";
  for (auto text : texts) {
    result += result.size() > 1 ? ",\"" : "\"";
    for (auto c : text) {
      if (c == '"' || c == '\\')
        result += '\\';
      result += c;
    }
    result += '"';
  }
  return result + "}";
}

} // namespace steward
