// Whether the tables are as pg_schema.cpp makes them. Who looks may have no
// right to make others to compare with: so what they are made of stands here.
#include <steward/storage/internal/pg_rows.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace steward {

namespace {

// How long a statement may take that has to look at all rows.
constexpr duration look_at_all_max = std::chrono::minutes{30};

constexpr const char* names_unique = "constraint steward_record_name_key";

struct part {
  std::string_view table;
  std::string_view what;
  std::string_view made; // in the words of the server
};

// As `parts_sql` tells it of tables that were just made, in version 15. Others
// are compared by `pg_wording`.
constexpr std::array parts = {
  part{"steward_record", "table", "kept"},
  part{"steward_record", "column id", "bigint NOT NULL, identity"},
  part{"steward_record", "column name", "text COLLATE C NOT NULL"},
  part{"steward_record", "column pool", "text COLLATE C NOT NULL"},
  part{"steward_record", "column key", "text COLLATE C NOT NULL"},
  part{"steward_record", "column attributes", "text NOT NULL"},
  part{"steward_record", "column journal", "text NOT NULL"},
  part{"steward_record", "column owner", "text COLLATE C NOT NULL"},
  part{"steward_record", "column incarnation", "bigint NOT NULL"},
  part{"steward_record", "column state", "text COLLATE C NOT NULL"},
  part{"steward_record", "column close_reason", "text"},
  part{"steward_record", "column opened_at",
       "timestamp with time zone NOT NULL"},
  part{"steward_record", "column closed_at", "timestamp with time zone"},
  part{"steward_record", "column creator", "uuid NOT NULL"},
  part{"steward_record", "column writer", "uuid NOT NULL"},
  part{"steward_record", "column fingerprint", "uuid NOT NULL"},
  part{"steward_record", "column version", "bigint NOT NULL DEFAULT 1"},
  part{"steward_record", "constraint steward_record_pkey", "PRIMARY KEY (id)"},
  part{"steward_record", names_unique, "UNIQUE (name)"},
  part{"steward_record", "constraint steward_record_name_check",
       "CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 1024)))"},
  part{"steward_record", "constraint steward_record_state_check",
       "CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text])))"},
  part{"steward_record", "constraint steward_record_check",
       "CHECK (((state = 'closed'::text) = (close_reason IS NOT NULL)))"},
  part{"steward_record", "constraint steward_record_check1",
       "CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL)))"},
  part{"steward_record", "index steward_record_pool", "btree (pool, id)"},
  part{"steward_record", "index steward_record_key", "btree (key, id)"},
  part{"steward_record", "index steward_record_owner", "btree (owner, id)"},
  part{"steward_record", "index steward_record_open",
       "btree (id) WHERE (state = 'open'::text)"},
  part{"steward_record", "index steward_record_closed",
       "btree (closed_at) WHERE (state = 'closed'::text)"},
  part{"steward_node", "table", "kept"},
  part{"steward_node", "column id", "bigint NOT NULL, identity"},
  part{"steward_node", "column owner", "text NOT NULL"},
  part{"steward_node", "column host", "text NOT NULL"},
  part{"steward_node", "column pid", "bigint NOT NULL"},
  part{"steward_node", "column pid_started", "bigint NOT NULL"},
  part{"steward_node", "column expires_at",
       "timestamp with time zone NOT NULL"},
  part{"steward_node", "constraint steward_node_pkey", "PRIMARY KEY (id)"},
  part{"steward_shard", "table", "kept"},
  part{"steward_shard", "column shard_id", "integer NOT NULL"},
  part{"steward_shard", "column owner", "bigint"},
  part{"steward_shard", "column epoch", "bigint NOT NULL DEFAULT 0"},
  part{"steward_shard", "constraint steward_shard_pkey",
       "PRIMARY KEY (shard_id)"},
  part{"steward_schema", "table", "kept"},
  part{"steward_schema", "column version", "bigint NOT NULL"},
  part{"steward_schema", "column applied_at",
       "timestamp with time zone NOT NULL DEFAULT now()"},
  part{"steward_schema", "constraint steward_schema_pkey",
       "PRIMARY KEY (version)"},
};

// All that these tables have: what table, what part, and how it is made. Of
// indexes that were added only those that could refuse a row. NOT NULL is a
// constraint, too, since version 18, and belongs to its column.
constexpr const char* parts_sql = R"(
WITH t AS (SELECT name, to_regclass(name) AS id FROM unnest($1::text[]) AS name)
SELECT name, 'table', CASE relpersistence WHEN 'p' THEN 'kept'
    ELSE 'not kept through a crash' END
  FROM t JOIN pg_class ON oid = id
UNION ALL SELECT name, 'row security', '' FROM t JOIN pg_class ON oid = id
  WHERE relrowsecurity
UNION ALL SELECT name, 'column ' || attname, format_type(atttypid, atttypmod)
    || CASE WHEN collname = 'C' THEN ' COLLATE C' ELSE '' END
    || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN attidentity = 'a' THEN ', identity' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
  FROM t JOIN pg_attribute ON attrelid = id AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  LEFT JOIN pg_collation c ON c.oid = attcollation
UNION ALL SELECT name, 'constraint ' || conname, pg_get_constraintdef(c.oid)
    || CASE WHEN indisvalid IS FALSE THEN ', not valid' ELSE '' END
  FROM t JOIN pg_constraint c ON conrelid = id
  LEFT JOIN pg_index ON indexrelid = conindid WHERE contype <> 'n'
UNION ALL SELECT name, 'index ' || relname,
    CASE WHEN indisunique THEN 'unique ' ELSE '' END
    || substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)')
    || CASE WHEN indisvalid THEN '' ELSE ', not valid' END
  FROM t JOIN pg_index ON indrelid = id JOIN pg_class c ON c.oid = indexrelid
  WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
    AND (indisunique OR relname LIKE 'steward\_%')
UNION ALL SELECT name, 'trigger ' || tgname, '' FROM t JOIN pg_trigger
  ON tgrelid = id WHERE NOT tgisinternal
UNION ALL SELECT name, 'rule ' || rulename, '' FROM t JOIN pg_rewrite
  ON ev_class = id
ORDER BY 1, 2)";

// By table and what it is.
using descriptions
  = std::map<std::pair<std::string, std::string>, std::string, std::less<>>;

descriptions read_parts(pg_connection& c) {
  std::vector<std::string_view> tables;
  for (auto& x : parts)
    if (x.what == "table")
      tables.push_back(x.table);
  auto said = c.exec(database_stage::begin, parts_sql,
                     std::array{pg_array(tables)});
  descriptions result;
  for (int row = 0; row < said.rows(); ++row)
    result[{said.string(row, 0), said.string(row, 1)}] = said.string(row, 2);
  return result;
}

std::string name_of(std::string_view table, std::string_view what) {
  std::string result{"the "};
  result.append(what).append(what == "table" ? " " : " of ").append(table);
  return result;
}

// What is wrong with one part; nothing if it is as it was made.
std::string judge(const part& x, const descriptions& there) {
  auto name = name_of(x.table, x.what);
  auto found = there.find(std::pair{std::string{x.table}, std::string{x.what}});
  if (found == there.end())
    return x.what == names_unique
             ? "nothing keeps names unique: " + name + " is missing"
             : name + " is missing";
  if (pg_wording(found->second) == pg_wording(x.made))
    return {};
  return name + " is not as it was made: it is \"" + found->second + "\"";
}

// All at once: without the index no part of them is quick to find.
void add_names_that_stand_twice(pg_connection& c,
                                std::vector<std::string>& to) {
  auto twice = c.exec_within(
    look_at_all_max, "SELECT name FROM steward_record GROUP BY name HAVING"
                     " count(*) > 1 ORDER BY name");
  for (int row = 0; row < twice.rows(); ++row)
    to.push_back("two records are called '" + twice.string(row, 0) + "'");
}

} // namespace

std::string pg_wording(std::string_view definition) {
  constexpr std::string_view cast = "::text";
  std::string result{definition};
  std::erase_if(result,
                [](char c) { return c == '(' || c == ')' || c == ' '; });
  for (auto at = result.find(cast); at != result.npos; at = result.find(cast))
    result.erase(at, cast.size());
  return result;
}

std::vector<std::string> what_pg_lacks(pg_connection& c) {
  auto there = read_parts(c);
  auto has_table = [&](std::string_view table) {
    return there.contains(std::pair{std::string{table}, std::string{"table"}});
  };
  std::vector<std::string> wrong;
  auto may_stand_twice = false;
  for (auto& x : parts) {
    // Of a table that is gone nothing else need be said.
    if (x.what != "table" && !has_table(x.table))
      continue;
    auto line = judge(x, there);
    if (line.empty())
      continue;
    wrong.push_back(std::move(line));
    may_stand_twice = may_stand_twice || x.what == names_unique;
  }
  for (auto& [where, made] : there)
    if (std::none_of(parts.begin(), parts.end(), [&, &at = where](auto& x) {
          return x.table == at.first && x.what == at.second;
        }))
      wrong.push_back(name_of(where.first, where.second) + " is not ours");
  if (may_stand_twice)
    add_names_that_stand_twice(c, wrong);
  return wrong;
}

} // namespace steward
