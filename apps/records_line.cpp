#include <steward/apps/records_line.hpp>

#include <steward/apps/command_line.hpp>
#include <steward/apps/manual.hpp>
#include <steward/apps/option.hpp>
#include <steward/apps/text.hpp>
#include <steward/core/duration_text.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

namespace steward {
namespace {

constexpr const char* records_manual = R"(NAME
  steward records - look after the records of a program

SYNOPSIS
  steward records list [OPTION]...
  steward records show [OPTION]... NAME
  steward records verify [OPTION]...
  steward records purge --older-than D|now [OPTION]...
  steward records export --jsonl PATH|- [OPTION]...

DESCRIPTION
  Reads and cleans the database in which a program records its resources: a
  SQLite file, or PostgreSQL. The program may run meanwhile.

COMMANDS
  list    shows records, a line each, by id: the first 100, or --limit of them
  show    shows all of one record
  verify  looks for damage, broken rules, records that cannot be read, missing
          indexes and orphans: open records whose owner died
  purge   removes records that were closed longer ago than D, for good. Ctrl-C
          ends it, and it says how many are gone
  export  writes records as JSON, one object in a line. A file is there whole or
          not at all

  All but purge only read: they need no right to write, change nothing, and work
  on a file that is read-only or of an older version, and on a standby server.
)";

constexpr const char* records_manual_end = R"(EXIT STATUS
  0    done; for verify: nothing is wrong
  1    failed, or there is no such record; some records could not be read, or
       not be purged, as somebody else has them locked; for verify: something is
       wrong, and standard output says what
  2    the command line cannot be used; for verify also: it could not look at
       everything, and standard error says why
  130  ended by Ctrl-C (SIGINT)
  143  the same by SIGTERM

PASSWORDS
  Others see the command line. A password belongs in ~/.pgpass, or in the
  environment as PGPASSWORD; it is never shown.

EXAMPLES
  steward records list --pool sessions --state open
  steward records purge --older-than 720h
  steward records export --records postgresql://me@host/db --jsonl - | jq .name
)";

[[noreturn]] void refuse(std::string_view option, std::string_view value,
                         std::string_view allowed) {
  throw usage_error{std::string{option} + " is \"" + printable(value)
                    + "\"; allowed: " + std::string{allowed}};
}

template <class Number>
Number to_number(std::string_view option, std::string_view word,
                 std::string_view allowed) {
  Number result = 0;
  const auto* end = word.data() + word.size();
  auto [at, code] = std::from_chars(word.data(), end, result);
  if (code != std::errc{} || at != end || word.empty() || result < 0)
    refuse(option, word, allowed);
  return result;
}

void add_common(CLI::App& app, records_words& words) {
  add_option(app, "Options", "--records", "PATH|URL", words.records,
             "Where the records are: the path of a SQLite file, or "
             "postgresql://USER@HOST/DATABASE. Default: steward.db");
}

void add_filters(CLI::App& app, records_words& words) {
  // An empty one may be a variable that was not set: it is not all of them.
  auto add_name = [&](const char* name, const char* value, std::string& word,
                      const char* text) {
    app.add_option(name, word, text)
      ->option_text(value)
      ->group("Options")
      ->check([](const std::string& x) {
        return x.empty() ? std::string{"is empty"} : std::string{};
      });
  };
  add_name("--pool", "NAME", words.pool, "Only of this pool");
  add_name("--key", "KEY", words.key, "Only of this key");
  add_name("--owner", "NAME", words.owner, "Only of this owner");
  add_option(app, "Options", "--state", "open|closed|all", words.state,
             "Only in this state. Default: all");
  add_option(app, "Options", "--after", "ID", words.after,
             "Only with a higher id: the next page. Default: 0");
}

// What each of the commands takes, for the help of them all.
std::string options_of_all(const CLI::App& records) {
  std::string result = "OPTIONS\n";
  std::set<std::string> told;
  for (const auto* action : records.get_subcommands(nullptr))
    for (const auto* option : action->get_options())
      if (option->get_group() == "Options"
          && told.insert(option->get_name()).second)
        result += option_entry(*option);
  return result;
}

CLI::App& add_action(CLI::App& records, const std::string& name,
                     records_words& words) {
  auto& result = *records.add_subcommand(name, records_manual);
  result.footer(records_manual_end);
  result.set_help_flag("-h,--help", "Show this text")->group("Other");
  add_common(result, words);
  return result;
}

std::optional<bool> to_state(const std::string& word) {
  if (word == "all")
    return std::nullopt;
  if (word != "open" && word != "closed")
    refuse("--state", word, "open, closed, all");
  return word == "open";
}

// To remove all is to be meant: a 0 may be a variable that was not set.
duration to_age(const std::string& word) {
  if (word == "now")
    return duration::zero();
  constexpr duration age_max = std::chrono::days{100'000}; // 273 years
  auto age = parse_duration(word);
  if (!age || *age == duration::zero() || *age > age_max)
    refuse("--older-than", word,
           "a duration above 0 and up to 100000d, such as 90s, 5min, 720h, or "
           "now: all that are closed");
  return *age;
}

// Whether somebody may have meant a connection where a path is expected.
bool may_hold_password(std::string_view word) {
  auto has = [word](std::string_view part) {
    return word.find(part) != word.npos;
  };
  // USER:PASSWORD@HOST, before the first folder there may be.
  auto begin = word.starts_with("//") ? std::size_t{2} : std::size_t{0};
  auto user = word.substr(begin, word.find_first_of(":/", begin) - begin);
  auto names_user = begin + user.size() < word.size()
                    && word[begin + user.size()] == ':' && has("@");
  return names_user || (has("postgres") && has(":") && has("@"))
         || (has("password") && has("="));
}

} // namespace

std::string to_records_url(const std::string& word) {
  // Of another scheme it is no path either: let who opens it say so.
  auto is_path = word.starts_with("sqlite:");
  auto is_url = !is_path && word.find("://") != word.npos;
  if (!is_url && may_hold_password(word))
    throw usage_error{"--records is neither a path nor a URL, and not shown as "
                      "there may be a password in it; allowed: PATH, "
                      "sqlite:PATH, postgresql://USER@HOST/DATABASE"};
  return is_path || is_url ? word : "sqlite:" + word;
}

CLI::App& add_records(CLI::App& app, records_words& words) {
  auto& records = *app.add_subcommand("records", records_manual);
  records.set_help_flag("-h,--help", "Show this text")->group("Other");
  records.require_subcommand(1);
  auto& list = add_action(records, "list", words);
  add_filters(list, words);
  add_option(list, "Options", "--limit", "N", words.limit,
             "list: most records to show, 0: all. Default: 100");
  auto& show = add_action(records, "show", words);
  show.add_option("NAME", words.name)->required()->group("");
  add_action(records, "verify", words);
  auto& purge = add_action(records, "purge", words);
  purge
    .add_option("--older-than", words.older_than,
                "purge: how long ago a record must have been closed, such as "
                "720h or 90d; or now: all that are closed. No default")
    ->option_text("D|now")
    ->required()
    ->group("Options");
  auto& written = add_action(records, "export", words);
  add_filters(written, words);
  written
    .add_option("--jsonl", words.jsonl,
                "export: a file, which is replaced in one step, or "
                "- for standard output. No default")
    ->option_text("PATH|-")
    ->required()
    ->group("Options");
  records.footer(options_of_all(records) + records_manual_end);
  return records;
}

records_arguments to_arguments(const CLI::App& records,
                               const records_words& words) {
  using enum records_arguments::action;
  records_arguments result;
  result.url = to_records_url(words.records);
  result.query.pool = words.pool;
  result.query.key = words.key;
  result.query.owner = words.owner;
  result.query.open = to_state(words.state);
  result.query.after = to_number<std::int64_t>("--after", words.after,
                                               "an id, 0 or more");
  result.rows_max = to_number<std::size_t>("--limit", words.limit, "0 or more");
  result.name = words.name;
  result.jsonl = words.jsonl;
  constexpr std::string_view sqlite = "sqlite:";
  std::error_code unknown;
  for (auto* part : {"", "-wal", "-shm", "-journal"})
    if (result.url.starts_with(sqlite)
        && std::filesystem::equivalent(
          result.jsonl, result.url.substr(sqlite.size()) + part, unknown))
      throw usage_error("--jsonl is " + printable(words.jsonl)
                        + ", which is the database; allowed: another file, or "
                          "-");
  if (records.got_subcommand("show"))
    result.what = show;
  if (records.got_subcommand("verify"))
    result.what = verify;
  if (records.got_subcommand("export"))
    result.what = export_jsonl;
  if (records.got_subcommand("purge")) {
    result.what = purge;
    result.older_than = to_age(words.older_than);
  }
  return result;
}

} // namespace steward
