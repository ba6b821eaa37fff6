#pragma once

// Small actors for tests of the simulation itself.

#include <boost/test/unit_test.hpp>

#include <steward/testkit/probe.hpp>
#include <steward/testkit/sim.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sim_test {

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

struct ping {
  int n = 0;
};

struct pong {
  int n = 0;
};

struct tick {};

/// Never answered.
struct lost {};

/// Makes an actor die of an exception.
struct bad {};

} // namespace sim_test

STEWARD_MESSAGE(sim_test::ping)
STEWARD_MESSAGE(sim_test::pong)
STEWARD_MESSAGE(sim_test::tick)
STEWARD_MESSAGE(sim_test::lost)
STEWARD_MESSAGE(sim_test::bad)

namespace sim_test {

/// Answers a ping with a pong of `add` more.
inline caf::behavior echo(caf::event_based_actor* self, int add) {
  return {
    [=](const ping& m) { return pong{m.n + add}; },
    [=](lost) { self->make_response_promise(); },
    [=](bad) { throw std::out_of_range{"no such thing"}; },
  };
}

/// Answers after so long.
inline caf::behavior slow_echo(caf::event_based_actor* self, duration takes) {
  auto promise = std::make_shared<caf::response_promise>();
  return {
    [=](const ping& m) {
      *promise = self->make_response_promise();
      self->delayed_send(self, takes, pong{m.n});
      return *promise;
    },
    [=](const pong& m) { promise->deliver(m); },
  };
}

/// Does something each second and writes down when, for ever.
inline caf::behavior metronome(caf::event_based_actor* self, const sim* where,
                               std::vector<duration>* seen) {
  auto start = where->now();
  cafx::send_later(self, 1s, tick{});
  return {
    [=](tick) {
      seen->push_back(where->now() - start);
      cafx::send_later(self, 1s, tick{});
    },
  };
}

/// Sends to itself without end.
inline caf::behavior restless(caf::event_based_actor* self) {
  cafx::send(self, self, tick{});
  return {
    [=](tick) { cafx::send(self, self, tick{}); },
  };
}

/// What `f` throws, as text; empty if it throws no `failure`.
template <class F>
std::string failure_of(F f) {
  try {
    f();
  } catch (const failure& x) {
    return x.what();
  }
  return {};
}

/// A folder that goes with the test.
class folder {
public:
  folder()
    : path_(std::filesystem::temp_directory_path() / "steward-test-XXXXXX") {
    auto text = path_.string();
    if (::mkdtemp(text.data()) == nullptr)
      throw std::runtime_error{"cannot make a folder"};
    path_ = text;
  }

  ~folder() {
    std::filesystem::remove_all(path_);
  }

  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  const std::filesystem::path& path() const noexcept {
    return path_;
  }

private:
  std::filesystem::path path_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace sim_test
