// The fault suite on a server that is not its own.
#include <boost/test/unit_test.hpp>

#include "postgres_server.hpp"

#include <array>
#include <cstdio>
#include <string>

using namespace record_test;

namespace {

// What a run of the suite prints, and how it ends.
std::pair<std::string, int> run_faults(const std::string& words) {
  auto command = std::string{STEWARD_FAULTS} + " " + words + " 2>&1";
  auto* out = ::popen(command.c_str(), "r");
  BOOST_REQUIRE(out != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  for (std::size_t n = 1; n > 0; text.append(part.data(), n))
    n = std::fread(part.data(), 1, part.size(), out);
  return {text, ::pclose(out)};
}

// The line of a fault in the table, after its name.
std::string line_of(const std::string& table, const std::string& fault) {
  auto begin = table.find("| postgresql | " + fault + " | ");
  if (begin == table.npos)
    return "there is no line of " + fault + " in\n" + table;
  begin += fault.size() + 18;
  return table.substr(begin, table.find('\n', begin) - begin);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_needs_only_statements_is_done_to_any_server) {
  postgres_server server;
  ::setenv("STEWARD_TEST_PG_URL", server.url().c_str(), 1);
  auto [table, status] = run_faults(
    "--seconds 1 --only pg_terminate --only 'proxy that cuts'"
    " --only lock_timeout --only 'read-only server'"
    " --only 'kill -9 of a backend' --only 'kill -9 of the server'"
    " --only max_conn --only pgbouncer --only tablespace");
  BOOST_TEST(status == 0, table);
  for (auto* fault : {"pg_terminate_backend", "proxy that cuts", "lock_timeout",
                      "read-only server"})
    BOOST_TEST(line_of(table, fault).ends_with(" | 0 |"),
               line_of(table, fault));
  for (auto* fault :
       {"kill -9 of a backend", "kill -9 of the server", "max_connections",
        "pgbouncer, transactions", "full tablespace of 9 MB"})
    BOOST_TEST(line_of(table, fault)
                 .starts_with("- | skipped: needs a server of its own"),
               line_of(table, fault));
}
