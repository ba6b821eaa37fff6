// Who waits for a key where nothing is to be decided but whose turn it is.
#include "core_fixtures.hpp"

#include <steward/actors/relay.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace core_test;

namespace {

struct fixture {
  // Notes its name when it is its turn, and keeps what it gets, or not.
  class runner final : public request_sink {
  public:
    runner(fixture& all, std::string name, bool dead = false)
      : all_(all), name_(std::move(name)), dead_(dead) {
    }

    void granted(hold what) noexcept override {
      all_.told += name_;
      if (!dead_)
        static_cast<void>(what.release());
      else if (what.release() != nullptr)
        all_.told += all_.line.pass_on(all_.place) ? "+" : "-";
    }

    void failed(const caf::error&) noexcept override {
      all_.told += "!" + name_;
    }

  private:
    fixture& all_;
    std::string name_;
    bool dead_;
  };

  relay::sink somebody(std::string name, bool dead = false) {
    return std::make_shared<runner>(*this, std::move(name), dead);
  }

  void open(relay::line who, std::size_t waiters_max = 10) {
    line.open({"p", start + 10s, waiters_max}, std::move(who));
  }

  bool join(const std::string& name, time_point deadline = start + 10s,
            relay::as who = relay::as::user) {
    return line.join(
      "p", deadline, [&] { return somebody(name); }, who);
  }

  atomic<std::uint32_t> on_the_way{0};
  relay line{on_the_way};
  slot place;
  std::string told;
};

} // namespace

BOOST_AUTO_TEST_SUITE(relay_)

BOOST_FIXTURE_TEST_CASE(a_closed_one_lets_nobody_in_and_passes_nothing_on,
                        fixture) {
  BOOST_TEST(!join("a"));
  BOOST_TEST(!line.pass_on(place));
  BOOST_TEST(line.call_in().empty());
}

BOOST_FIXTURE_TEST_CASE(it_is_passed_on_in_the_order_of_arrival, fixture) {
  relay::line first;
  first.push_back({start + 10s, somebody("a")});
  first.push_back({start + 20s, somebody("b")});
  open(std::move(first));
  BOOST_TEST(join("c"));
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(line.pass_on(place));
  BOOST_TEST(told == "abc");
  BOOST_TEST(!line.pass_on(place)); // nobody: the supervisor gets it
  BOOST_TEST(told == "abc");
}

BOOST_FIXTURE_TEST_CASE(who_is_called_in_is_nobody_elses, fixture) {
  open({{start + 10s, somebody("a")}});
  BOOST_TEST(join("b", start + 30s));
  BOOST_TEST(line.params() == "p");
  auto back = line.call_in();
  BOOST_REQUIRE(back.size() == 2u);
  BOOST_TEST((back[0].deadline == start + 10s));
  BOOST_TEST((back[1].deadline == start + 30s));
  BOOST_TEST(!line.pass_on(place));
  BOOST_TEST(!join("c"));
  back[1].who->failed({});
  BOOST_TEST(told == "!b");
}

BOOST_FIXTURE_TEST_CASE(what_is_to_be_decided_is_left_to_the_supervisor,
                        fixture) {
  open({{start + 10s, somebody("a")}}, 2);
  auto no = [] { return relay::sink{}; };
  BOOST_TEST(!line.join("q", start + 10s, no));
  BOOST_TEST(!line.join("p", start + 9s, no)); // the clock knows nothing of it
  on_the_way = 1;
  BOOST_TEST(!line.join("p", start + 10s, no)); // another one came before
  BOOST_TEST(join("b", start + 10s, relay::as::supervisor)); // it is this one
  on_the_way = 0;
  BOOST_TEST(!line.join("p", start + 10s, no)); // full
}

BOOST_FIXTURE_TEST_CASE(what_the_supervisor_was_told_before_comes_first,
                        fixture) {
  open({{start + 10s, somebody("a")}});
  on_the_way = 1; // an eviction, perhaps
  BOOST_TEST(!line.pass_on(place));
  on_the_way = 0;
  BOOST_TEST(line.pass_on(place));
}

// Else a line of the dead would be a recursion as deep as it is long.
BOOST_FIXTURE_TEST_CASE(what_nobody_takes_is_not_passed_on_at_once, fixture) {
  open({{start + 10s, somebody("a", true)}, {start + 10s, somebody("b")}});
  BOOST_TEST(line.pass_on(place));
  BOOST_TEST(told == "a-");
  BOOST_TEST(line.pass_on(place));
  BOOST_TEST(told == "a-b");
}

BOOST_AUTO_TEST_SUITE_END()
