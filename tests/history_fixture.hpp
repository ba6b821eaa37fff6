#pragma once

// What the tests of histories share: operations in one line each.

#include <boost/test/unit_test.hpp>

#include <steward/testkit/history_check.hpp>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace steward::testkit {

inline std::ostream& operator<<(std::ostream& out, judgement x) {
  return out << to_string(x);
}

inline std::ostream& operator<<(std::ostream& out, const operation& x) {
  std::vector<operation> one{x};
  write_history(out, one);
  return out;
}

} // namespace steward::testkit

namespace history_test {

using namespace steward::testkit;

using operations = std::vector<operation>;

/// A call of one client on one key, that is ok until told otherwise.
struct call {
  std::string what;
  std::string key;
  std::string arg = {};
};

inline operation ok(std::string client, stamp from, stamp to, call x,
                    std::string result = {}) {
  return {std::move(client),
          std::move(x.what),
          std::move(x.key),
          std::move(x.arg),
          from,
          to,
          ending::ok,
          std::move(result)};
}

inline operation failed(std::string client, stamp from, stamp to, call x) {
  auto result = ok(std::move(client), from, to, std::move(x), "refused");
  result.end = ending::failed;
  return result;
}

inline operation in_doubt(std::string client, stamp from, call x) {
  auto result = ok(std::move(client), from, stamp_max, std::move(x));
  result.end = ending::in_doubt;
  return result;
}

inline call create(std::string name, std::string token) {
  return {"get_or_create", std::move(name), std::move(token)};
}

inline call find(std::string name) {
  return {"find", std::move(name)};
}

inline call acquire(std::string key) {
  return {"acquire", std::move(key)};
}

inline call release(std::string key, std::string lease) {
  return {"release", std::move(key), std::move(lease)};
}

inline call close(std::string key, std::string resource) {
  return {"close", std::move(key), std::move(resource)};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// The first judgement of a verdict.
inline judgement judgement_of(const verdict& x) {
  return x.right() ? judgement::right : x.findings.front().what;
}

} // namespace history_test
