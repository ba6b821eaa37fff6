#include <steward/storage/record_store.hpp>

#include <steward/storage/postgres_store.hpp>
#include <steward/storage/sqlite_store.hpp>

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

std::vector<record> record_store::page(const record_query& what,
                                       duration wait_max) {
  auto all = read_page(what, wait_max);
  if (!all.unreadable.empty())
    throw store_failure{store_errc::damaged, all.unreadable.front()};
  return std::move(all.rows);
}

std::vector<record> record_store::list(const std::string& owner,
                                       duration wait_max) {
  std::vector<record> all;
  record_query next{.owner = owner};
  for (;;) {
    auto rows = page(next, wait_max);
    if (rows.empty())
      return all;
    next.after = rows.back().id;
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }
}

std::unique_ptr<record_store>
open_records_for(store_use use, const std::string& url, duration wait_max) {
  if (url.empty())
    refuse("is empty");
  auto scheme = scheme_of(url);
  if (scheme.empty()) // not shown where it may hold a password
    refuse(url.find_first_of("=@") == url.npos ? "'" + url + "' has no scheme"
                                               : "has no scheme");
  if (scheme == "postgresql" || scheme == "postgres")
    return std::make_unique<postgres_store>(url, wait_max, postgres_limits{},
                                            use);
  // What follows an unknown scheme is not shown: it may hold a password.
  if (!url.starts_with(sqlite_scheme))
    refuse("has the unknown scheme '" + scheme + "'");
  auto path = url.substr(sqlite_scheme.size());
  if (path.empty())
    refuse("'" + url + "' has no path");
  if (path == ":memory:")
    refuse("'" + url + "' names no file, and records outlive the process");
  return std::make_unique<sqlite_store>(path, wait_max, use);
}

std::unique_ptr<record_store> open_record_store(const std::string& url,
                                                duration wait_max) {
  return open_records_for(store_use::keep, url, wait_max);
}

} // namespace steward
