#include <steward/actors/front.hpp>

#include <steward/actors/key_entry.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/errors.hpp>

namespace steward {

namespace {

caf::error key_error() {
  return make_error(errc::invalid_key, "a key has 1 to 256 bytes");
}

caf::error draining_error(const pool_context& pool) {
  return make_error(errc::draining,
                    "pool \"" + pool.options.name + "\" is shutting down");
}

} // namespace

caf::behavior front_actor(caf::event_based_actor* self,
                          std::shared_ptr<pool_context> pool,
                          std::shared_ptr<key_home> home) {
  cafx::drop_unknown(self);
  return {
    [=](const acquire& m) -> caf::result<granted> {
      if (!valid_key(m.key))
        return key_error();
      auto within = m.within > duration::zero() ? m.within
                                                : pool->options.open_timeout;
      acquire_lease request{m.params, later(pool->time->now(), within)};
      auto routed = home->with_supervisor(m.key, [&](const caf::actor& to) {
        cafx::delegate(self, to, request);
      });
      if (!routed)
        return draining_error(*pool);
      return caf::delegated<granted>{};
    },
    [=](const release& m) {
      // Delegated, so that the supervisor sees whose lease it should be; and
      // while the pool drains, which is when leases are waited for.
      home->with_present(m.lease.key, [&](const caf::actor& to) {
        cafx::delegate(self, to, release_lease{m.lease.ticket, m.healthy});
      });
    },
    [=](const evict& m) -> caf::result<evicting> {
      if (!valid_key(m.key))
        return key_error();
      auto routed = home->with_supervisor(m.key, [&](const caf::actor& to) {
        cafx::delegate(self, to, evict_key{});
      });
      if (!routed)
        return draining_error(*pool);
      return caf::delegated<evicting>{};
    },
    [](const holder_gone& m) { return m; }, // back to where it came from
    [=](stop_front) { self->quit(); },
  };
}

} // namespace steward
