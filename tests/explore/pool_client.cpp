#include "pool_client.hpp"

#include <steward/messages/acquire.hpp>
#include <steward/messages/errors.hpp>

#include <utility>
#include <variant>

namespace explored {

namespace {

struct next_round {};

struct give_it_back {};

} // namespace

} // namespace explored

STEWARD_MESSAGE(explored::next_round)
STEWARD_MESSAGE(explored::give_it_back)

namespace explored {

namespace {

class client_state {
public:
  using self_pointer = caf::stateful_actor<client_state>*;

  explicit client_state(self_pointer self) : self_(self) {
  }

  // Whoever dies does not use it any more, and only then it goes back.
  ~client_state() {
    if (!context_)
      return;
    if (waits_)
      ++context_->seen->widowed;
    stop_using();
  }

  static constexpr const char* name = "client";

  caf::behavior make_behavior(std::shared_ptr<client_context> context,
                              unsigned n) {
    context_ = std::move(context);
    name_ = "client " + std::to_string(n);
    random_.emplace(context_->where->stream(name_));
    cafx::drop_unknown(self_);
    return {
      [this](next_round) { ask(); },
      [this](give_it_back) { give_back(); },
    };
  }

private:
  void ask() {
    const auto& load = context_->load;
    if (rounds_++ >= load.rounds)
      return self_->quit();
    key_ = std::string(1, static_cast<char>('a' + random_->below(load.keys)));
    params_ = load.params > 1 ? std::to_string(random_->below(load.params))
                              : "";
    if (random_->chance(load.evicts))
      context_->things.evict(key_);
    auto within = load.impatient && random_->chance(0.5)
                    ? duration{random_->between(1, 20'000'000)}
                    : load.deadline;
    deadline_ = context_->where->sim().now() + within;
    ++context_->seen->asked;
    waits_ = true;
    if (load.by_message)
      ask_by_message(within);
    else
      ask_by_handle(within);
  }

  void ask_by_handle(duration within) {
    if (context_->load.by_thread) {
      if (auto free = context_->things.try_acquire(key_, params_)) {
        use(std::move(*free));
        return;
      }
    }
    context_->things.acquire(
      self_, key_, {params_, within},
      [this](lease<fake_resource> x) { use(std::move(x)); },
      [this](const caf::error& e) { refused(e); });
  }

  void ask_by_message(duration within) {
    cafx::request(self_, context_->things.front(),
                  acquire{key_, params_, within})
      .then([this](const granted& x) { use(x); },
            [this](const caf::error& e) { refused(e); });
  }

  void use(lease<fake_resource> x) {
    const auto& what = *x;
    lease_ = std::move(x);
    used(what);
  }

  void use(const granted& x) {
    ticket_ = x.lease;
    if (random_->chance(
          context_->load.twice)) // what a stranger says is ignored
      cafx::send_anon(context_->things.front(), release{ticket_});
    used(*static_cast<const fake_resource*>(x.resource));
  }

  void used(const fake_resource& what) {
    answered();
    id_ = what.id;
    if (what.key != key_ || what.params != params_)
      context_->where->violated("what was asked for",
                                name_ + " asked for " + key_ + " with \""
                                  + params_ + "\" and got " + what.key
                                  + " with \"" + what.params + "\"");
    ++context_->seen->granted;
    context_->book->use_begins(id_, name_);
    using_ = true;
    cafx::send_later(self_, random_time(context_->load.hold_max),
                     give_it_back{});
  }

  void refused(const caf::error& e) {
    answered();
    ++context_->seen->refused;
    auto why = code_of(e);
    auto& where = *context_->where;
    if (why == errc::key_full || why == errc::total_full)
      ++context_->seen->full;
    else if (why == errc::deadline_exceeded && context_->load.patient_only)
      where.violated("I7", name_ + " waited in vain: " + describe(e));
    else if (!why && !context_->seen->drained)
      where.violated("I6", name_ + " got " + describe(e));
    think();
  }

  void answered() {
    auto& where = *context_->where;
    if (!waits_)
      where.violated("I6", name_ + " was answered twice");
    waits_ = false;
    if (where.time_waits() && where.sim().now() > deadline_)
      where.violated("I6", name_ + " was answered after its deadline");
  }

  void give_back() {
    if (!using_)
      return;
    if (random_->chance(context_->load.forgets))
      return self_->quit(); // and the rest goes without saying
    auto healthy = !random_->chance(context_->load.unhealthy);
    auto breaks = random_->chance(context_->load.breaks);
    stop_using();
    if (breaks)
      context_->seen->broken.insert(id_);
    if ((breaks || !healthy) && context_->things.options().holders_max == 1)
      context_->book->gives_up(id_);
    if (lease_) {
      if (!healthy)
        lease_->give_up();
      lease_.reset();
    } else {
      for (auto n = random_->chance(context_->load.twice) ? 2 : 1; n > 0; --n)
        cafx::send(self_, context_->things.front(), release{ticket_, healthy});
    }
    think();
  }

  void stop_using() {
    if (std::exchange(using_, false))
      context_->book->use_ends(id_, name_);
  }

  void think() {
    cafx::send_later(self_, random_time(context_->load.think_max),
                     next_round{});
  }

  // What happens at a tick is due at another one, to the instant.
  duration random_time(duration most) {
    duration unit = context_->load.on_the_tick ? 1s : 1ns;
    return most < unit ? 0s : random_->between(0, most / unit) * unit;
  }

  self_pointer self_;
  std::shared_ptr<client_context> context_;
  std::string name_;
  std::optional<random_stream> random_;
  std::string key_;
  std::string params_;
  time_point deadline_;
  unsigned rounds_ = 0;
  bool waits_ = false;
  bool using_ = false;
  std::uint64_t id_ = 0;
  std::optional<lease<fake_resource>> lease_;
  lease_id ticket_;
};

caf::behavior client(caf::stateful_actor<client_state>* self,
                     std::shared_ptr<client_context> context, unsigned n) {
  return cafx::state(self).make_behavior(std::move(context), n);
}

} // namespace

caf::actor spawn_client(std::shared_ptr<client_context> context, unsigned n) {
  auto& where = context->where->sim();
  auto result = where.system().spawn(client, std::move(context), n);
  where.call(result, "client " + std::to_string(n));
  cafx::send_anon(result, next_round{});
  return result;
}

} // namespace explored
