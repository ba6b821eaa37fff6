#pragma once

#include <steward/tests/postgres_server.hpp>

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace record_test {

/// pgbouncer before a server of one's own, which gives each transaction any
/// session; gone with the object.
class pooler {
public:
  static constexpr const char* program = "/usr/sbin/pgbouncer";

  static bool is_installed() {
    return std::filesystem::exists(program);
  }

  /// Starts it and waits until it listens. `settings` are lines of its own.
  pooler(const postgres_server& server, const std::string& settings)
    : folder_(server.folder() / "pool") {
    using namespace std::chrono_literals;
    std::filesystem::create_directory(folder_);
    server.user().give(folder_);
    auto ini = (folder_ / "pgbouncer.ini").string();
    auto users = (folder_ / "users").string();
    std::ofstream{users} << "\"steward\" \"\"\n";
    std::ofstream{ini} << "[databases]\n* = host=" << server.folder().string()
                       << "\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = "
                       << folder_.string() << "\nauth_type = trust\nauth_file ="
                       << " " << users << "\npool_mode = transaction\n"
                       << settings;
    changes_in_folder changes{folder_};
    pid_ = server.user().start({program, ini}, (folder_ / "log").string());
    auto until = std::chrono::steady_clock::now() + 20s;
    while (!std::filesystem::exists(folder_ / ".s.PGSQL.6432")) {
      end_of_process ended{pid_};
      wait_for_news(std::array{changes.number(), ended.number()}, 1s);
      changes.forget();
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error{"pgbouncer does not start; see "
                                 + (folder_ / "log").string()};
    }
  }

  pooler(const pooler&) = delete;
  pooler& operator=(const pooler&) = delete;

  ~pooler() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string url(const std::string& database = "postgres") const {
    return "postgresql://steward@/" + database
           + "?port=6432&host=" + folder_.string();
  }

private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

} // namespace record_test
