#include <steward/tests/faults/proxy.hpp>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace faults {

namespace {

constexpr int look_ms = 5;

template <class Address>
const sockaddr* as_address(const Address& x) {
  return reinterpret_cast<const sockaddr*>(&x);
}

std::pair<sockaddr_storage, socklen_t> resolved(const std::string& host,
                                                const std::string& port) {
  sockaddr_storage result{};
  if (host.starts_with("/")) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    auto path = host + "/.s.PGSQL." + port;
    std::strncpy(there.sun_path, path.c_str(), sizeof there.sun_path - 1);
    std::memcpy(&result, &there, sizeof there);
    return {result, sizeof there};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    throw std::runtime_error{"there is no host " + host};
  std::memcpy(&result, found->ai_addr, found->ai_addrlen);
  auto size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return {result, size};
}

} // namespace

proxy::proxy(const std::string& host, const std::string& port) {
  std::tie(server_, server_size_) = resolved(host, port);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  if (::bind(listener_, as_address(here), sizeof here) != 0
      || ::listen(listener_, 64) != 0
      || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size)
           != 0)
    throw std::runtime_error{"no port for a proxy"};
  port_ = ntohs(here.sin_port);
  thread_ = std::thread{[this] { run(); }};
}

proxy::~proxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
}

void proxy::run() {
  while (!ending_) {
    std::vector<pollfd> all{{listener_, POLLIN, 0}};
    auto hole = weather_ == weather::black_hole;
    for (auto& x : pairs_)
      if (!hole) {
        all.push_back({x.client, POLLIN, 0});
        all.push_back({x.server, POLLIN, 0});
      }
    if (::poll(all.data(), all.size(), look_ms) <= 0)
      continue;
    if ((all[0].revents & POLLIN) != 0)
      accept_one();
    if (hole)
      continue;
    std::erase_if(pairs_, [this](pair& x) {
      if (pass_on(x))
        return false;
      ::close(x.client);
      ::close(x.server);
      return true;
    });
  }
  for (auto& x : pairs_) {
    ::close(x.client);
    ::close(x.server);
  }
}

void proxy::accept_one() {
  auto client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  auto server = ::socket(server_.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(server, as_address(server_), server_size_) != 0) {
    ::close(client);
    ::close(server);
    return;
  }
  pairs_.push_back({client, server});
}

// Whether the connection goes on.
bool proxy::pass_on(pair& x) {
  for (auto [from, to] :
       {std::pair{x.client, x.server}, {x.server, x.client}}) {
    pollfd ready{from, POLLIN, 0};
    if (::poll(&ready, 1, 0) > 0 && !move_bytes(from, to))
      return false;
  }
  return true;
}

bool proxy::move_bytes(int from, int to) {
  std::array<char, 16'384> bytes{};
  auto n = ::recv(from, bytes.data(), bytes.size(), 0);
  if (n <= 0)
    return false;
  random_ = random_ * 1'103'515'245U + 12'345U;
  auto dice = random_ >> 16U;
  auto size = static_cast<std::size_t>(n);
  auto now = weather_.load();
  if (now == weather::slow)
    ::poll(nullptr, 0, static_cast<int>(20 + dice % 80));
  auto cut = now == weather::cutting && dice % 40 == 0;
  if (cut && dice % 3 != 0) // a part of it still gets through, or nothing
    size = dice % size;
  for (std::size_t done = 0; done < size;) {
    auto sent = ::send(to, bytes.data() + done, size - done, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    done += static_cast<std::size_t>(sent);
  }
  return !cut;
}

} // namespace faults
