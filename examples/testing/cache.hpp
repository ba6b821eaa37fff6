#pragma once

// An actor as you may have one, with the messages that it knows. It has nothing
// to do with steward.

#include <steward/messages/caf.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

// [messages]
struct lookup { // answered by an int
  std::string key;
};

struct update { // answered by updated
  std::string key;
  int value = 0;
};

struct updated {};

struct expire {
  std::string key;
};

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(lookup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(update)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(updated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(expire)
// [messages]

// [cache]
/// Answers from memory what it knows, for a minute; else it asks `store`.
inline caf::behavior cache(caf::event_based_actor* self, caf::actor store) {
  using namespace std::chrono_literals;
  auto known = std::make_shared<std::map<std::string, int>>();
  auto remember = [=](const std::string& key, int value) {
    known->insert_or_assign(key, value);
    self->delayed_send(self, 1min, expire{key});
  };
  return {
    [=](const lookup& m) -> caf::result<int> {
      if (auto i = known->find(m.key); i != known->end())
        return i->second;
      auto promise = self->make_response_promise<int>();
      auto answer = [=](int value) mutable {
        remember(m.key, value);
        promise.deliver(value);
      };
      auto fail = [=](caf::error& e) mutable { promise.deliver(e); };
      self->request(store, caf::infinite, m).then(answer, fail);
      return promise;
    },
    [=](const update& m) {
      remember(m.key, m.value);
      return self->delegate(store, m);
    },
    [=](const expire& m) { known->erase(m.key); },
  };
}
// [cache]
