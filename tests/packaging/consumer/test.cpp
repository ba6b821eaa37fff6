#include <steward/steward.hpp>
#include <steward/testkit.hpp>

#include <iostream>
#include <string>

namespace {

struct twice {
  int n = 0;
};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(twice)

namespace {

caf::behavior doubler(caf::event_based_actor*) {
  return {[](const twice& m) { return 2 * m.n; }};
}

} // namespace

// A foreign test without a framework: an actor step by step and in a campaign,
// and a runtime in a simulation.
int main() {
  using namespace steward::testkit;
  try {
    sim s;
    auto p = s.probe("p");
    if (p.request<int>(s.spawn(doubler), twice{21}).get() != 42)
      return 1;
    steward::runtime rt{s.system(), {}, simulated(s)};
    auto names = rt.make_pool<std::string>({.name = "names"},
                                           [](const steward::open_request& r) {
                                             return std::string{r.key};
                                           });
    if (auto lease = names.acquire("tenant-7"); !lease || **lease != "tenant-7")
      return 1;
    auto c = explore({.seeds = 10}, [](world& w) {
      auto who = w.sim().spawn(doubler);
      auto answer = w.sim().probe("p").request<int>(who, twice{1});
      w.eventually("it answers", [answer] { return answer.answered(); });
    });
    return c.runs == 10 ? 0 : 1;
  } catch (const failure& x) {
    std::cerr << x.what() << '\n';
    return 1;
  }
}
