#include <steward/storage/internal/pg_rows.hpp>

#include <steward/core/iso_time.hpp>
#include <steward/core/planted.hpp>
#include <steward/storage/internal/record_text.hpp>
#include <steward/storage/record_store.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace steward {

namespace {

// So often may a winner's row be gone before we read it.
constexpr int attempts_max = 5;

using views = std::vector<std::string_view>;
using rows_by_name = std::map<std::string, record, std::less<>>;

// As the insert does, it sees to the commit in the same breath.
constexpr const char* lock_sql = R"(
SELECT 1 FROM (SELECT set_config('synchronous_commit', 'on', true) OFFSET 0)
  AS durable LEFT JOIN (SELECT 1 FROM steward_record WHERE name =
  ANY($1::text[]) ORDER BY name FOR UPDATE) AS locked ON true)";

constexpr const char* close_sql = R"(
UPDATE steward_record r SET state = 'closed', close_reason = u.reason,
  closed_at = u.closed_at, version = version + 1
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[])
  AS u(name, reason, closed_at, creator)
WHERE r.name = u.name AND r.state = 'open'
  AND (u.creator = '' OR r.creator = nullif(u.creator, '')::uuid))";

constexpr const char* update_sql = R"(
UPDATE steward_record SET
  attributes = CASE WHEN $3 = '1' THEN $4 ELSE attributes END,
  journal = CASE WHEN $5 = '1' THEN $6 ELSE journal END,
  writer = $7::uuid, version = version + 1
WHERE name = $1 AND version = $2::bigint)";

const pg_statement& insert_statement() {
  static const auto result
    = pg_statement::of(pg_insert_into + ' ' + pg_insert_rest);
  return result;
}

std::string hex_of(std::string_view uuid) {
  std::string result{uuid};
  std::erase(result, '-');
  return result;
}

// -- one statement for many rows ----------------------------------------------

// Columns of arrays, in the order of the parameters of a statement.
template <std::size_t N>
class columns {
public:
  void add(const std::array<std::string_view, N>& row) {
    for (std::size_t i = 0; i < N; ++i)
      texts_[i].push_back(row[i]);
  }

  /// Keeps what has to be made up for a row.
  std::string_view keep(std::string text) {
    kept_.push_back(std::make_unique<std::string>(std::move(text)));
    return *kept_.back();
  }

  std::vector<std::string> arrays() const {
    std::vector<std::string> result;
    for (auto& x : texts_)
      result.push_back(pg_array(x));
    return result;
  }

private:
  std::array<views, N> texts_;
  std::vector<std::unique_ptr<std::string>> kept_;
};

using positions = std::vector<std::size_t>;

// One batch on its way. Writes are grouped into waves in which a name stands
// once, each wave into the three kinds, each kind is one statement.
class batch_write {
public:
  batch_write(pg_connection& c, std::span<const record_write> batch,
              bool look_first)
    : c_(c), batch_(batch), look_first_(look_first), answers_(batch.size()) {
  }

  std::vector<record_answer> run() {
    auto waves = make_waves();
    // Creates alone commit by themselves: one round trip less.
    alone_ = waves.size() == 1 && waves[0].closes.empty()
             && waves[0].updates.empty();
    if (!alone_)
      c_.begin();
    try {
      if (!alone_)
        lock_what_is_there();
      for (auto& x : waves)
        write(x);
    } catch (pg_failure& x) {
      // Part of it stands: then no failure means that nothing was written.
      x.after_commit = x.after_commit || committed_;
      throw;
    }
    if (!alone_)
      c_.commit();
    return std::move(answers_);
  }

private:
  struct wave {
    positions creates;
    positions closes;
    positions updates;
  };

  // Statements of one kind each take their locks in the order of names; one
  // after the other they would not.
  void lock_what_is_there() {
    views names;
    for (auto& x : batch_)
      if (!std::holds_alternative<create_record>(x)
          && !STEWARD_PLANTED(unsorted_batch))
        names.push_back(name_of(x));
    const std::array<std::string, 1> values = {pg_array(names)};
    c_.exec(database_stage::statement, lock_sql, values);
  }

  void write(const wave& x) {
    create(x.creates);
    try {
      close(x.closes);
    } catch (const pg_failure& failure) {
      if (!STEWARD_PLANTED(commit_tag_ignored) || failure.link_lost)
        throw;
    }
    update(x.updates);
  }

  database_stage stage() const {
    return alone_ ? database_stage::commit : database_stage::statement;
  }

  const std::string& name_at(std::size_t i) const {
    return name_of(batch_[i]);
  }

  std::vector<wave> make_waves() const {
    positions order(batch_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Two batches that share names in another order would wait for each other.
    if (!STEWARD_PLANTED(unsorted_batch))
      std::stable_sort(order.begin(), order.end(),
                       [&](auto a, auto b) { return name_at(a) < name_at(b); });
    std::vector<wave> waves;
    std::size_t depth = 0;
    for (std::size_t n = 0; n < order.size(); ++n) {
      auto i = order[n];
      auto again = n > 0 && name_at(i) == name_at(order[n - 1]);
      depth = again ? depth + 1 : 0;
      if (depth == waves.size())
        waves.emplace_back();
      auto& to = waves[depth];
      auto& list = std::holds_alternative<create_record>(batch_[i]) ? to.creates
                   : std::holds_alternative<close_record>(batch_[i])
                     ? to.closes
                     : to.updates;
      list.push_back(i);
    }
    return waves;
  }

  void create(positions todo) {
    if (look_first_ && !todo.empty()) {
      auto found = read(todo);
      std::erase_if(todo, [&](auto i) { return meet(i, found); });
    }
    for (int attempt = 0; !todo.empty(); ++attempt) {
      if (attempt == attempts_max)
        throw pg_failure{"the record '" + name_at(todo.front())
                           + "' comes and goes",
                         "40001", stage()};
      auto all = todo.size();
      insert(todo);
      committed_ = committed_ || (alone_ && todo.size() < all);
      if (todo.empty())
        return;
      // A statement of its own sees what the insert could not.
      auto found = read(todo);
      std::erase_if(todo, [&](auto i) { return meet(i, found); });
    }
  }

  // Leaves in `todo` what was not inserted.
  void insert(positions& todo) {
    std::vector<const record*> drafts;
    for (auto i : todo)
      drafts.push_back(&std::get<create_record>(batch_[i]).draft);
    auto said = c_.exec(stage(), insert_statement(), pg_create_values(drafts));
    std::map<std::string_view, std::int64_t> ids;
    for (int row = 0; row < said.rows(); ++row)
      ids.emplace(said.text(row, 0), said.number(row, 1));
    std::erase_if(todo, [&](auto i) {
      auto found = ids.find(name_at(i));
      if (found == ids.end())
        return false;
      answers_[i].verdict = record_verdict::created;
      answers_[i].row = created_row(std::get<create_record>(batch_[i]).draft,
                                    found->second);
      return true;
    });
  }

  bool meet(std::size_t i, const rows_by_name& found) {
    auto row = found.find(name_at(i));
    if (row == found.end())
      return false;
    answers_[i] = answer_to(std::get<create_record>(batch_[i]), row->second);
    return true;
  }

  void close(const positions& todo) {
    if (todo.empty())
      return;
    columns<4> rows;
    for (auto i : todo) {
      auto& x = std::get<close_record>(batch_[i]);
      rows.add({x.name, to_string(x.reason),
                rows.keep(to_iso_text(x.closed_at)),
                x.creator ? rows.keep(to_hex(*x.creator)) : ""});
    }
    c_.exec(stage(), close_sql, rows.arrays());
    auto found = read(todo);
    for (auto i : todo) {
      auto row = found.find(name_at(i));
      if (row == found.end()) {
        answers_[i] = unknown_name(i);
        continue;
      }
      answers_[i].verdict = record_verdict::existed;
      answers_[i].row = row->second;
    }
  }

  void update(const positions& todo) {
    for (auto i : todo) {
      auto& x = std::get<update_record>(batch_[i]);
      const std::array<std::string, 7> values = {x.name,
                                                 std::to_string(x.version),
                                                 x.attributes ? "1" : "0",
                                                 x.attributes.value_or(""),
                                                 x.journal ? "1" : "0",
                                                 x.journal.value_or(""),
                                                 to_hex(x.token)};
      c_.exec(stage(), update_sql, values);
    }
    auto found = read(todo);
    for (auto i : todo) {
      auto row = found.find(name_at(i));
      answers_[i] = row == found.end()
                      ? unknown_name(i)
                      : answer_to(std::get<update_record>(batch_[i]),
                                  row->second);
    }
  }

  record_answer unknown_name(std::size_t i) const {
    return unavailable(record_trouble::unknown_name,
                       "there is no record '" + name_at(i) + "'");
  }

  rows_by_name read(const positions& todo) {
    views names;
    for (auto i : todo)
      names.push_back(name_at(i));
    return names.empty() ? rows_by_name{} : pg_read_by_name(c_, names);
  }

  pg_connection& c_;
  std::span<const record_write> batch_;
  bool look_first_;
  std::vector<record_answer> answers_;
  bool alone_ = false;
  bool committed_ = false; // a part of it, alone
};

} // namespace

// The commit is what must be durable, in whatever session a pooler runs it:
// so it is set where it cannot be parted from the write.
const std::string pg_insert_into = R"(
INSERT INTO steward_record(name, pool, key, attributes, journal, owner,
  incarnation, state, opened_at, creator, writer, fingerprint)
SELECT u.name, u.pool, u.key, u.attributes, u.journal, u.owner, u.incarnation,
  'open', u.opened_at, u.creator, u.creator, u.fingerprint
FROM (SELECT set_config('synchronous_commit', 'on', true) AS set OFFSET 0)
  AS durable, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
  $6::text[], $7::bigint[], $8::timestamptz[], $9::uuid[], $10::uuid[])
  WITH ORDINALITY AS u(name, pool, key, attributes, journal, owner, incarnation,
    opened_at, creator, fingerprint, n)
WHERE durable.set = 'on')";

const std::string pg_insert_rest
  = "ORDER BY u.n ON CONFLICT (name) DO NOTHING RETURNING name, id";

const std::string pg_record_columns
  = "id, name, pool, key, attributes, owner, state, close_reason,"
    " to_char(opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'"
    "), to_char(closed_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " creator, writer, journal, incarnation, fingerprint, version";

const std::string pg_select_record = "SELECT " + pg_record_columns
                                     + " FROM steward_record ";

record pg_read_row(const pg_result& rows, int row) {
  record x;
  x.id = rows.number(row, 0);
  x.name = rows.string(row, 1);
  x.pool = rows.string(row, 2);
  x.key = rows.string(row, 3);
  x.attributes = rows.string(row, 4);
  x.owner = rows.string(row, 5);
  x.open = rows.text(row, 6) == "open";
  x.opened_at = time_or_damaged(rows.text(row, 8), x.name);
  x.creator = hex_or_damaged(hex_of(rows.text(row, 10)), x.name, "creator");
  x.writer = hex_or_damaged(hex_of(rows.text(row, 11)), x.name, "writer");
  x.journal = rows.string(row, 12);
  x.incarnation = rows.number(row, 13);
  x.print = hex_or_damaged(hex_of(rows.text(row, 14)), x.name, "fingerprint");
  x.version = rows.number(row, 15);
  if (x.open)
    return x;
  x.reason = reason_or_damaged(rows.text(row, 7), x.name);
  x.closed_at = time_or_damaged(rows.text(row, 9), x.name);
  return x;
}

std::size_t pg_bytes_of_row(const pg_result& rows, int row) {
  return rows.text(row, 4).size() + rows.text(row, 12).size();
}

std::vector<record> pg_read_rows(const pg_result& rows) {
  std::vector<record> result;
  for (int row = 0; row < rows.rows(); ++row)
    result.push_back(pg_read_row(rows, row));
  return result;
}

std::map<std::string, record, std::less<>>
pg_read_by_name(pg_connection& c, std::span<const std::string_view> names) {
  const std::array<std::string, 1> values = {pg_array(names)};
  auto said = c.exec(database_stage::statement,
                     pg_select_record + "WHERE name = ANY($1::text[])", values);
  rows_by_name result;
  for (auto& row : pg_read_rows(said)) {
    auto name = row.name;
    result.emplace(std::move(name), std::move(row));
  }
  return result;
}

std::vector<std::string>
pg_create_values(std::span<const record* const> drafts) {
  columns<10> rows;
  for (auto* x : drafts)
    rows.add({x->name, x->pool, x->key, x->attributes, x->journal, x->owner,
              rows.keep(std::to_string(x->incarnation)),
              rows.keep(to_iso_text(x->opened_at)),
              rows.keep(to_hex(x->creator)),
              rows.keep(to_hex(fingerprint_of(x->attributes)))});
  return rows.arrays();
}

std::vector<record_answer> pg_write_batch(pg_connection& c,
                                          std::span<const record_write> batch,
                                          bool look_first) {
  return batch_write{c, batch, look_first}.run();
}

} // namespace steward
