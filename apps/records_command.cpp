#include <steward/apps/records_command.hpp>

#include <steward/apps/output.hpp>
#include <steward/apps/text.hpp>
#include <steward/core/hex.hpp>
#include <steward/core/iso_time.hpp>
#include <steward/core/one_line.hpp>
#include <steward/runtime/record_admin.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace steward {
namespace {

using namespace std::chrono_literals;

std::string state_of(const record& x) {
  return x.open ? "open" : std::string{to_string(x.reason)};
}

nlohmann::ordered_json to_json(const record& x) {
  nlohmann::ordered_json result;
  result["id"] = x.id;
  result["name"] = x.name;
  result["pool"] = x.pool;
  result["key"] = x.key;
  result["attributes"] = x.attributes;
  result["journal"] = x.journal;
  result["owner"] = x.owner;
  result["incarnation"] = x.incarnation;
  result["state"] = x.open ? "open" : "closed";
  result["close_reason"] = nullptr;
  result["opened_at"] = to_iso_text(x.opened_at);
  result["closed_at"] = nullptr;
  result["creator"] = to_hex(x.creator);
  result["version"] = x.version;
  if (!x.open) {
    result["close_reason"] = to_string(x.reason);
    result["closed_at"] = to_iso_text(x.closed_at);
  }
  return result;
}

std::string to_text(const nlohmann::ordered_json& x, int indent = -1) {
  // Bytes that are no text are shown as such, and stop nobody.
  return x.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace)
         + '\n';
}

using line = std::array<std::string, 6>;

line to_line(const record& x) {
  return {std::to_string(x.id), state_of(x),       to_iso_text(x.opened_at),
          one_line(x.pool),     one_line(x.owner), one_line(x.name)};
}

std::string in_columns(const std::vector<line>& lines) {
  std::array<std::size_t, 6> width{};
  for (auto& x : lines)
    for (std::size_t i = 0; i < x.size(); ++i)
      width[i] = std::max(width[i], x[i].size());
  std::string result;
  for (auto& x : lines) {
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
      result += x[i] + std::string(width[i] - x[i].size() + 2, ' ');
    result += x.back() + '\n';
  }
  return result;
}

// Calls `fun` with each page, until `rows_max` rows, or all if that is 0.
template <class Fun>
void for_pages(record_admin& all, record_query next, std::size_t rows_max,
               Fun fun) {
  for (std::size_t done = 0;;) {
    if (rows_max > 0)
      next.rows_max = std::min<std::size_t>(1000, rows_max - done);
    if (next.rows_max == 0)
      return;
    auto rows = all.page(next);
    fun(rows);
    done += rows.size();
    if (rows.size() < next.rows_max)
      return;
    next.after = rows.back().id;
  }
}

int list(record_admin& all, const records_arguments& arguments) {
  std::vector<line> lines{{"ID", "STATE", "OPENED", "POOL", "OWNER", "NAME"}};
  for_pages(all, arguments.query, arguments.rows_max, [&](auto& rows) {
    for (auto& row : rows)
      lines.push_back(to_line(row));
    write_stdout(in_columns(lines));
    lines.clear();
  });
  return 0;
}

int show(record_admin& all, const std::string& name) {
  auto row = all.find(name);
  if (!row) {
    complain("there is no record \"" + printable(name) + "\" in "
             + all.where());
    return 1;
  }
  write_stdout(to_text(to_json(*row), 2));
  return 0;
}

int verify(record_admin& all) {
  auto wrong = all.verify();
  for (auto& x : wrong)
    write_stdout(one_line(x) + '\n');
  if (wrong.empty())
    write_stdout("nothing is wrong with " + all.where() + '\n');
  return wrong.empty() ? 0 : 1;
}

int purge(record_admin& all, duration older_than) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  auto count = all.purge(time_point{std::chrono::duration_cast<duration>(now)}
                         - older_than);
  write_stdout(with_commas(count) + " records purged\n");
  return 0;
}

int export_jsonl(record_admin& all, const records_arguments& arguments) {
  std::string text;
  auto to_stdout = arguments.jsonl == "-";
  for_pages(all, arguments.query, 0, [&](auto& rows) {
    for (auto& row : rows)
      text += to_text(to_json(row));
    if (to_stdout) {
      write_stdout(text);
      text.clear();
    }
  });
  if (!to_stdout)
    write_file(arguments.jsonl, text);
  return 0;
}

} // namespace

int run_records(const records_arguments& arguments) {
  record_admin all{arguments.url};
  switch (arguments.what) {
    case records_arguments::action::show: return show(all, arguments.name);
    case records_arguments::action::verify: return verify(all);
    case records_arguments::action::purge:
      return purge(all, arguments.older_than);
    case records_arguments::action::export_jsonl:
      return export_jsonl(all, arguments);
    case records_arguments::action::list: break;
  }
  return list(all, arguments);
}

} // namespace steward
