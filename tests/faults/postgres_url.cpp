#include <steward/tests/faults/postgres_url.hpp>

#include <libpq-fe.h>

#include <cctype>
#include <cstdio>
#include <memory>
#include <stdexcept>

namespace faults {

namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (auto c : text) {
    auto byte = static_cast<unsigned char>(c);
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", byte);
    if (std::isalnum(byte) != 0)
      result += c;
    else
      result += hex;
  }
  return result;
}

} // namespace

url_options options_of(const std::string& url) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all{
    PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
  if (!all)
    throw std::runtime_error{"STEWARD_TEST_PG_URL is no URL of PostgreSQL"};
  url_options result;
  for (auto* x = all.get(); x->keyword != nullptr; ++x)
    if (x->val != nullptr)
      result[x->keyword] = x->val;
  return result;
}

std::string url_of(const url_options& options) {
  std::string result = "postgresql://";
  auto sign = '?';
  for (auto& [key, value] : options) {
    result += sign + key + "=" + escaped(value);
    sign = '&';
  }
  return result;
}

std::string with(const std::string& url, const url_options& changed) {
  auto all = options_of(url);
  for (auto& [key, value] : changed)
    all[key] = value;
  return url_of(all);
}

} // namespace faults
