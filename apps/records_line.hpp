#pragma once

#include <steward/core/record_query.hpp>
#include <steward/core/time.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace steward {

/// What `steward records` was asked to do. All values are checked.
struct records_arguments {
  enum class action : unsigned char { list, show, verify, purge, export_jsonl };

  action what = action::list;
  std::string url; ///< of the records
  record_query query;
  std::size_t rows_max = 100; ///< of a list; all if 0
  std::string name;           ///< to show
  duration older_than{};      ///< to purge
  std::string jsonl;          ///< to export to: a path, or `-`
};

/// The words of the command line, before they are understood.
struct records_words {
  std::string records = "steward.db";
  std::string pool;
  std::string key;
  std::string owner;
  std::string state = "all";
  std::string limit = "100";
  std::string after = "0";
  std::string name;
  std::string older_than;
  std::string jsonl;
};

/// The URL of records that a user named by a path or a URL.
std::string to_records_url(const std::string& word);

/// Adds `steward records` with its subcommands.
CLI::App& add_records(CLI::App& app, records_words& words);

/// Judges the words. Throws `usage_error`.
records_arguments to_arguments(const CLI::App& records,
                               const records_words& words);

} // namespace steward
