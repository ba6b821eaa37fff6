#include <steward/steward.hpp>

#include <string>

// A foreign program: it lends out a resource and gets it back.
int main() {
  steward::config cfg;
  steward::configure(cfg);
  caf::actor_system sys{cfg};
  steward::runtime rt{sys};
  auto names = rt.make_pool<std::string>({.name = "names"},
                                         [](const steward::open_request&) {
                                           return std::string{"resource"};
                                         });
  auto lease = names.acquire("tenant-7");
  return lease && **lease == "resource" ? 0 : 1;
}
