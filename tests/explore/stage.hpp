#pragma once

#include <steward/messages/acquire.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/testkit.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace explored {

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

/// A pool of one story, and its truth.
struct stage {
  stage(world& w, const pool_options& o, opener_script script = {})
    : stage(
      w, o, [](fake_opener x) { return x; }, std::move(script)) {
  }

  /// With an opener that `over` makes of one that tells the truth.
  template <class F>
  stage(world& w, const pool_options& o, F over, opener_script script = {})
    : book(std::make_shared<truth>(
      truth_limits{o.per_key_max, o.total_max, o.holders_max, o.idle_timeout,
                   o.max_lifetime},
      [&w](failure x) { w.sim().report(std::move(x)); },
      [&w] { return w.sim().wall(); })), // which never goes back
      rt(w.sim().system(), {.owner = "test", .workers = 4}, w.surroundings()) {
    things.emplace(rt.make_pool<fake_resource>(
      o, over(fake_opener{book, std::move(script)})));
  }

  ~stage() {
    book->allow_revoking();
  }

  /// Patiently, but no longer than a story takes: the clock looks on until a
  /// deadline is over, be the request answered or not.
  question<granted> ask(probe& who, const std::string& key) {
    return who.request<granted>(things->front(), acquire{key, {}, 2min});
  }

  void give_back(probe& who, const granted& x) {
    who.send(things->front(), release{x.lease});
  }

  std::shared_ptr<truth> book;
  runtime rt;
  std::optional<pool<fake_resource>> things;
};

} // namespace explored
