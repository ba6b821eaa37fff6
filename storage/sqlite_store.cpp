#include <steward/storage/sqlite_store.hpp>

#include <steward/storage/internal/sqlite_connection.hpp>
#include <steward/storage/iso_time.hpp>
#include <steward/storage/sqlite_codes.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace steward {

namespace {

constexpr std::size_t name_bytes_max = 1024;

// -- errors -------------------------------------------------------------------

int code_of(const SQLite::Exception& x) {
  auto extended = x.getExtendedErrorCode();
  return extended > 0 ? extended : x.getErrorCode();
}

store_failure to_failure(const SQLite::Exception& x, const char* what,
                         const std::string& where) {
  auto code = code_of(x);
  std::string text = "cannot ";
  text.append(what).append(" ").append(where).append(": ").append(x.what());
  text.append(" (SQLite code ").append(std::to_string(code)).append(")");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {classify_sqlite_code(code), text};
}

[[noreturn]] void damaged(const std::string& name, const char* what) {
  throw store_failure{store_errc::damaged,
                      "the record '" + name + "' has " + what};
}

// -- values -------------------------------------------------------------------

std::string to_hex(const creator_token& token) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(token.size() * 2);
  for (auto byte : token) {
    auto value = std::to_integer<unsigned>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

std::optional<creator_token> parse_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  creator_token token{};
  if (text.size() != token.size() * 2)
    return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto digit = digits.find(text[i]);
    if (digit == digits.npos)
      return std::nullopt;
    token[i / 2] = (token[i / 2] << 4) | static_cast<std::byte>(digit);
  }
  return token;
}

// -- statements ---------------------------------------------------------------

// Resets on every way out: a statement that is not makes COMMIT fail with a
// code that looks like somebody else's lock.
class execution {
public:
  explicit execution(SQLite::Statement& sql) : sql_(sql) {
  }

  execution(const execution&) = delete;
  execution& operator=(const execution&) = delete;

  ~execution() {
    sql_.tryReset();
  }

  bool step() {
    return sql_.executeStep();
  }

  int change() {
    sql_.executeStep();
    return sql_.getChanges();
  }

private:
  SQLite::Statement& sql_;
};

time_point time_at(SQLite::Statement& row, int column,
                   const std::string& name) {
  auto parsed = parse_iso_text(row.getColumn(column).getString());
  if (!parsed)
    damaged(name, "a time that is none");
  return *parsed;
}

record read_row(SQLite::Statement& row) {
  record x;
  x.id = row.getColumn(0).getInt64();
  x.name = row.getColumn(1).getString();
  x.pool = row.getColumn(2).getString();
  x.key = row.getColumn(3).getString();
  x.attributes = row.getColumn(4).getString();
  x.owner = row.getColumn(5).getString();
  x.open = row.getColumn(6).getString() == "open";
  x.opened_at = time_at(row, 8, x.name);
  auto creator = parse_hex(row.getColumn(10).getString());
  if (!creator)
    damaged(x.name, "a creator that is none");
  x.creator = *creator;
  if (x.open)
    return x;
  auto reason = close_reason_from(row.getColumn(7).getString());
  if (!reason)
    damaged(x.name, "an unknown close reason");
  x.reason = *reason;
  x.closed_at = time_at(row, 9, x.name);
  return x;
}

std::optional<record> read_by_name(sqlite_connection& c,
                                   const std::string& name) {
  auto& sql = c.sql().by_name;
  execution doing{sql};
  sql.bindNoCopy(1, name);
  if (!doing.step())
    return std::nullopt;
  return read_row(sql);
}

// The id of the new row; none if the name is taken.
std::optional<std::int64_t> insert(sqlite_connection& c, const record& x) {
  auto opened_at = to_iso_text(x.opened_at);
  auto creator = to_hex(x.creator);
  auto& sql = c.sql().insert;
  execution doing{sql};
  sql.bindNoCopy(1, x.name);
  sql.bindNoCopy(2, x.pool);
  sql.bindNoCopy(3, x.key);
  sql.bindNoCopy(4, x.attributes);
  sql.bindNoCopy(5, x.owner);
  sql.bindNoCopy(6, opened_at);
  sql.bindNoCopy(7, creator);
  if (doing.change() == 0)
    return std::nullopt;
  return c.db().getLastInsertRowid();
}

void update_closed(sqlite_connection& c, const close_record& x) {
  auto closed_at = to_iso_text(x.closed_at);
  std::string reason{to_string(x.reason)};
  auto& sql = c.sql().close;
  execution doing{sql};
  sql.bindNoCopy(1, x.name);
  sql.bindNoCopy(2, reason);
  sql.bindNoCopy(3, closed_at);
  doing.change();
}

// -- the write ----------------------------------------------------------------

const std::string& name_of(const record_write& x) {
  if (auto create = std::get_if<create_record>(&x))
    return create->draft.name;
  return std::get<close_record>(x).name;
}

void require_writable(std::span<const record_write> batch) {
  for (auto& x : batch)
    if (auto size = name_of(x).size(); size == 0 || size > name_bytes_max)
      throw store_failure{store_errc::bad_row,
                          "a record name has 1 to "
                            + std::to_string(name_bytes_max) + " bytes, not "
                            + std::to_string(size)};
}

// Ours if and only if it carries our token: that also settles a commit whose
// answer was lost.
record_answer answer_with(record row, const creator_token& mine) {
  record_answer answer;
  answer.verdict = row.creator == mine ? record_verdict::created
                                       : record_verdict::existed;
  answer.row = std::move(row);
  return answer;
}

// One batch on its way: look, insert, commit.
class batch_write {
public:
  batch_write(sqlite_connection& c, std::span<const record_write> batch)
    : c_(c), batch_(batch), found_(batch.size()) {
    answers_.reserve(batch.size());
  }

  // Reads what is there in one snapshot, without a lock.
  void look() {
    SQLite::Transaction snapshot{c_.db()};
    for (std::size_t i = 0; i < batch_.size(); ++i)
      if (auto create = std::get_if<create_record>(&batch_[i]))
        found_[i] = read_by_name(c_, create->draft.name);
  }

  std::vector<record_answer> finish() {
    if (all_found())
      return answers_of_found();
    SQLite::Transaction writing{c_.db(),
                                SQLite::TransactionBehavior::IMMEDIATE};
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (auto close = std::get_if<close_record>(&batch_[i]))
        answers_.push_back(write_close(*close));
      else
        answers_.push_back(write_create(std::get<create_record>(batch_[i]),
                                        found_[i].has_value()));
    }
    writing.commit();
    return std::move(answers_);
  }

private:
  bool all_found() const {
    return std::all_of(found_.begin(), found_.end(),
                       [](auto& row) { return row.has_value(); });
  }

  std::vector<record_answer> answers_of_found() {
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      auto& draft = std::get<create_record>(batch_[i]).draft;
      answers_.push_back(answer_with(std::move(*found_[i]), draft.creator));
    }
    return std::move(answers_);
  }

  record_answer write_close(const close_record& x) {
    update_closed(c_, x);
    auto row = read_by_name(c_, x.name);
    record_answer answer;
    if (row) {
      answer.verdict = record_verdict::existed;
      answer.row = std::move(*row);
    } else {
      answer.cause = "there is no record '" + x.name + "'";
    }
    return answer;
  }

  record_answer write_create(const create_record& x, bool was_found) {
    // Read again: earlier writes of this batch, and others, may have moved it.
    if (was_found)
      if (auto row = read_by_name(c_, x.draft.name))
        return answer_with(std::move(*row), x.draft.creator);
    if (auto id = insert(c_, x.draft)) {
      first_inserted_ = first_inserted_ == 0 ? *id : first_inserted_;
      return created(x.draft, *id);
    }
    auto row = read_by_name(c_, x.draft.name);
    if (!row)
      damaged(x.draft.name, "no row, and yet its name is taken");
    // Nobody else writes while we do: a row from our first id on is ours.
    auto others = first_inserted_ == 0 || row->id < first_inserted_;
    auto answer = answer_with(std::move(*row), x.draft.creator);
    answer.lost_race = others && answer.verdict == record_verdict::existed;
    return answer;
  }

  static record_answer created(const record& draft, std::int64_t id) {
    record_answer answer;
    answer.verdict = record_verdict::created;
    answer.row = draft;
    answer.row.id = id;
    answer.row.open = true;
    answer.row.reason = {};
    answer.row.opened_at = cut_to_milliseconds(draft.opened_at);
    answer.row.closed_at = {};
    return answer;
  }

  sqlite_connection& c_;
  std::span<const record_write> batch_;
  std::vector<std::optional<record>> found_;
  std::vector<record_answer> answers_;
  std::int64_t first_inserted_ = 0;
};

} // namespace

// -- every call ---------------------------------------------------------------

template <class Fun>
auto sqlite_store::run(const char* what, duration wait_max, Fun fun) {
  try {
    if (file_)
      sqlite_connection::require_file(path_, *file_);
    if (!connection_) {
      connection_ = std::make_unique<sqlite_connection>(path_, wait_max);
      connection_->set_pages_max(pages_max_);
      file_ = std::make_unique<file_id>(connection_->file());
    }
    connection_->wait_at_most(wait_max);
    return fun(*connection_);
  } catch (const SQLite::Exception& x) {
    auto failure = to_failure(x, what, path_.string());
    // A new connection has to recover: only that shows what a failed COMMIT
    // left behind. The other case would let single rows commit by themselves.
    if (failure.code() == store_errc::io
        || (connection_ && connection_->in_transaction()))
      connection_.reset();
    throw failure;
  }
}

// -- construction -------------------------------------------------------------

sqlite_store::sqlite_store(const std::filesystem::path& path, duration wait_max)
  // Absolute, because it is opened again after an I/O error.
  : path_(path == sqlite_connection::memory ? path
                                            : std::filesystem::absolute(path)) {
  run("open records", wait_max, [](sqlite_connection&) {});
}

std::unique_ptr<sqlite_store> sqlite_store::in_memory() {
  return std::make_unique<sqlite_store>(sqlite_connection::memory,
                                        duration::zero());
}

sqlite_store::~sqlite_store() = default;

// -- verbs --------------------------------------------------------------------

std::vector<record_answer>
sqlite_store::write(std::span<const record_write> batch, duration wait_max) {
  if (batch.empty())
    return {};
  require_writable(batch);
  return run("write records to", wait_max, [&](sqlite_connection& c) {
    batch_write writing{c, batch};
    writing.look();
    if (looked_)
      looked_();
    return writing.finish();
  });
}

std::vector<std::optional<record>>
sqlite_store::find(std::span<const std::string> names, duration wait_max) {
  return run("read records from", wait_max, [&](sqlite_connection& c) {
    std::vector<std::optional<record>> rows;
    rows.reserve(names.size());
    SQLite::Transaction snapshot{c.db()};
    for (auto& name : names)
      rows.push_back(read_by_name(c, name));
    return rows;
  });
}

std::vector<record> sqlite_store::list(const std::string& owner,
                                       duration wait_max) {
  return run("read records from", wait_max, [&](sqlite_connection& c) {
    std::vector<record> rows;
    auto& sql = c.sql().by_owner;
    execution doing{sql};
    sql.bindNoCopy(1, owner);
    while (doing.step())
      rows.push_back(read_row(sql));
    return rows;
  });
}

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
