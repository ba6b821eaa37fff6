#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace faults {

/// What a proxy does to those that go through it.
enum class weather : unsigned char {
  fair,
  cutting,    ///< ends connections at random, in the midst of an answer, too
  slow,       ///< holds everything back for 20 to 100 ms
  black_hole, ///< takes everything and passes nothing on
};

/// A TCP port of this machine behind which a server lies: at a port of a host,
/// or of a folder, in which its Unix socket is. One thread.
class proxy {
public:
  proxy(const std::string& host, const std::string& port);

  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  ~proxy();

  std::uint16_t port() const {
    return port_;
  }

  void set(weather x) {
    weather_ = x;
  }

private:
  struct pair {
    int client = -1;
    int server = -1;
  };

  void run();
  void accept_one();
  bool pass_on(pair& x);
  bool move_bytes(int from, int to);

  sockaddr_storage server_{}; // where it is
  socklen_t server_size_ = 0;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<weather> weather_{weather::fair};
  std::atomic<bool> ending_{false};
  std::vector<pair> pairs_;
  unsigned random_ = 1;
  std::thread thread_;
};

} // namespace faults
