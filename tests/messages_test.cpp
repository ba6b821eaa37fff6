// A pool as a protocol: the plain messages that its front takes.
#include "pool_fixture.hpp"

using namespace pool_test;
using testkit::ask;
using testkit::gather;

namespace {

struct fixture : world {
  std::shared_ptr<truth> book
    = std::make_shared<truth>(limits{.per_key_max = 2});
  std::shared_ptr<gate> slow = std::make_shared<gate>();
  std::unique_ptr<caf::scoped_actor> holder
    = std::make_unique<caf::scoped_actor>(*sys);
  caf::scoped_actor& self = *holder;
  pool<thing> things = make({.name = "things", .per_key_max = 2}, {book});

  // Opens nothing before `slow` is opened.
  pool<thing> slow_things() {
    return make({.name = "slow", .per_key_max = 1},
                {book, [s = slow](const open_request&) { s->wait(); }});
  }

  ~fixture() {
    slow->open();
    holder.reset(); // whatever it has comes back
    BOOST_TEST(rt->drain(5s).clean());
    BOOST_TEST(book->mistakes() == "");
    BOOST_TEST(book->live() == 0u);
  }

  template <class Answer, class Message>
  caf::expected<Answer> ask_as(caf::scoped_actor& who, Message m,
                               const caf::actor& front) {
    caf::expected<Answer> result{caf::make_error(caf::sec::request_timeout)};
    who->request(front, caf::duration{patience}, std::move(m))
      .receive([&](const Answer& x) { result = x; },
               [&](const caf::error& e) { result = e; });
    return result;
  }

  caf::expected<granted> lend(caf::scoped_actor& who, std::string key = "a",
                              std::string params = {}) {
    return ask_as<granted>(who, acquire{std::move(key), std::move(params)},
                           things.front());
  }

  void give_back(caf::scoped_actor& who, const granted& x) {
    who->send(things.front(), release{x.lease});
  }

  // Whether one more resource of "a" can be had; asked behind all that `who`
  // sent before.
  std::optional<errc> refusal(caf::scoped_actor& who) {
    auto x = lend(who);
    if (x)
      give_back(who, *x);
    return code(x);
  }
};

thing& thing_of(const granted& x) {
  return *static_cast<thing*>(x.resource);
}

} // namespace

BOOST_FIXTURE_TEST_CASE(acquire_is_answered_by_a_lease, fixture) {
  auto x = need(lend(self, "a", "p"));
  BOOST_TEST(x.lease.key == "a");
  BOOST_TEST(x.fresh);
  BOOST_TEST(thing_of(x).params == "p");
  give_back(self, x);
  auto y = need(lend(self, "a", "p"));
  BOOST_TEST(!y.fresh);
  BOOST_TEST(y.resource == x.resource);
  BOOST_TEST(!(y.lease == x.lease));
}

BOOST_FIXTURE_TEST_CASE(a_plain_send_of_acquire_is_answered_too, fixture) {
  self->send(things.front(), acquire{"a"});
  bool came = false;
  self->receive([&](const granted& x) { came = thing_of(x).key == "a"; },
                caf::after(patience) >> [] {});
  BOOST_TEST(came);
}

BOOST_FIXTURE_TEST_CASE(a_full_key_is_an_error_with_figures, fixture) {
  auto x = need(lend(self));
  auto y = need(lend(self));
  auto z = lend(self);
  BOOST_TEST(code(z) == errc::key_full);
  BOOST_TEST(rejection_of(z.error())->leased == 2u);
}

BOOST_FIXTURE_TEST_CASE(an_odd_key_is_an_error, fixture) {
  BOOST_TEST(code(lend(self, "")) == errc::invalid_key);
  BOOST_TEST(code(lend(self, std::string(257, 'k'))) == errc::invalid_key);
  BOOST_TEST(code(ask_as<evicting>(self, evict{""}, things.front()))
             == errc::invalid_key);
}

BOOST_FIXTURE_TEST_CASE(a_request_waits_as_long_as_it_says, fixture) {
  auto others = slow_things();
  auto x = in_thread([&] {
    caf::scoped_actor me{*sys};
    return ask_as<granted>(me, acquire{"a", {}, 10s}, others.front());
  });
  BOOST_REQUIRE(slow->waits_for(1));
  pass(10s);
  BOOST_TEST(code(need(std::move(x))) == errc::deadline_exceeded);
}

BOOST_FIXTURE_TEST_CASE(an_unhealthy_release_closes, fixture) {
  auto x = need(lend(self));
  self->send(things.front(), release{x.lease, false});
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(book->closed_count(close_reason::unhealthy) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_second_release_is_ignored, fixture) {
  auto x = need(lend(self));
  auto y = need(lend(self));
  give_back(self, x);
  auto z = need(lend(self)); // has what x had
  BOOST_TEST(z.resource == x.resource);
  give_back(self, x);
  BOOST_TEST(refusal(self) == errc::key_full); // z still is held
  give_back(self, z);
  BOOST_TEST(refusal(self) == std::nullopt);
}

BOOST_FIXTURE_TEST_CASE(a_release_of_an_unknown_lease_is_ignored, fixture) {
  auto x = need(lend(self));
  auto y = need(lend(self));
  self->send(things.front(), release{{"a", y.lease.ticket + 1000}});
  self->send(things.front(), release{{"a", 0}});
  self->send(things.front(), release{{"b", x.lease.ticket}});
  self->send(things.front(), release{{"", x.lease.ticket}});
  BOOST_TEST(refusal(self) == errc::key_full);
  BOOST_TEST(things.stats().keys == 1u); // nobody was made for it
}

BOOST_FIXTURE_TEST_CASE(a_release_of_another_s_lease_is_ignored, fixture) {
  caf::scoped_actor other{*sys};
  auto x = need(lend(self));
  auto y = need(lend(self));
  give_back(other, x);
  BOOST_TEST(refusal(other) == errc::key_full);
  caf::anon_send(things.front(), release{x.lease});
  BOOST_TEST(refusal(self) == errc::key_full);
  give_back(self, x);
  BOOST_TEST(refusal(self) == std::nullopt);
}

BOOST_FIXTURE_TEST_CASE(an_old_lease_is_not_taken_for_a_new_one, fixture) {
  auto old = need(lend(self));
  give_back(self, old);
  BOOST_TEST(truth::waits_until([&] { return things.try_acquire("a"); }));
  pass(300s); // idle: closed
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(truth::waits_until([&] {
    pass(60s); // nobody left of the key
    return things.stats().keys == 0;
  }));
  auto x = need(lend(self));
  auto y = need(lend(self));
  give_back(self, old);
  BOOST_TEST(refusal(self) == errc::key_full);
}

BOOST_FIXTURE_TEST_CASE(the_death_of_a_holder_gives_back, fixture) {
  auto x = need(lend(self));
  std::optional<caf::scoped_actor> other{std::in_place, *sys};
  auto y = need(lend(*other));
  BOOST_TEST(refusal(self) == errc::key_full);
  other.reset();
  BOOST_TEST(truth::waits_until([&] { return !refusal(self); }));
  BOOST_TEST(book->closed_count() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_holder_of_many_gives_all_back_when_it_dies, fixture) {
  auto deep = std::make_shared<truth>();
  auto many = make({.name = "many", .per_key_max = 50}, {deep});
  std::optional<caf::scoped_actor> other{std::in_place, *sys};
  for (int i = 0; i < 50; ++i)
    need(ask_as<granted>(*other, acquire{"a"}, many.front()));
  BOOST_TEST(!many.try_acquire("a").has_value());
  other.reset();
  std::vector<lease<thing>> all;
  BOOST_TEST(truth::waits_until([&] {
    if (auto x = many.try_acquire("a"))
      all.push_back(std::move(*x));
    return all.size() == 50u;
  }));
  BOOST_TEST(deep->opened_count() == 50u);
}

BOOST_FIXTURE_TEST_CASE(who_is_dead_before_the_grant_gets_nothing, fixture) {
  auto others = slow_things();
  {
    caf::scoped_actor other{*sys};
    other->send(others.front(), acquire{"a"});
    BOOST_REQUIRE(slow->waits_for(1));
  }
  slow->open();
  BOOST_TEST(truth::waits_until([&] { return others.try_acquire("a"); }));
  BOOST_TEST(book->opened_count() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_open_whose_request_is_gone_serves_the_next,
                        fixture) {
  auto others = slow_things();
  auto x = in_thread([&] { return others.acquire("a", {.deadline = 10s}); });
  BOOST_REQUIRE(slow->waits_for(1));
  pass(10s);
  BOOST_TEST(code(need(std::move(x))) == errc::deadline_exceeded);
  self->send(others.front(), acquire{"a"});
  // Behind it, so that it is heard before the open comes to its end.
  need(ask_as<evicting>(self, evict{"a"}, others.front()));
  slow->open();
  std::optional<errc> refused;
  std::uint64_t id = 0;
  self->receive([&](const granted& y) { id = thing_of(y).id; },
                [&](const caf::error& e) { refused = code(e); },
                caf::after(patience) >> [] {});
  BOOST_TEST(refused == std::nullopt);
  BOOST_TEST(id == 1u);
}

BOOST_FIXTURE_TEST_CASE(who_is_dead_before_it_is_heard_gets_nothing, fixture) {
  for (int i = 0; i < 20; ++i) {
    caf::scoped_actor other{*sys};
    other->send(things.front(), acquire{"a"});
  }
  // Both resources come back, whoever was granted one.
  std::vector<lease<thing>> both;
  BOOST_TEST(truth::waits_until([&] {
    if (auto x = things.acquire("a"))
      both.push_back(std::move(*x));
    return both.size() == 2;
  }));
}

BOOST_FIXTURE_TEST_CASE(nobody_is_granted_nothing, fixture) {
  for (int i = 0; i < 5; ++i)
    caf::anon_send(things.front(), acquire{"a"});
  auto x = need(lend(self));
  auto y = need(lend(self));
  BOOST_TEST(refusal(self) == errc::key_full);
}

BOOST_FIXTURE_TEST_CASE(evict_says_how_many_go, fixture) {
  auto x = need(lend(self));
  auto y = need(lend(self));
  give_back(self, y);
  auto n = need(ask_as<evicting>(self, evict{"a"}, things.front()));
  BOOST_TEST(n.resources == 2u);
  BOOST_REQUIRE(book->waits_for_closed(1));
  BOOST_TEST(!thing_of(x).closed); // I4
  give_back(self, x);
  BOOST_REQUIRE(book->waits_for_closed(2));
  BOOST_TEST(book->closed_count(close_reason::requested) == 2u);
  n = need(ask_as<evicting>(self, evict{"a"}, things.front()));
  BOOST_TEST(n.resources == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_lease_can_be_released_while_the_pool_drains,
                        fixture) {
  auto x = need(lend(self));
  auto drained = in_thread([this] { return rt->drain(patience); });
  BOOST_TEST(truth::waits_until(
    [&] { return code(things.acquire("b")) == errc::draining; }));
  give_back(self, x);
  auto report = need(std::move(drained));
  BOOST_TEST(report.clean());
  BOOST_TEST(report.revoked == 0u);
  BOOST_TEST(book->closed_count(close_reason::drained) == book->opened_count());
}

BOOST_FIXTURE_TEST_CASE(a_pool_that_drains_refuses_by_message, fixture) {
  auto front = things.front();
  auto x = need(lend(self));
  auto drained = in_thread([this] { return rt->drain(patience); });
  BOOST_TEST(truth::waits_until(
    [&] { return code(things.acquire("b")) == errc::draining; }));
  BOOST_TEST(code(ask_as<granted>(self, acquire{"b"}, front))
             == errc::draining);
  self->send(front, release{x.lease});
  BOOST_TEST(need(std::move(drained)).clean());
  BOOST_TEST(!ask_as<granted>(self, acquire{"b"}, front)); // nobody there
}

BOOST_FIXTURE_TEST_CASE(many_actors_ask_at_once_and_each_has_one_answer,
                        fixture) {
  std::vector<ask<acquire>> asks;
  for (int i = 0; i < 200; ++i)
    asks.push_back({things.front(), {"k" + std::to_string(i % 20)}});
  auto answers = gather<granted>(*sys, asks, testkit::return_exceptions);
  std::size_t got = 0;
  for (const auto& x : answers) {
    got += x ? 1u : 0u;
    BOOST_TEST((x || code(x) == errc::key_full));
  }
  BOOST_TEST(got == 40u); // two of each of twenty keys; the asker kept them
  BOOST_TEST(book->opened_count() == 40u);
}
