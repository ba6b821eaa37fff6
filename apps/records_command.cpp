#include <steward/apps/records_command.hpp>

#include <steward/apps/interrupt.hpp>
#include <steward/apps/output.hpp>
#include <steward/apps/progress.hpp>
#include <steward/apps/text.hpp>
#include <steward/core/hex.hpp>
#include <steward/core/iso_time.hpp>
#include <steward/core/one_line.hpp>
#include <steward/runtime/record_admin.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
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

// None if it has bytes that are no text.
std::optional<std::string> to_strict_text(const nlohmann::ordered_json& x,
                                          int indent = -1) {
  try {
    return x.dump(indent);
  } catch (const nlohmann::json::type_error&) {
    return std::nullopt;
  }
}

// What is no text is shown as far as it is, and stands beside it in full.
std::string to_text(nlohmann::ordered_json x, int indent = -1) {
  if (auto text = to_strict_text(x, indent))
    return *text + '\n';
  const auto fields = x;
  for (auto& [field, value] : fields.items())
    if (!to_strict_text(value))
      x[field + "_hex"]
        = to_hex(std::as_bytes(std::span{value.get_ref<const std::string&>()}));
  return x.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace)
         + '\n';
}

using table_line = std::array<std::string, 6>;

table_line to_line(const record& x) {
  return {std::to_string(x.id), state_of(x),       to_iso_text(x.opened_at),
          one_line(x.pool),     one_line(x.owner), one_line(x.name)};
}

std::string in_columns(const std::vector<table_line>& lines) {
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

// What came of going through pages.
struct passage {
  std::size_t rows = 0;
  std::int64_t last = 0; // the id of the last of them
  bool whole = true;     // all could be read
};

// Calls `fun` with each page, until `rows_max` rows, or all if that is 0, or
// until somebody interrupts it. Complains of rows that cannot be read.
template <class Fun>
passage for_pages(record_admin& all, record_query next, std::size_t rows_max,
                  Fun fun) {
  passage result;
  while (!interrupted()) {
    if (rows_max > 0)
      next.rows_max = std::min<std::size_t>(1000, rows_max - result.rows);
    if (next.rows_max == 0)
      break;
    auto page = all.page(next);
    for (auto& line : page.unreadable) {
      complain(one_line(line));
      result.whole = false;
    }
    fun(page.rows);
    result.rows += page.size();
    result.last = page.last;
    if (!page.more)
      break;
    next.after = page.last;
  }
  return result;
}

int status_of(const passage& x) {
  if (interrupted())
    return 128 + interrupt_signal();
  return x.whole ? 0 : 1;
}

int list(record_admin& all, const records_arguments& arguments) {
  std::vector<table_line> lines{
    {"ID", "STATE", "OPENED", "POOL", "OWNER", "NAME"}};
  auto shown = for_pages(all, arguments.query, arguments.rows_max,
                         [&](auto& rows) {
                           for (auto& row : rows)
                             lines.push_back(to_line(row));
                           write_stdout(in_columns(lines));
                           lines.clear();
                         });
  auto rest = arguments.query;
  rest.after = shown.last;
  rest.rows_max = 1;
  if (arguments.rows_max > 0 && shown.rows == arguments.rows_max
      && all.page(rest).size() > 0)
    complain("there are more than these " + with_commas(shown.rows)
             + ": --after " + std::to_string(shown.last)
             + " shows the next ones, --limit 0 all");
  return status_of(shown);
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

std::string count_of(std::size_t n, const std::string& what) {
  return with_commas(n) + " " + what + (n == 1 ? "" : "s");
}

int verify(record_admin& all) {
  verified_records seen;
  {
    progress_bar bar{"verifying", true};
    seen = all.verify(
      [&](const std::string& line) {
        bar.hide();
        write_stdout(one_line(line) + '\n');
      },
      [&](std::size_t rows) { bar.update(rows, -1); });
  }
  auto looked_at = " (" + count_of(seen.rows, "record") + ", "
                   + with_commas(seen.unreadable) + " unreadable)\n";
  if (seen.wrong == 0) {
    write_stdout("nothing is wrong with " + all.where() + looked_at);
    return 0;
  }
  write_stdout(count_of(seen.wrong, "finding") + " in " + all.where()
               + looked_at);
  return 1;
}

int purge(record_admin& all, duration older_than) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  auto before = time_point{std::chrono::duration_cast<duration>(now)}
                - older_than;
  purged_records done;
  try {
    progress_bar bar{"purging", true};
    done = all.purge(before, [&](std::size_t so_far) {
      done.gone = so_far;
      bar.update(so_far, -1);
      return !interrupted();
    });
  } catch (const record_admin::ended&) {
    complain("what was under way when it was interrupted may be purged, too");
  } catch (const store_failure&) {
    write_stdout(count_of(done.gone, "record") + " purged before it failed\n");
    throw;
  }
  write_stdout(count_of(done.gone, "record") + " purged"
               + (interrupted() ? " before it was interrupted\n" : "\n"));
  if (interrupted())
    return 128 + interrupt_signal();
  if (done.locked > 0)
    complain(count_of(done.locked, "record")
             + " not purged: somebody else has them locked; try again later");
  return done.locked > 0 ? 1 : 0;
}

int export_jsonl(record_admin& all, const records_arguments& arguments) {
  std::optional<file_draft> file;
  if (arguments.jsonl != "-")
    file.emplace(arguments.jsonl);
  auto done = for_pages(all, arguments.query, 0, [&](auto& rows) {
    std::string text;
    for (auto& row : rows)
      text += to_text(to_json(row));
    if (file)
      file->write(text);
    else
      write_stdout(text);
  });
  if (file && !interrupted())
    file->commit();
  return status_of(done);
}

// "Found nothing" and "could not look" are not to be mistaken for each other.
int verify_or_say_why_not(const std::string& url) {
  constexpr int not_verified = 2;
  try {
    record_admin all{url, store_use::look};
    return verify(all);
  } catch (const std::exception& x) {
    complain(std::string{"not verified: "} + x.what());
    return not_verified;
  }
}

} // namespace

int run_records(const records_arguments& arguments) {
  using action = records_arguments::action;
  if (arguments.what == action::verify)
    return verify_or_say_why_not(arguments.url);
  auto purges = arguments.what == action::purge;
  record_admin all{arguments.url, purges ? store_use::tend : store_use::look};
  if (arguments.what == action::show)
    return show(all, arguments.name);
  if (arguments.what == action::list)
    return list(all, arguments);
  // These leave something behind: a file, or only a part of what was there.
  catch_interrupts();
  all.end_when([] { return interrupted().load(); });
  try {
    return purges ? purge(all, arguments.older_than)
                  : export_jsonl(all, arguments);
  } catch (const record_admin::ended&) {
    return 128 + interrupt_signal();
  }
}

} // namespace steward
