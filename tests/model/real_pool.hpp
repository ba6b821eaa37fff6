#pragma once

// A pool in a simulation, and the clients that use it in all ways there are, as
// commands tell them.

#include <steward/messages/acquire.hpp>
#include <steward/runtime/logging.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/testkit.hpp>
#include <steward/tests/model/commands.hpp>
#include <steward/tests/model/held_jobs.hpp>
#include <steward/tests/model/observation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace modelled {

using testkit::failure;

/// What is lent.
struct thing {
  std::uint64_t id = 0;
  std::string key;
  std::string with;
};

/// What an opener does and whom it tells. Those that are null are not asked.
struct opener_script {
  std::function<void(const open_request&)> opening = {};
  std::function<bool(const open_request&)> fails = {};
  std::function<void(const open_request&, bool)> opened = {}; ///< or failed
  std::function<void(const thing&, close_reason)> closing = {};
  std::function<void(std::uint64_t)> closed = {};
  std::function<bool(const thing&)> healthy = {};
  std::function<duration(const open_request&)> open_takes = {};
  std::function<duration()> close_takes = {};
};

template <bool Blocks>
class scripted_opener {
public:
  static constexpr bool blocks = Blocks;

  explicit scripted_opener(std::shared_ptr<const opener_script> script)
    : script_(std::move(script)) {
  }

  thing open(const open_request& what) {
    script_->opening(what);
    if (script_->open_takes)
      testkit::take_time(script_->open_takes(what));
    thing result{what.id, std::string{what.key}, std::string{what.params}};
    auto well = !script_->fails(what);
    if (script_->opened)
      testkit::when_time_is_over([script = script_, result, well] {
        script->opened({result.key, result.with, result.id}, well);
      });
    if (!well)
      throw std::runtime_error("as told");
    return result;
  }

  void close(thing& what, close_reason why) {
    script_->closing(what, why);
    if (script_->close_takes)
      testkit::take_time(script_->close_takes());
    if (script_->closed)
      testkit::when_time_is_over(
        [script = script_, id = what.id] { script->closed(id); });
  }

  bool check(thing& what) {
    return script_->healthy(what);
  }

private:
  std::shared_ptr<const opener_script> script_;
};

/// A lease in the hands of a client, in one of two forms.
struct held {
  unsigned request = 0;
  unsigned key = 0;
  std::uint64_t id = 0;
  bool fresh = false;
  lease<thing> by_handle = {};
  std::optional<lease_id> by_message = {};
};

/// Hears what becomes of the requests of clients. Must not throw.
class witness {
public:
  /// Requests are numbered from 1.
  virtual void on_asked(unsigned request, const command::acquire& what) = 0;
  virtual void on_granted(unsigned who, const held& what) = 0;
  virtual void on_refused(unsigned who, unsigned request, const caf::error& why)
    = 0;

  /// A client is about to give this back, or has died with it.
  virtual void on_back(unsigned who, const held& what) = 0;

  /// The answer to `evict`.
  virtual void on_evicting(const caf::expected<evicting>& what) = 0;

protected:
  ~witness() = default;
};

/// The pool and its clients.
class real_pool {
public:
  real_pool(const setup& how, const testkit::schedule::options& order,
            std::shared_ptr<const opener_script> script, witness& to)
    : witness_(to), sim_({.order = order, .start = origin}) {
    // What a drain forces is the point here and not worth a warning.
    set_log_level(log_level::error);
    auto around = testkit::simulated(sim_);
    if (how.opens_wait)
      around.make_runner = [this](std::size_t) { return jobs_; };
    // More workers than opens and closes there can be at once, and time enough
    // to end them all.
    rt_ = std::make_unique<runtime>(
      sim_.system(),
      runtime_options{.owner = "test", .workers = 16, .close_timeout = 1min},
      std::move(around));
    if (how.blocks || how.opens_wait)
      things_ = rt_->make_pool<thing>(how.pool, scripted_opener<true>{script});
    else
      things_ = rt_->make_pool<thing>(how.pool, scripted_opener<false>{script});
    front_ = things_->front();
    evictor_ = sim_.probe("evictor");
    for (unsigned i = 0; i < clients; ++i)
      if (client_ways[i] != way::thread)
        clients_[i].self = sim_.probe(name_of_client(i));
    sim_.settle();
  }

  real_pool(const real_pool&) = delete;
  real_pool& operator=(const real_pool&) = delete;

  // A run that failed may end here in the middle of anything.
  ~real_pool() {
    sim_.stop_judging();
    for (auto& c : clients_)
      c.leases.clear();
    rt_.reset();
  }

  testkit::sim& sim() noexcept {
    return sim_;
  }

  const testkit::sim& sim() const noexcept {
    return sim_;
  }

  const std::vector<held>& leases_of(unsigned who) const {
    return clients_[who].leases;
  }

  bool is_broken(std::uint64_t id) const {
    return broken_.contains(id);
  }

  bool drained() const noexcept {
    return drained_;
  }

  pool_stats stats() const {
    return things_->stats();
  }

  /// How many keys have no supervisor that is awake. @pre nobody has mail
  std::size_t asleep() const {
    auto awake = sim_.living("steward.supervisor");
    auto all = stats().keys;
    if (awake > all)
      throw failure("I8", std::to_string(awake) + " supervisors for "
                            + std::to_string(all) + " keys");
    return all - awake;
  }

  /// Opens that wait for their end.
  held_jobs& jobs() noexcept {
    return *jobs_;
  }

  // -- what clients do --------------------------------------------------------

  void acquire(const command::acquire& x) {
    auto number = ++requests_;
    witness_.on_asked(number, x);
    auto key = name_of_key(x.key);
    auto with = name_of_params(x.with);
    switch (client_ways[x.who]) {
      case way::message: return by_message(x, number, key, with);
      case way::handle: return by_handle(x, number, key, with);
      case way::thread: break;
    }
    auto got = things_->acquire(key, {with, x.within});
    if (got)
      take(x.who, {number, x.key, 0, false, std::move(*got)});
    else
      witness_.on_refused(x.who, number, got.error());
  }

  void give_back(const command::give_back& x) {
    auto& c = clients_[x.who];
    auto i = c.leases.begin() + static_cast<std::ptrdiff_t>(x.which);
    auto what = std::move(*i);
    c.leases.erase(i);
    witness_.on_back(x.who, what);
    if (x.how == health::broken)
      broken_.insert(what.id);
    if (what.by_message) {
      c.last = what.by_message;
      c.self->send(front_,
                   release{*what.by_message, x.how != health::given_up});
      return;
    }
    if (what.by_handle.revoked() != drained_)
      throw failure("I4", "resource " + std::to_string(what.id)
                            + (drained_ ? " was not revoked by a drain"
                                        : " was revoked without a drain"));
    if (x.how == health::given_up)
      what.by_handle.give_up();
    else
      what.by_handle.give_back();
  }

  void give_back_wrongly(const command::give_back_wrongly& x) {
    const auto& theirs = clients_[x.whose].leases;
    auto which = x.who == x.whose ? clients_[x.who].last
                 : theirs.empty() ? std::nullopt
                                  : theirs.back().by_message;
    if (which)
      clients_[x.who].self->send(front_, release{*which});
  }

  void die(const command::die& x) {
    auto& c = clients_[x.who];
    c.self->die();
    for (auto& lease : c.leases)
      witness_.on_back(x.who, lease);
    c.leases.clear();
    c.last.reset();
    c.self = sim_.probe(name_of_client(x.who));
  }

  void evict(const command::evict& x) {
    evictor_->act([this, &x](caf::event_based_actor* self) {
      cafx::request(self, front_, steward::evict{name_of_key(x.key)})
        .then([this](const evicting& n) { witness_.on_evicting(n); },
              [this](const caf::error& e) { witness_.on_evicting(e); });
    });
  }

  drain_report drain(duration patience) {
    drained_ = true;
    return rt_->drain(patience);
  }

private:
  struct client {
    std::optional<testkit::probe> self; // but for threads
    std::vector<held> leases;           // the oldest first
    std::optional<lease_id> last;       // given back
  };

  void by_message(const command::acquire& x, unsigned number,
                  const std::string& key, const std::string& with) {
    clients_[x.who].self->act([&](caf::event_based_actor* self) {
      cafx::request(self, front_, steward::acquire{key, with, x.within})
        .then(
          [this, x, number](const granted& y) {
            held got{number, x.key};
            got.id = static_cast<const thing*>(y.resource)->id;
            got.fresh = y.fresh;
            got.by_message = y.lease;
            if (!tickets_.insert(y.lease.ticket).second)
              sim_.report(failure{"I3", "a ticket was used twice"});
            take(x.who, std::move(got));
          },
          [this, x, number](const caf::error& e) {
            witness_.on_refused(x.who, number, e);
          });
    });
  }

  void by_handle(const command::acquire& x, unsigned number,
                 const std::string& key, const std::string& with) {
    clients_[x.who].self->act([&](caf::event_based_actor* self) {
      things_->acquire(
        self, key, {with, x.within},
        [this, x, number](lease<thing> got) {
          take(x.who, {number, x.key, 0, false, std::move(got)});
        },
        [this, x, number](const caf::error& e) {
          witness_.on_refused(x.who, number, e);
        });
    });
  }

  void take(unsigned who, held what) {
    if (what.by_handle) {
      what.id = what.by_handle->id;
      what.fresh = what.by_handle.fresh();
    }
    clients_[who].leases.push_back(std::move(what));
    witness_.on_granted(who, clients_[who].leases.back());
  }

  witness& witness_;
  testkit::sim sim_;
  std::shared_ptr<held_jobs> jobs_ = std::make_shared<held_jobs>();
  std::unique_ptr<runtime> rt_;
  std::optional<pool<thing>> things_;
  caf::actor front_;
  std::optional<testkit::probe> evictor_;
  std::array<client, clients> clients_;
  std::set<std::uint64_t> tickets_;
  std::set<std::uint64_t> broken_;
  unsigned requests_ = 0;
  bool drained_ = false;
};

} // namespace modelled
