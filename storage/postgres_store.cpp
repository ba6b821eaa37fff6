#include <steward/storage/postgres_store.hpp>

#include <steward/core/iso_time.hpp>
#include <steward/storage/internal/pg_connection.hpp>
#include <steward/storage/internal/pg_rows.hpp>
#include <steward/storage/internal/record_text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

// -- where --------------------------------------------------------------------

struct address {
  std::string where;
  std::string password;
};

// libpq's own complaint would show the whole URL, password and all.
address parse(const std::string& url) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
    PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
  if (!options)
    throw store_failure{store_errc::misuse,
                        "records URL is not understood by PostgreSQL; allowed "
                        "is postgresql://[USER[:PASSWORD]@][HOST][:PORT]"
                        "[/DATABASE][?OPTION=VALUE&...]"};
  auto value = [&](std::string_view name) -> std::string {
    for (auto* x = options.get(); x->keyword != nullptr; ++x)
      if (name == x->keyword && x->val != nullptr)
        return x->val;
    return {};
  };
  // An '@', ':' or '/' in a password makes libpq take parts of it for others.
  auto port_is_number = value("port").find_first_not_of("0123456789,")
                        == std::string::npos;
  if (!port_is_number || value("host").find('@') != std::string::npos
      || value("dbname").find('@') != std::string::npos)
    throw store_failure{store_errc::misuse,
                        "records URL has an '@', ':' or '/' in its user or "
                        "password; allowed is to write them as %40, %3A and "
                        "%2F"};
  auto result = address{"postgresql://", value("password")};
  if (auto user = value("user"); !user.empty())
    result.where += user + "@";
  auto host = value("host");
  auto is_path = host.find('/') != host.npos;
  result.where += is_path ? "" : host;
  if (auto port = value("port"); !port.empty())
    result.where += ":" + port;
  result.where += "/" + value("dbname");
  if (is_path)
    result.where += "?host=" + host;
  return result;
}

// -- errors -------------------------------------------------------------------

store_errc code_for(const pg_failure& x) {
  auto state = std::string_view{x.state()};
  auto family = state.substr(0, 2);
  if (state == "25006")
    return store_errc::read_only;
  switch (x.to_do()) {
    case reaction::unknown_outcome:
    case reaction::reopen: return store_errc::io;
    case reaction::bisect: return store_errc::bad_row;
    case reaction::retry:
    case reaction::reread:
      return state == "53100" || state == "53200" ? store_errc::full
                                                  : store_errc::busy;
    case reaction::fail: break;
  }
  if (family == "28" || family == "3D" || state == "42501")
    return store_errc::cannot_open;
  return state == "XX001" || state == "XX002" ? store_errc::damaged
                                              : store_errc::misuse;
}

// One that is shorter is in many a word: to hide it there would give it away.
constexpr std::size_t secret_size_min = 4;

void hide(std::string& text, const std::string& secret) {
  constexpr std::string_view stars = "***";
  if (secret.size() < secret_size_min)
    return;
  for (auto at = text.find(secret); at != text.npos;
       at = text.find(secret, at + stars.size()))
    text.replace(at, secret.size(), stars);
}

std::string in_ms(duration d) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return std::to_string(ms);
}

void require_askable(const std::string& text) {
  if (text.find('\0') != text.npos)
    throw store_failure{store_errc::bad_row,
                        "what is looked for has a zero byte, which PostgreSQL "
                        "cannot keep: '"
                          + text.substr(0, text.find('\0')) + "...'"};
}

void require_text(const std::string& name, const std::string& text) {
  if (text.find('\0') != text.npos)
    throw store_failure{store_errc::bad_row,
                        "the record '" + name.substr(0, name.find('\0'))
                          + "' has a zero byte, which PostgreSQL cannot keep"};
}

// A zero byte would end the text for libpq.
void require_texts(std::span<const record_write> batch) {
  for (auto& x : batch) {
    auto& name = name_of(x);
    require_text(name, name);
    if (auto create = std::get_if<create_record>(&x))
      for (auto* text :
           {&create->draft.pool, &create->draft.key, &create->draft.attributes,
            &create->draft.journal, &create->draft.owner})
        require_text(name, *text);
    if (auto update = std::get_if<update_record>(&x))
      for (auto* text : {&update->attributes, &update->journal})
        if (*text)
          require_text(name, **text);
  }
}

constexpr auto reading = database_stage::begin;

// A statement that commits by itself.
constexpr auto committing = database_stage::commit;

} // namespace

// -- every call ---------------------------------------------------------------

template <class Fun>
auto postgres_store::run(const char* what, Fun fun) {
  try {
    if (!connection_)
      connection_ = std::make_unique<pg_connection>(
        url_, limits_,
        [this] {
          if (on_wait_)
            on_wait_();
        },
        use_);
    return fun(*connection_);
  } catch (const pg_failure& x) {
    auto text = std::string{"cannot "} + what + " " + where_ + ": " + x.what();
    if (!x.state().empty())
      text += " (SQLSTATE " + x.state() + ")";
    hide(text, password_);
    auto heal = x.to_do();
    auto leave = x.link_lost || heal == reaction::unknown_outcome
                 || heal == reaction::reopen;
    if (connection_ && connection_->in_transaction() && !leave)
      leave = !connection_->roll_back();
    if (leave)
      connection_.reset();
    confirm_ = confirm_ || heal == reaction::unknown_outcome;
    throw store_failure{code_for(x), text, heal};
  } catch (...) {
    if (connection_
        && (connection_->is_closed()
            || (connection_->in_transaction() && !connection_->roll_back())))
      connection_.reset();
    throw;
  }
}

// -- construction -------------------------------------------------------------

postgres_store::postgres_store(const std::string& url, duration wait_max,
                               postgres_limits limits, store_use use)
  : url_(url), limits_(limits), use_(use) {
  auto [where, password] = parse(url);
  where_ = std::move(where);
  password_ = std::move(password);
  auto until = std::chrono::steady_clock::now()
               + std::min<duration>(wait_max, 1h);
  for (;;) {
    try {
      run("open records",
          [&](pg_connection& c) { pg_migrate(c, where_, use); });
      return;
    } catch (const store_failure& x) {
      if (!heals(x.reaction()) || std::chrono::steady_clock::now() >= until)
        throw;
    }
    std::this_thread::sleep_for(20ms);
  }
}

postgres_store::~postgres_store() = default;

void postgres_store::on_wait(std::function<void()> fun) {
  on_wait_ = std::move(fun);
}

void postgres_store::with_connection(
  const char* what, const std::function<void(pg_connection&)>& fun) {
  run(what, fun);
}

// -- records ------------------------------------------------------------------

std::vector<record_answer>
postgres_store::write(std::span<const record_write> batch, duration) {
  if (batch.empty())
    return {};
  require_writable(batch);
  require_texts(batch);
  auto look_first = look_.first();
  look_.failed(); // until it did not
  auto answers = run("write records to", [&](pg_connection& c) {
    auto said = pg_write_batch(c, batch, look_first);
    confirm(c);
    return said;
  });
  look_.wrote(batch, answers);
  return answers;
}

// What was found after an unknown outcome may lack the standby that it should
// have waited for. A later commit of our own waits for it, and for all that came
// before. It locks a row, which nobody who keeps records is denied. // I10
void postgres_store::confirm(pg_connection& c) {
  if (!confirm_)
    return;
  try {
    c.exec(committing,
           "SELECT set_config('synchronous_commit', 'on', true) FROM (SELECT id"
           " FROM steward_record ORDER BY id DESC LIMIT 1 FOR KEY SHARE) AS x");
  } catch (pg_failure& x) {
    x.after_commit = true; // the batch stands all the same
    throw;
  }
  confirm_ = false;
}

namespace {

// The first of these rows, in the order of a column, that are no more bytes than
// a page may have, but for the last of them. How long they are is known without
// reading them.
std::string some_of(const std::string& rows, const std::string& order) {
  return "(SELECT * FROM (SELECT *, sum(bytes) OVER (ORDER BY " + order
         + ") - bytes AS before FROM (SELECT *, "
           "octet_length(attributes)::bigint"
           " + octet_length(journal) AS bytes FROM ("
         + rows + ") AS found) AS measured) AS summed WHERE before < "
         + std::to_string(page_bytes_max) + ")";
}

record_page page_of(const pg_result& said, page_builder page) {
  for (int row = 0; row < said.rows(); ++row)
    page.add(said.number(row, 0), pg_bytes_of_row(said, row),
             [&] { return pg_read_row(said, row); });
  return page.take();
}

} // namespace

std::vector<std::optional<record>>
postgres_store::find(std::span<const std::string> names, duration) {
  names = names.first(std::min(names.size(), page_limit{}.rows_max()));
  for (auto& name : names)
    require_askable(name);
  const std::vector<std::string_view> views{names.begin(), names.end()};
  const std::array<std::string, 1> values = {pg_array(views)};
  auto sql = "SELECT " + pg_record_columns + ", place FROM "
             + some_of("SELECT steward_record.*, place FROM unnest($1::text[])"
                       " WITH ORDINALITY AS wanted(name_wanted, place) JOIN"
                       " steward_record ON name = name_wanted",
                       "place")
             + " AS page ORDER BY place";
  constexpr int place_column = 16;
  return run("read records from", [&](pg_connection& c) {
    auto said = c.exec(reading, sql, values);
    std::vector<std::optional<record>> rows;
    page_limit limit;
    for (int row = 0; row < said.rows(); ++row) {
      auto place = static_cast<std::size_t>(said.number(row, place_column));
      rows.resize(place);
      rows.back() = pg_read_row(said, row);
      limit.add(pg_bytes_of_row(said, row));
    }
    // What comes after the last of a full page was not looked for.
    if (!limit.reached())
      rows.resize(names.size());
    return rows;
  });
}

record_page postgres_store::read_page(const record_query& what, duration) {
  for (auto* text : {&what.pool, &what.key, &what.owner})
    require_askable(*text);
  std::vector<std::string> values{std::to_string(what.after)};
  std::string sql = "SELECT * FROM steward_record WHERE id > $1::bigint";
  for (auto [name, value] : {std::pair{"pool", &what.pool},
                             {"key", &what.key},
                             {"owner", &what.owner}}) {
    if (value->empty())
      continue;
    values.push_back(*value);
    sql += std::string{" AND "} + name + " = $" + std::to_string(values.size());
  }
  if (what.open)
    sql += *what.open ? " AND state = 'open'" : " AND state = 'closed'";
  page_builder page{what.rows_max};
  sql += " ORDER BY id LIMIT " + std::to_string(page.rows_max());
  sql = "SELECT " + pg_record_columns + " FROM " + some_of(sql, "id")
        + " AS page ORDER BY id";
  return run("read records from", [&](pg_connection& c) {
    return page_of(c.exec(reading, sql, values), page);
  });
}

purged_records postgres_store::purge(time_point before, std::size_t rows_max,
                                     duration) {
  const std::array<std::string, 2> values
    = {to_iso_text(before), std::to_string(to_limit(rows_max))};
  const std::string old = "FROM steward_record WHERE state = 'closed' AND"
                          " closed_at < $1::timestamptz";
  auto count = [](const pg_result& said) {
    return static_cast<std::size_t>(said.number(0, 0));
  };
  return run("purge records of", [&](pg_connection& c) {
    purged_records result;
    result.gone = count(c.exec(
      committing,
      "WITH gone AS (DELETE FROM steward_record WHERE id IN (SELECT id " + old
        + " ORDER BY closed_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)"
          " RETURNING 1) SELECT count(*) FROM gone",
      values));
    if (result.gone < rows_max)
      result.locked = count(
        c.exec(reading, "SELECT count(*) " + old, std::span{values}.first(1)));
    return result;
  });
}

std::vector<std::string> postgres_store::verify(duration) {
  return run("verify records of",
             [](pg_connection& c) { return what_pg_lacks(c); });
}

// -- nodes --------------------------------------------------------------------

namespace {

constexpr const char* forget_sql
  = "DELETE FROM steward_node n WHERE expires_at <= clock_timestamp() AND NOT"
    " EXISTS (SELECT 1 FROM steward_record WHERE state = 'open' AND"
    " incarnation = n.id)";

} // namespace

std::int64_t postgres_store::join(const node& x, duration ttl, duration) {
  const std::array<std::string, 5> values
    = {x.owner, x.process.host, std::to_string(x.process.pid),
       std::to_string(x.process.started), in_ms(ttl)};
  return run("join the nodes of", [&](pg_connection& c) {
    c.exec(committing, forget_sql);
    return c
      .exec(
        committing,
        "INSERT INTO steward_node(owner, host, pid, pid_started, expires_at)"
        " VALUES($1, $2, $3::bigint, $4::bigint, clock_timestamp() +"
        " $5::bigint * interval '1 ms') RETURNING id",
        values)
      .number(0, 0);
  });
}

bool postgres_store::beat(std::int64_t id, duration ttl, duration) {
  const std::array<std::string, 2> values = {std::to_string(id), in_ms(ttl)};
  return run("renew a lease in", [&](pg_connection& c) {
    auto said
      = c.exec(committing,
               "UPDATE steward_node SET expires_at = clock_timestamp() +"
               " $2::bigint * interval '1 ms' WHERE id = $1::bigint AND"
               " expires_at > clock_timestamp() RETURNING 1",
               values);
    return said.rows() == 1;
  });
}

void postgres_store::leave(std::int64_t id, duration) {
  const std::array<std::string, 1> values = {std::to_string(id)};
  run("leave the nodes of", [&](pg_connection& c) {
    c.exec(committing,
           "UPDATE steward_node SET expires_at = clock_timestamp(), host = ''"
           " WHERE id = $1::bigint",
           values);
    c.exec(committing, forget_sql);
  });
}

std::vector<node> postgres_store::nodes(duration) {
  return run("read the nodes of", [&](pg_connection& c) {
    auto said = c.exec(reading, "SELECT id, owner, host, pid, pid_started,"
                                " expires_at <= clock_timestamp()"
                                " FROM steward_node ORDER BY id");
    std::vector<node> result;
    for (int row = 0; row < said.rows(); ++row)
      result.push_back(
        {said.number(row, 0),
         said.string(row, 1),
         {said.string(row, 2), said.number(row, 3), said.number(row, 4)},
         said.text(row, 5) == "t"});
    return result;
  });
}

std::vector<std::int64_t> postgres_store::strays(duration) {
  return run("read the nodes of", [](pg_connection& c) {
    auto said = c.exec(
      reading, "SELECT DISTINCT incarnation FROM steward_record WHERE state ="
               " 'open' AND incarnation <> 0 AND NOT EXISTS (SELECT 1 FROM"
               " steward_node n WHERE n.id = incarnation)");
    std::vector<std::int64_t> result;
    for (int row = 0; row < said.rows(); ++row)
      result.push_back(said.number(row, 0));
    return result;
  });
}

record_page postgres_store::adopt(const adoption& what, duration) {
  page_builder builder{what.rows_max};
  const std::array<std::string, 5> values
    = {std::to_string(what.from), std::to_string(what.to), what.pool,
       what.surely_dead ? "t" : "f", std::to_string(builder.rows_max())};
  return run("take over records of", [&](pg_connection& c) {
    auto page = page_of(
      c.exec(
        committing,
        "UPDATE steward_record SET incarnation = $2::bigint, version = version"
        " + 1 WHERE id IN (SELECT id FROM "
          + some_of(
            "SELECT * FROM steward_record WHERE state = 'open' AND incarnation"
            " = $1::bigint AND ($3 = '' OR pool = $3) AND ($4::boolean OR NOT"
            " EXISTS (SELECT 1 FROM steward_node n WHERE n.id = $1::bigint AND"
            " n.expires_at > clock_timestamp())) ORDER BY id LIMIT $5::bigint"
            " FOR UPDATE SKIP LOCKED",
            "id")
          + " AS taken) RETURNING " + pg_record_columns,
        values),
      builder);
    std::sort(page.rows.begin(), page.rows.end(),
              [](auto& a, auto& b) { return a.id < b.id; });
    return page;
  });
}

// -- queries ------------------------------------------------------------------

std::string postgres_store::where() const {
  return where_;
}

} // namespace steward
