#include <steward/steward.hpp>

#include <iostream>

struct session {
  std::string tenant;
};

int main() {
  using namespace std::chrono_literals;
  steward::config cfg;
  caf::actor_system sys{cfg};
  steward::runtime rt{sys};
  auto sessions = rt.make_pool<session>(
    {.name = "sessions", .per_key_max = 8, .idle_timeout = 5min},
    [](const steward::open_request& r) { return session{std::string{r.key}}; });
  if (auto s = sessions.acquire("tenant-7", {.deadline = 2s}))
    std::cout << "a session of " << (*s)->tenant << '\n'; // then it goes back
  else
    std::cerr << steward::describe(s.error()) << '\n';
}
