#include <steward/actors/supervisor.hpp>

#include <steward/actors/bookkeeping.hpp>
#include <steward/actors/log.hpp>
#include <steward/core/duration_text.hpp>
#include <steward/core/one_line.hpp>
#include <steward/core/planted.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/errors.hpp>

#include <algorithm>
#include <utility>

namespace steward {

namespace {

spdlog::logger& logger() {
  static auto& result = logger_of("supervisor");
  return result;
}

} // namespace

caf::behavior supervisor_state::make_behavior(std::shared_ptr<key_entry> entry,
                                              bool waits) {
  entry_ = std::move(entry);
  pool_ = entry_->pool.get();
  if (!waits)
    return begin_now();
  self_->set_default_handler(caf::skip);
  return {[this](begin) { self_->become(begin_now()); }};
}

caf::behavior supervisor_state::begin_now() {
  core_.emplace(entry_->place, pool_->options, pool_->budget_permits,
                pool_->opened_seq, pool_->grid, now());
  cafx::drop_unknown(self_);
  self_->set_down_handler([this](caf::down_msg& x) { holder_died(x.source); });
  return {
    [this](const released& m) {
      arrived();
      take_back(std::move(*m.what), m.healthy);
    },
    [this](const acquire_into& m) {
      auto* line = entry_->line();
      auto behind = line != nullptr
                    && line->join(
                      m.params, m.deadline, [&] { return m.sink; },
                      relay::as::supervisor);
      if (behind)
        return entry_->arrived();
      arrived();
      acquire(m.params, m.deadline, m.sink);
    },
    [this](const acquire_lease& m) -> caf::result<granted> {
      arrived();
      auto who = cafx::sender(self_);
      if (!who) // nobody would ever give it back
        return make_error(errc::unknown_lease, "a lease needs a holder: send "
                                               "acquire from an actor");
      auto promise = self_->make_response_promise();
      watch(who);
      acquire(m.params, m.deadline, to_holder{promise, who});
      return promise;
    },
    [this](const opened& m) {
      arrived();
      finish_open(*m.place, m.resource ? m.resource->take() : nullptr, m.error);
      carry_out();
    },
    [this](const closed& m) {
      arrived();
      finish_close(*m.place, m.why, m.revoked);
      carry_out();
    },
    [this](const cleanup_tick& m) {
      if (!STEWARD_PLANTED(line_forgotten))
        call_in();
      // It may come twice.
      if (m.seq > last_tick_ || STEWARD_PLANTED(tick_counted_twice))
        entry_->arrived();
      last_tick_ = std::max(last_tick_, m.seq);
      on_tick(m);
    },
    [this](const release_lease& m) {
      arrived();
      release(m.ticket, m.healthy);
      carry_out();
    },
    [this](const holder_gone& m) {
      call_in();
      free_leases_of(m.who);
    },
    [this](const give_up& m) {
      arrived();
      if (!core_->give_up(m.id, out_) && !STEWARD_PLANTED(refusal_not_told))
        pool_->budget->kept(m.id);
      carry_out();
    },
    [this](permit_granted) {
      arrived();
      core_->permit_granted(now(), out_);
      carry_out();
    },
    [this](permit_denied) {
      arrived();
      core_->permit_denied(now(), out_);
      carry_out();
    },
    [this](evict_key) {
      arrived();
      evicting result{core_->evict(now(), out_)};
      carry_out();
      return result;
    },
    [this](drain) {
      arrived();
      core_->drain(now(), out_);
      carry_out();
    },
    [this](drain_by_force) {
      arrived();
      force();
    },
    [this](doze) {
      arrived();
      dozy_ = true;
      carry_out();
    },
    [this](abandon) {
      call_in();
      leave();
    },
  };
}

// -- who waits ----------------------------------------------------------------

void supervisor_state::call_in() {
  auto* line = entry_->line();
  if (line == nullptr)
    return;
  for (auto& [deadline, who] : line->call_in()) {
    auto id = ++requests_;
    replies_.emplace(id, std::move(who));
    core_->take_back(id, line->params(), deadline);
  }
}

// Where all wait for their turn only, they do without us until the next message.
void supervisor_state::let_pass_on() {
  if (holders_asking_ > 0) // whose leases are ours
    return;
  auto params = core_->wanted_by_all();
  if (!params)
    return;
  relay::terms terms{std::string{*params}, armed_, pool_->options.waiters_max};
  relay::line line;
  for (const auto& w : core_->hand_out())
    line.push_back({w.deadline, std::get<relay::sink>(*take_reply(w.id))});
  entry_->line_made().open(std::move(terms), std::move(line));
}

// -- events -------------------------------------------------------------------

void supervisor_state::acquire(const std::string& params, time_point deadline,
                               reply to) {
  auto id = ++requests_;
  holders_asking_ += std::holds_alternative<to_holder>(to) ? 1u : 0u;
  replies_.emplace(id, std::move(to));
  core_->acquire(id, params, deadline, now(), out_);
  carry_out();
}

void supervisor_state::take_back(hold what, bool healthy) {
  if (!what.revoked()) // else while it was on its way: it drops itself
    core_->released(*what.release(), healthy, now(), out_);
  carry_out();
}

void supervisor_state::release(std::uint64_t ticket, bool healthy) {
  auto i = leases_.find(ticket);
  if (STEWARD_PLANTED(stale_release) && i == leases_.end()
      && !leases_.empty()) {
    unwatch(leases_.begin()->second.who);
    leases_.erase(leases_.begin());
  }
  // Given back before, or another's: that one is using it. // I3
  if (i == leases_.end()
      || (i->second.who != cafx::sender(self_)
          && !STEWARD_PLANTED(anyone_releases)))
    return;
  auto done = std::move(i->second);
  leases_.erase(i);
  unwatch(done.who);
  if (!healthy)
    done.what.give_up();
  done.what.give_back();
}

void supervisor_state::holder_died(const caf::actor_addr& who) {
  call_in();
  watched_.erase(who);
  // What it gave back goes by way of the front and may say that something is
  // broken: it must not be overtaken.
  if (STEWARD_PLANTED(death_overtakes_release))
    free_leases_of(who);
  else
    cafx::send(self_, pool_->front, holder_gone{who});
  std::vector<request_id> pending;
  for (const auto& [id, to] : replies_)
    if (auto* x = std::get_if<to_holder>(&to); x != nullptr && x->who == who)
      pending.push_back(id);
  for (auto id : pending) {
    if (STEWARD_PLANTED(grant_to_the_dead)) {
      replies_.erase(id);
      continue;
    }
    take_reply(id);
    core_->forget(id, now(), out_);
  }
  carry_out();
}

void supervisor_state::free_leases_of(const caf::actor_addr& who) {
  for (auto i = leases_.begin();
       i != leases_.end() && !STEWARD_PLANTED(death_frees_nothing);)
    i = i->second.who == who ? leases_.erase(i) : std::next(i);
  carry_out();
}

void supervisor_state::finish_open(slot& place, void* resource,
                                   const std::string& error) {
  if (resource == nullptr) {
    book_open_failed(*entry_, place, error);
    open_error_ = error;
    if (STEWARD_PLANTED(open_failure_lost))
      return;
    core_->open_failed(place, now(), out_);
    return;
  }
  book_opened(*entry_, place);
  core_->opened(place, resource, now(), out_);
}

void supervisor_state::finish_close(slot& place, close_reason why,
                                    bool revoked) {
  book_closed(*entry_, place.id(), why);
  core_->closed(place, revoked, now(), out_);
}

void supervisor_state::on_tick(const cleanup_tick& tick) {
  armed_ = never;
  ticking_ = true;
  core_->tick(tick.now, out_);
  carry_out();
}

void supervisor_state::force() {
  auto revoked = core_->force(
    [this](slot& s) {
      return std::shared_ptr<void>{s.resource(), [entry = entry_](void* x) {
                                     entry->pool->opener->destroy(x);
                                   }};
    },
    now(), out_);
  pool_->counters.revoked(revoked);
  carry_out();
  leases_.clear();
}

// -- effects ------------------------------------------------------------------

// The clock is armed before anybody is answered and before an opener runs apart:
// who sees either may rely on the clock knowing what followed from it. Effects
// may cause effects.
void supervisor_state::carry_out() {
  for (std::size_t i = 0; i < out_.size(); ++i) {
    auto next = out_[i]; // by value: acting may add to `out_`
    std::visit([this](const auto& x) { act(x); }, next);
  }
  tell_clock();
  for (auto& x : jobs_)
    pool_->runner->run(std::move(x));
  jobs_.clear();
  for (const auto& x : out_)
    std::visit([this](const auto& y) { tell(y); }, x);
  out_.clear();
  if (gone_)
    return leave();
  let_pass_on();
  if (dozy_)
    try_to_sleep();
}

// The next message wakes another supervisor, perhaps before this one has ended:
// it must not touch the key after this.
void supervisor_state::try_to_sleep() {
  if (!core_->quiet() || !replies_.empty() || !leases_.empty()
      || !watched_.empty())
    return;
  entry_->armed_at = armed_;
  auto home = pool_->home.lock();
  if (home == nullptr)
    return;
  // There is nothing to sleep on where nothing is open.
  if (core_->live() > 0 ? home->sleep(*entry_) : home->leave(*entry_))
    self_->quit();
}

void supervisor_state::tell_clock() {
  auto time = now();
  auto next = gone_ ? never : core_->next_due(time);
  auto sooner = next < armed_;
  armed_ = std::min(armed_, next);
  if (std::exchange(ticking_, false))
    cafx::send(self_, pool_->clock, tick_done{entry_, next});
  else if (sooner)
    pool_->arm_clock(entry_, next);
}

void supervisor_state::act(const effect::open_resource& x) {
  pool_->counters.opening();
  auto* place = x.place;
  auto request = [](const key_entry& entry, const slot& s) {
    return open_request{entry.place.key(), s.params(), s.id()};
  };
  if (pool_->backlog != nullptr && *pool_->backlog >= pool_->backlog_max)
    return finish_open(*place, nullptr, "too many records wait to be written");
  if (!pool_->opener->blocks()) {
    auto outcome = pool_->opener->open(request(*entry_, *place));
    return finish_open(*place, outcome.resource, outcome.error);
  }
  jobs_.push_back(job{[entry = entry_, place, request] {
    auto& pool = *entry->pool;
    auto outcome = pool.opener->open(request(*entry, *place));
    opened result{place, nullptr, std::move(outcome.error)};
    if (outcome.resource != nullptr)
      result.resource = std::make_shared<arriving_resource>(pool.opener,
                                                            outcome.resource);
    return [entry, result] { entry->wake(caf::make_message(result)); };
  }});
}

void supervisor_state::act(const effect::close_resource& x) {
  auto close = [entry = entry_, place = x.place, why = x.why, keep = x.keep] {
    close_resource_of(*entry, *place, why, keep != nullptr);
  };
  if (!pool_->opener->blocks()) {
    close();
    return finish_close(*x.place, x.why, x.revoked);
  }
  jobs_.push_back(
    job{[close, entry = entry_, done = closed{x.place, x.why, x.revoked}] {
          close();
          return [entry, done] { entry->wake(caf::make_message(done)); };
        },
        true});
}

void supervisor_state::act(const effect::ask_permit&) {
  pool_->budget->wanted(entry_);
}

void supervisor_state::act(const effect::return_permit&) {
  pool_->budget->returned();
}

void supervisor_state::act(const effect::report_opened& x) {
  pool_->budget->opened(entry_, *x.place);
}

void supervisor_state::act(const effect::report_idle& x) {
  pool_->budget->idle_again(x.id);
}

void supervisor_state::act(const effect::report_closed& x) {
  pool_->budget->closed(x.id);
}

void supervisor_state::act(const effect::passivate&) {
  if (gone_)
    return;
  auto home = pool_->home.lock();
  gone_ = core_->draining() || home == nullptr || home->leave(*entry_);
}

void supervisor_state::leave() {
  logger().debug("supervisor_ended pool={} key={}", pool_->options.name,
                 one_line(entry_->place.key()));
  for (auto& [id, to] : replies_) { // only if abandoned
    if (STEWARD_PLANTED(drain_drops_waiters))
      break;
    fail(to, make_error(errc::draining, "the pool has shut down"));
  }
  replies_.clear();
  leases_.clear();
  if (core_->draining() || !gone_)
    if (auto home = pool_->home.lock())
      home->ended(*entry_);
  self_->quit();
}

// -- answers ------------------------------------------------------------------

void supervisor_state::tell(const effect::answer& x) {
  hold what{x.place, x.fresh};
  auto to = take_reply(x.to);
  if (STEWARD_PLANTED(grant_to_the_dead) && !to)
    what.release();
  if (!to) // forgotten: the hold gives itself back
    return;
  if (auto* sink = std::get_if<relay::sink>(&*to)) {
    (*sink)->granted(std::move(what));
  } else if (auto* holder = std::get_if<to_holder>(&*to)) {
    auto ticket = ++pool_->tickets; // never used again, whoever is made next
    granted answer{{entry_->place.key(), ticket}, what.resource(), x.fresh};
    leases_.emplace(ticket, lease{std::move(what), holder->who});
    holder->promise.deliver(std::move(answer));
  }
}

void supervisor_state::tell(const effect::reject& x) {
  pool_->counters.rejected();
  auto to = take_reply(x.to);
  if (!to)
    return;
  if (auto* holder = std::get_if<to_holder>(&*to))
    unwatch(holder->who);
  auto figures = x.figures;
  figures.open_in_pool = pool_->counters.read().open;
  fail(*to, make_error(x.why, refusal_text(x.why, figures), figures));
}

void supervisor_state::fail(reply& to, const caf::error& why) {
  if (auto* sink = std::get_if<relay::sink>(&to))
    (*sink)->failed(why);
  else if (auto* holder = std::get_if<to_holder>(&to))
    holder->promise.deliver(why);
}

std::optional<supervisor_state::reply>
supervisor_state::take_reply(request_id id) {
  auto found = replies_.extract(id);
  if (found.empty())
    return std::nullopt;
  holders_asking_ -= std::holds_alternative<to_holder>(found.mapped()) ? 1u
                                                                       : 0u;
  return std::move(found.mapped());
}

std::string supervisor_state::refusal_text(errc why, const rejection& f) const {
  auto key = whereabouts(*entry_);
  switch (why) {
    case errc::key_full:
    case errc::total_full: {
      auto text = fmt::format("{}: {} is {}", key, f.limit, f.limit_value);
      if (why == errc::total_full)
        text += fmt::format("; the pool has {} open", f.open_in_pool);
      text += fmt::format("; the key has {} open, {} leased, {} waiting",
                          f.open, f.leased, f.waiting);
      if (f.retry_after_ms)
        text
          += fmt::format("; try again in {}",
                         to_text(std::chrono::milliseconds{*f.retry_after_ms}));
      return text;
    }
    case errc::open_failed: return fmt::format("{}: {}", key, open_error_);
    case errc::open_timed_out:
      return fmt::format("{}: opening took longer than open_timeout ({})", key,
                         to_text(pool_->options.open_timeout));
    case errc::deadline_exceeded:
      return fmt::format("{}: not granted before the request's deadline; the "
                         "key has {} open, {} leased, {} waiting",
                         key, f.open, f.leased, f.waiting);
    default: return fmt::format("{}: the pool is shutting down", key);
  }
}

// -- holders in messages ------------------------------------------------------

void supervisor_state::watch(const caf::actor_addr& who) {
  if (who && watched_[who]++ == 0)
    self_->monitor(who);
}

void supervisor_state::unwatch(const caf::actor_addr& who) {
  auto i = watched_.find(who);
  if (i == watched_.end() || --i->second > 0)
    return;
  self_->demonitor(who);
  watched_.erase(i);
}

caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self,
                         std::shared_ptr<key_entry> entry, bool waits) {
  return cafx::state(self).make_behavior(std::move(entry), waits);
}

} // namespace steward
