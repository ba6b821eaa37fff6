#include <steward/storage/internal/sqlite_rows.hpp>

#include <steward/core/iso_time.hpp>
#include <steward/core/planted.hpp>
#include <steward/storage/internal/record_text.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace steward {

namespace {

// The id of the new row; none if the name is taken.
std::optional<std::int64_t> insert(sqlite_connection& c, const record& x) {
  auto opened_at = to_iso_text(x.opened_at);
  auto creator = to_hex(x.creator);
  auto print = to_hex(fingerprint_of(x.attributes));
  auto& sql = c.sql().insert;
  sqlite_execution doing{sql};
  sql.bindNoCopy(1, x.name);
  sql.bindNoCopy(2, x.pool);
  sql.bindNoCopy(3, x.key);
  sql.bindNoCopy(4, x.attributes);
  sql.bindNoCopy(5, x.owner);
  sql.bindNoCopy(6, opened_at);
  sql.bindNoCopy(7, creator);
  sql.bindNoCopy(8, x.journal);
  sql.bind(9, x.incarnation);
  sql.bindNoCopy(10, print);
  if (doing.change() == 0)
    return std::nullopt;
  return c.db().getLastInsertRowid();
}

void bind_optional(SQLite::Statement& sql, int at,
                   const std::optional<std::string>& text) {
  if (text)
    sql.bindNoCopy(at, *text);
  else
    sql.bind(at);
}

void update_closed(sqlite_connection& c, const close_record& x) {
  auto closed_at = to_iso_text(x.closed_at);
  std::optional<std::string> creator;
  if (x.creator)
    creator = to_hex(*x.creator);
  std::string reason{to_string(x.reason)};
  auto& sql = c.sql().close;
  sqlite_execution doing{sql};
  sql.bindNoCopy(1, x.name);
  sql.bindNoCopy(2, reason);
  sql.bindNoCopy(3, closed_at);
  bind_optional(sql, 4, creator);
  doing.change();
}

void update_version(sqlite_connection& c, const update_record& x) {
  auto token = to_hex(x.token);
  auto& sql = c.sql().update;
  sqlite_execution doing{sql};
  sql.bindNoCopy(1, x.name);
  sql.bind(2, x.version);
  bind_optional(sql, 3, x.attributes);
  bind_optional(sql, 4, x.journal);
  sql.bindNoCopy(5, token);
  doing.change();
}

record_answer unknown_name(const std::string& name) {
  return unavailable(record_trouble::unknown_name,
                     "there is no record '" + name + "'");
}

// What must never be done: that is how a bug is planted.
[[maybe_unused]] void commit_late(sqlite_connection& c) {
  static int batches = 0;
  if (c.in_transaction() && ++batches % 16 == 0)
    c.db().exec("COMMIT");
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
    looked_ = true;
    for (std::size_t i = 0; i < batch_.size(); ++i)
      if (auto create = std::get_if<create_record>(&batch_[i]))
        found_[i] = read_by_name(c_, create->draft.name);
  }

  std::vector<record_answer> finish() {
    if (all_found())
      return answers_of_found();
    if (STEWARD_PLANTED(answer_before_commit)) {
      if (!c_.in_transaction())
        c_.db().exec("BEGIN IMMEDIATE"); // and a later batch commits it
      for (std::size_t i = 0; i < batch_.size(); ++i)
        answers_.push_back(write_one(i));
      return std::move(answers_);
    }
    SQLite::Transaction writing{c_.db(),
                                SQLite::TransactionBehavior::IMMEDIATE};
    c_.stage = database_stage::statement;
    for (std::size_t i = 0; i < batch_.size(); ++i)
      answers_.push_back(write_one(i));
    c_.stage = database_stage::commit;
    writing.commit();
    return std::move(answers_);
  }

private:
  bool all_found() const {
    return std::all_of(found_.begin(), found_.end(),
                       [](auto& row) { return row.has_value(); });
  }

  std::vector<record_answer> answers_of_found() {
    for (std::size_t i = 0; i < batch_.size(); ++i)
      answers_.push_back(
        answer_to(std::get<create_record>(batch_[i]), std::move(*found_[i])));
    return std::move(answers_);
  }

  record_answer write_one(std::size_t i) {
    if (auto close = std::get_if<close_record>(&batch_[i]))
      return write_close(*close);
    if (auto update = std::get_if<update_record>(&batch_[i]))
      return write_update(*update);
    return write_create(std::get<create_record>(batch_[i]),
                        found_[i].has_value());
  }

  record_answer write_close(const close_record& x) {
    update_closed(c_, x);
    auto row = read_by_name(c_, x.name);
    if (!row)
      return unknown_name(x.name);
    record_answer answer;
    answer.verdict = record_verdict::existed;
    answer.row = std::move(*row);
    return answer;
  }

  record_answer write_update(const update_record& x) {
    update_version(c_, x);
    auto row = read_by_name(c_, x.name);
    return row ? answer_to(x, std::move(*row)) : unknown_name(x.name);
  }

  record_answer write_create(const create_record& x, bool was_found) {
    // Read again: earlier writes of this batch, and others, may have moved it.
    if (was_found)
      if (auto row = read_by_name(c_, x.draft.name))
        return answer_to(x, std::move(*row));
    if (auto id = insert(c_, x.draft)) {
      first_inserted_ = first_inserted_ == 0 ? *id : first_inserted_;
      record_answer answer;
      answer.verdict = record_verdict::created;
      answer.row = created_row(x.draft, *id);
      return answer;
    }
    auto row = read_by_name(c_, x.draft.name);
    if (!row)
      damaged(x.draft.name, "no row, and yet its name is taken");
    // Nobody else writes while we do: a row from our first id on is ours.
    auto others = first_inserted_ == 0 || row->id < first_inserted_;
    auto answer = answer_to(x, std::move(*row));
    answer.lost_race = looked_ && others
                       && answer.verdict != record_verdict::created;
    return answer;
  }

  sqlite_connection& c_;
  std::span<const record_write> batch_;
  std::vector<std::optional<record>> found_;
  std::vector<record_answer> answers_;
  std::int64_t first_inserted_ = 0;
  bool looked_ = false;
};

} // namespace

record read_row(SQLite::Statement& row) {
  // What is translated need not be copied; it stays until the next step.
  auto text = [&row](int i) {
    auto column = row.getColumn(i);
    const auto* begin = column.getText();
    return std::string_view{begin, static_cast<std::size_t>(column.getBytes())};
  };
  record x;
  x.id = row.getColumn(0).getInt64();
  x.name = row.getColumn(1).getString();
  x.pool = row.getColumn(2).getString();
  x.key = row.getColumn(3).getString();
  x.attributes = row.getColumn(4).getString();
  x.owner = row.getColumn(5).getString();
  x.open = text(6) == "open";
  x.opened_at = time_or_damaged(text(8), x.name);
  x.creator = hex_or_damaged(text(10), x.name, "creator");
  x.journal = row.getColumn(12).getString();
  x.incarnation = row.getColumn(13).getInt64();
  x.version = row.getColumn(15).getInt64();
  // Empty where a program of schema 1 wrote it.
  auto writer = text(11);
  x.writer = writer.empty() ? x.creator
                            : hex_or_damaged(writer, x.name, "writer");
  auto print = text(14);
  x.print = print.empty() ? fingerprint_of(x.attributes)
                          : hex_or_damaged(print, x.name, "fingerprint");
  if (x.open)
    return x;
  x.reason = reason_or_damaged(text(7), x.name);
  x.closed_at = time_or_damaged(text(9), x.name);
  return x;
}

std::int64_t id_of_row(SQLite::Statement& row) {
  return row.getColumn(0).getInt64();
}

std::size_t bytes_of_row(SQLite::Statement& row) {
  return static_cast<std::size_t>(row.getColumn(4).getBytes()
                                  + row.getColumn(12).getBytes());
}

std::optional<record> read_by_name(sqlite_connection& c,
                                   const std::string& name) {
  auto& sql = c.by_name();
  sqlite_execution doing{sql};
  sql.bindNoCopy(1, name);
  if (!doing.step())
    return std::nullopt;
  return read_row(sql);
}

std::vector<record_answer> write_batch(sqlite_connection& c,
                                       std::span<const record_write> batch,
                                       bool look_first,
                                       const std::function<void()>& looked) {
  batch_write writing{c, batch};
  if (STEWARD_PLANTED(answer_before_commit))
    commit_late(c);
  if (look_first && !c.in_transaction())
    writing.look();
  if (looked)
    looked();
  return writing.finish();
}

} // namespace steward
