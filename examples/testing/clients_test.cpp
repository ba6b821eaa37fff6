// What clients saw, judged by itself, for docs/testing.md.
#define BOOST_TEST_MODULE clients
#include <steward/runtime/runtime.hpp>
#include <steward/testkit.hpp>
#include <steward/testkit/boost_test.hpp>

#include <map>
#include <memory>
#include <string>

namespace {

using namespace steward::testkit;
using namespace std::chrono_literals;

// Asks for the number of a name; answered by `given`.
struct number_of {
  std::string name;
};

struct given {
  int number;
  bool created;
};

// To the table: what is there, and what shall be there.
struct look_up {
  std::string name;
};

struct insert {
  std::string name;
  int number;
};

struct borrow {};

} // namespace

STEWARD_MESSAGE(number_of)
STEWARD_MESSAGE(given)
STEWARD_MESSAGE(look_up)
STEWARD_MESSAGE(insert)
STEWARD_MESSAGE(borrow)

namespace {

caf::behavior table(caf::event_based_actor*) {
  auto rows = std::make_shared<std::map<std::string, int>>();
  return {
    [=](const look_up& m) {
      auto i = rows->find(m.name);
      return i == rows->end() ? 0 : i->second;
    },
    [=](const insert& m) { return (*rows)[m.name] = m.number; },
  };
}

// Gives each name a number. Looks, and then inserts: what may come in between?
caf::behavior registry(caf::event_based_actor* self, caf::actor rows) {
  auto last = std::make_shared<int>(0);
  return {
    [=](const number_of& m) -> caf::result<given> {
      auto promise = self->make_response_promise();
      auto found = [=](int known) mutable {
        if (known != 0)
          return promise.deliver(given{known, false});
        auto inserted = [=](int number) mutable {
          promise.deliver(given{number, true});
        };
        self->request(rows, caf::infinite, insert{m.name, ++*last})
          .then(inserted);
      };
      self->request(rows, caf::infinite, look_up{m.name}).then(found);
      return promise;
    },
  };
}

// [client]
// Asks once, and writes down what it saw.
caf::behavior client(caf::event_based_actor* self, caf::actor names,
                     history::client sees, std::string token) {
  auto ticket = sees.invoke("get_or_create", "ann", token);
  auto answered = [=](const given& m) mutable {
    sees.complete(ticket, (m.created ? "created " : "existed ")
                            + std::to_string(m.number));
  };
  auto failed = [=](const caf::error&) mutable { sees.in_doubt(ticket); };
  self->request(names, caf::infinite, number_of{"ann"}).then(answered, failed);
  return {};
}

void two_clients(world& w) {
  auto& s = w.sim();
  auto& seen = w.make<history>([&s] { return stamp(s.steps()); });
  auto names = s.spawn(registry, s.spawn(table));
  s.spawn(client, names, seen.as("bob"), "1");
  s.spawn(client, names, seen.as("cid"), "2");
  w.eventually("one number for a name", [&seen] {
    auto found = check_get_or_create(seen.operations());
    return found.right() ? "" : found.text();
  });
}
// [client]

// [found]
BOOST_AUTO_TEST_CASE(a_name_that_gets_two_numbers_is_found) {
  try {
    explore({.name = "registry"}, two_clients);
    BOOST_ERROR("nothing was found");
  } catch (const failure& x) {
    BOOST_TEST(x.name() == "one number for a name");
    BOOST_TEST(x.detail().find("two ids") != std::string::npos, x.what());
  }
}
// [found]

// [leases]
// Borrows twice; each lease has a name of its own.
caf::behavior borrower(caf::event_based_actor* self,
                       steward::pool<fake_resource> things,
                       history::client sees, std::string name) {
  auto left = std::make_shared<int>(2);
  self->send(self, borrow{});
  return {
    [=](borrow) mutable {
      if (*left == 0)
        return;
      auto lease = name + std::to_string((*left)--);
      auto ticket = sees.invoke("acquire", "key");
      auto use = [=](steward::lease<fake_resource> x) mutable {
        sees.complete(ticket, std::to_string(x->id) + " " + lease);
        auto back = sees.invoke("release", "key", lease);
        x = {};
        sees.complete(back);
        self->send(self, borrow{});
      };
      auto refused = [=](const caf::error&) mutable { sees.fail(ticket); };
      things.acquire(self, "key", {.deadline = 1min}, use, refused);
    },
  };
}

void borrowers_share_a_pool(world& w) {
  auto& s = w.sim();
  auto& seen = w.make<history>([&s] { return stamp(s.steps()); });
  auto& rt = w.make<steward::runtime>(s.system(), steward::runtime_options{},
                                      w.surroundings());
  auto book = std::make_shared<truth>(
    truth_limits{.per_key_max = 2},
    [&w](const failure& x) { w.violated(x.name(), x.detail()); },
    [&s] { return s.now(); });
  auto things = rt.make_pool<fake_resource>(
    {.name = "things", .per_key_max = 2}, fake_opener{book, {}});
  for (auto name : {"ann", "bob", "cid"})
    s.spawn(borrower, things, seen.as(name), name);
  w.eventually("no more is lent than there is", [&seen] {
    auto found = check_leases(seen.operations(), {.per_key_max = 2});
    return found.right() ? "" : found.text();
  });
}

BOOST_AUTO_TEST_CASE(a_pool_lends_what_it_has) {
  explore_as_test({.seeds = 200}, borrowers_share_a_pool);
}
// [leases]

} // namespace
