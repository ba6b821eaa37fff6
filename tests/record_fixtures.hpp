#pragma once

// What the tests of records share: folders that go away, drafts, tokens.

#include <boost/test/unit_test.hpp>

#include <steward/core/record.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/storage/record_store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace steward {

inline std::ostream& operator<<(std::ostream& out, store_errc x) {
  return out << to_string(x);
}

inline std::ostream& operator<<(std::ostream& out, record_verdict x) {
  return out << to_string(x);
}

} // namespace steward

namespace record_test {

using namespace std::chrono_literals;

/// The databases that a test is run on, one after the other.
inline constexpr const char* both[] = {"sqlite", "postgresql"};

/// A folder of its own, removed with all that is in it.
class temp_dir {
public:
  temp_dir() {
    auto pattern = std::filesystem::temp_directory_path() / "steward-XXXXXX";
    auto text = pattern.string();
    if (::mkdtemp(text.data()) == nullptr)
      throw std::runtime_error{"cannot make " + text};
    path_ = text;
  }

  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

  const std::filesystem::path& path() const {
    return path_;
  }

private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// 2015-05-17T10:05:03.250Z, from the clock of a test.
inline constexpr steward::time_point noon{1431857103250ms};

inline steward::creator_token token(unsigned n) {
  steward::creator_token result{};
  result[0] = static_cast<std::byte>(n & 255U);
  result[1] = static_cast<std::byte>(n >> 8U & 255U);
  return result;
}

inline steward::record draft(std::string name, unsigned by = 1) {
  steward::record result;
  result.name = std::move(name);
  result.pool = "sessions";
  result.key = "tenant-7";
  result.attributes = "dsn=db1";
  result.owner = "test-1";
  result.creator = token(by);
  result.opened_at = noon;
  return result;
}

inline steward::record_write create(std::string name, unsigned by = 1) {
  return steward::create_record{draft(std::move(name), by)};
}

inline steward::record_write
close(std::string name, steward::close_reason why = steward::close_reason::idle,
      steward::time_point at = noon + 5min) {
  return steward::close_record{std::move(name), why, at};
}

/// Somebody else who holds the write lock of a database.
class lock_holder {
public:
  explicit lock_holder(const std::filesystem::path& path)
    : db_(path.string(), SQLite::OPEN_READWRITE) {
    db_.exec("BEGIN IMMEDIATE");
  }

private:
  SQLite::Database db_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// What `fun` fails with; fails the test if it does not.
template <class Fun>
steward::store_failure failure_of(Fun fun) {
  try {
    fun();
  } catch (const steward::store_failure& x) {
    BOOST_TEST(!contains(x.what(), "\n"), "more than one line: " << x.what());
    return x;
  }
  BOOST_FAIL("nothing failed");
  return {steward::store_errc::misuse, ""};
}

using batch = std::vector<steward::record_write>;

} // namespace record_test
