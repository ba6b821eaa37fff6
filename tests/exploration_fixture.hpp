#pragma once

// Scenarios as a user would write them, each with its bug.

#include "sim_fixture.hpp"

#include <steward/testkit/explore.hpp>

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <set>

namespace sim_test {

/// How many are left; takes one away.
struct left_over {};
struct take_one {};

/// Sell one, if there is one.
struct sell {};

} // namespace sim_test

STEWARD_MESSAGE(sim_test::left_over)
STEWARD_MESSAGE(sim_test::take_one)
STEWARD_MESSAGE(sim_test::sell)

namespace sim_test {

/// One ticket, and who asks first how many there are may be too late when it
/// takes it.
struct box_office {
  int tickets = 1;
};

inline caf::behavior stock(caf::event_based_actor*, box_office* truth) {
  return {
    [=](left_over) { return truth->tickets; },
    [=](take_one) { --truth->tickets; },
  };
}

inline caf::behavior seller(caf::event_based_actor* self, caf::actor from) {
  return {
    [=](sell) {
      cafx::request(self, from, left_over{}).then([=](int n) {
        if (n > 0)
          cafx::send(self, from, take_one{});
      });
    },
  };
}

/// Hands on what it gets.
inline caf::behavior relay(caf::event_based_actor* self, caf::actor to) {
  return {
    [=](sell) { cafx::send(self, to, sell{}); },
  };
}

/// The second seller hears of it later: in plain order, after the first sold.
inline void box_office_with_a_race(world& w) {
  auto& truth = w.make<box_office>();
  auto& s = w.sim();
  auto tickets = s.spawn(stock, &truth);
  auto first = s.spawn(seller, tickets);
  auto second = s.spawn(seller, tickets);
  s.call(tickets, "stock");
  s.call(first, "first");
  s.call(second, "second");
  auto last = second;
  for (int i = 0; i < 4; ++i)
    last = s.spawn(relay, last);
  s.settle();
  cafx::send_anon(first, sell{});
  cafx::send_anon(last, sell{});
  w.always("no ticket is sold twice", [&] { return truth.tickets >= 0; });
}

/// What `explore` throws, as text; empty if it throws nothing.
inline std::string report_of_exploring(const explore_options& o,
                                       const scenario& what) {
  return failure_of([&] { explore(o, what); });
}

/// Sets a variable of the environment for a scope.
class set_variable {
public:
  set_variable(const char* name, const char* value) : name_(name) {
    ::setenv(name, value, 1);
  }

  ~set_variable() {
    ::unsetenv(name_);
  }

  set_variable(const set_variable&) = delete;
  set_variable& operator=(const set_variable&) = delete;

private:
  const char* name_;
};

} // namespace sim_test
