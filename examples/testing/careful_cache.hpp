#pragma once

// The cache without its race.

#include "cache.hpp"

inline caf::behavior careful_cache(caf::event_based_actor* self,
                                   caf::actor store) {
  using namespace std::chrono_literals;
  auto known = std::make_shared<std::map<std::string, int>>();
  auto remember = [=](const std::string& key, int value) {
    known->insert_or_assign(key, value);
    self->delayed_send(self, 1min, expire{key});
  };
  auto puts = std::make_shared<int>(0);
  return {
    [=](const lookup& m) -> caf::result<int> {
      if (auto i = known->find(m.key); i != known->end())
        return i->second;
      auto promise = self->make_response_promise<int>();
      // [fix]
      auto before = *puts;
      auto answer = [=](int value) mutable {
        if (*puts == before) // else it may be older than what was put
          remember(m.key, value);
        promise.deliver(value);
      };
      // [fix]
      auto fail = [=](caf::error& e) mutable { promise.deliver(e); };
      self->request(store, caf::infinite, m).then(answer, fail);
      return promise;
    },
    [=](const update& m) {
      ++*puts;
      remember(m.key, m.value);
      return self->delegate(store, m);
    },
    [=](const expire& m) { known->erase(m.key); },
  };
}
