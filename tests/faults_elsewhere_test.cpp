// The fault suite on a server that is not its own.
#include <boost/test/unit_test.hpp>

#include "postgres_server.hpp"
#include "record_fixtures.hpp"

#include <steward/storage/internal/pg_connection.hpp>

#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <future>
#include <string>
#include <vector>

using namespace record_test;
using namespace steward;

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

// What everybody sees of a process.
std::vector<std::string> all_command_lines() {
  std::vector<std::string> result;
  for (auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    std::ifstream in{entry.path() / "cmdline"};
    result.emplace_back(std::istreambuf_iterator<char>{in},
                        std::istreambuf_iterator<char>{});
  }
  return result;
}

std::string free_port() {
  auto number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  auto* address = reinterpret_cast<sockaddr*>(&here);
  BOOST_REQUIRE(::bind(number, address, size) == 0);
  BOOST_REQUIRE(::getsockname(number, address, &size) == 0);
  ::close(number);
  return std::to_string(ntohs(here.sin_port));
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

BOOST_AUTO_TEST_CASE(a_password_for_a_server_elsewhere_is_shown_to_nobody) {
  temp_dir dir;
  std::filesystem::permissions(dir.path(),
                               std::filesystem::perms::others_exec
                                 | std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  auto hba = (dir / "hba").string();
  std::ofstream{hba} << "local all all trust\n"
                        "host all all 127.0.0.1/32 scram-sha-256\n";
  auto port = free_port();
  postgres_server server{"listen_addresses = '127.0.0.1'\nport = " + port
                         + "\nhba_file = '" + hba + "'\n"};
  pg_connection{server.url() + "&port=" + port, {}, {}}.exec(
    database_stage::commit, "ALTER ROLE steward PASSWORD 's3cret'");
  auto elsewhere = "steward:s3cret@127.0.0.1:" + port + "/postgres";
  ::setenv("STEWARD_TEST_PG_URL", ("postgresql://" + elsewhere).c_str(), 1);
  auto run = std::async(std::launch::async, [] {
    return run_faults("--seconds 2 --only 'postgresql: nothing'"
                      " --only 'proxy that cuts' --only lock_timeout");
  });
  std::size_t workers = 0;
  while (run.wait_for(20ms) != std::future_status::ready)
    for (auto& line : all_command_lines()) {
      BOOST_TEST(!contains(line, "s3cret"), line);
      workers += contains(line, "steward_faults") && contains(line, "worker");
    }
  BOOST_TEST(workers > 4u);
  auto [table, status] = run.get();
  BOOST_TEST(status == 0, table);
  BOOST_TEST(!contains(table, "s3cret"), table);
  for (auto* fault : {"nothing", "proxy that cuts", "lock_timeout"})
    BOOST_TEST(line_of(table, fault).ends_with(" | 0 |"),
               line_of(table, fault));
}
