#include <steward/storage/record_store.hpp>

#include <steward/storage/postgres_store.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

namespace steward {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";
constexpr std::string_view allowed
  = "; allowed is sqlite:PATH or postgresql://...";

[[noreturn]] void refuse(std::string_view why) {
  std::string what = "records URL ";
  what.append(why).append(allowed);
  throw store_failure{store_errc::misuse, what};
}

// The text before the first colon; empty if it cannot be meant as a scheme.
std::string scheme_of(const std::string& url) {
  auto scheme = url.substr(0, url.find(':'));
  auto is_path = scheme.size() == url.size() || scheme.find('/') != url.npos;
  return is_path ? std::string{} : scheme;
}

} // namespace

std::string_view to_string(store_errc x) {
  switch (x) {
    case store_errc::busy: return "busy";
    case store_errc::full: return "full";
    case store_errc::read_only: return "read_only";
    case store_errc::cannot_open: return "cannot_open";
    case store_errc::not_a_database: return "not_a_database";
    case store_errc::newer_schema: return "newer_schema";
    case store_errc::damaged: return "damaged";
    case store_errc::io: return "io";
    case store_errc::bad_row: return "bad_row";
    case store_errc::misuse: break;
  }
  return "misuse";
}

std::vector<record> record_store::list(const std::string& owner,
                                       duration wait_max) {
  std::vector<record> all;
  record_query next{.owner = owner};
  for (;;) {
    auto rows = page(next, wait_max);
    auto last = rows.size() < next.rows_max;
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
    if (last)
      return all;
    next.after = all.back().id;
  }
}

namespace {

// Others make the file, or the tables in it, in one transaction.
void require_records(const std::string& path) {
  std::error_code none;
  auto why = !std::filesystem::exists(path, none)          ? "no such file"
             : std::filesystem::file_size(path, none) == 0 ? "the file is empty"
                                                           : nullptr;
  if (why != nullptr)
    throw store_failure{store_errc::cannot_open,
                        "cannot open records " + path + ": " + why};
}

std::unique_ptr<record_store> open(const std::string& url, duration wait_max,
                                   where_none how) {
  if (url.empty())
    refuse("is empty");
  auto scheme = scheme_of(url);
  if (scheme.empty())
    refuse("'" + url + "' has no scheme");
  if (scheme == "postgresql" || scheme == "postgres")
    return std::make_unique<postgres_store>(url, wait_max, postgres_limits{},
                                            how);
  // What follows an unknown scheme is not shown: it may hold a password.
  if (!url.starts_with(sqlite_scheme))
    refuse("has the unknown scheme '" + scheme + "'");
  auto path = url.substr(sqlite_scheme.size());
  if (path.empty())
    refuse("'" + url + "' has no path");
  if (path == ":memory:")
    refuse("'" + url + "' names no file, and records outlive the process");
  if (how == where_none::refuse)
    require_records(path);
  return std::make_unique<sqlite_store>(path, wait_max);
}

} // namespace

std::unique_ptr<record_store> open_record_store(const std::string& url,
                                                duration wait_max) {
  return open(url, wait_max, where_none::make);
}

std::unique_ptr<record_store> open_existing_records(const std::string& url,
                                                    duration wait_max) {
  return open(url, wait_max, where_none::refuse);
}

} // namespace steward
