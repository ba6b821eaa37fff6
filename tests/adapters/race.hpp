#pragma once

// What the programs beside it explore, each with its test framework.

#include <steward/testkit.hpp>

#include <string>

namespace adapted {

using namespace steward;
using namespace steward::testkit;

struct arrive {};

} // namespace adapted

STEWARD_MESSAGE(adapted::arrive)

namespace adapted {

inline caf::behavior runner(caf::event_based_actor*, std::string* order,
                            char name) {
  return {
    [=](arrive) { *order += name; },
  };
}

/// Two actors arrive in any order, though `expected` says that one is right.
inline void race(world& w, const std::string& expected) {
  auto& order = w.make<std::string>();
  for (auto name : {'a', 'b'}) {
    auto who = w.sim().spawn(runner, &order, name);
    w.sim().call(who, std::string{"runner "} + name);
    cafx::send_anon(who, arrive{});
  }
  w.always("nobody overtakes",
           [&order, expected] { return expected.rfind(order, 0) == 0; });
}

/// Anything goes.
inline void no_race(world& w) {
  auto& order = w.make<std::string>();
  cafx::send_anon(w.sim().spawn(runner, &order, 'a'), arrive{});
  w.eventually("it arrives", [&order] { return order == "a"; });
}

} // namespace adapted
