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
  caf::scoped_actor self{*sys};
  pool<thing> things = make({.per_key_max = 2}, {book});

  // Opens nothing before `slow` is opened.
  pool<thing> slow_things() {
    return make({.name = "slow", .per_key_max = 1},
                {book, [s = slow](const open_request&) { s->wait(); }});
  }

  ~fixture() {
    slow->open();
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

  void give_back(caf::scoped_actor& who, const lease_id& id,
                 bool healthy = true) {
    who->send(things.front(), release{id, healthy});
    // One question later all before it was handled.
    ask_as<granted>(who, acquire{"", {}}, things.front());
    evict_nothing();
  }

  // Behind everything else in the mailbox of "a", and of no effect there.
  void evict_nothing() {
    static_cast<void>(need(ask_as<granted>(self, acquire{"a", "other"},
                                           things.front())));
  }
};

thing& thing_of(const granted& x) {
  return *static_cast<thing*>(x.resource);
}

} // namespace
