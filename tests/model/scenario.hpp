#pragma once

// Pools, schedules and commands as RapidCheck draws them, shows them and makes
// them simpler. All shrinking is of values: what no longer makes sense after a
// command has gone goes, too.

#include <steward/testkit/random_stream.hpp>
#include <steward/testkit/schedule.hpp>
#include <steward/tests/model/pool_model.hpp>

#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <utility>
#include <variant>
#include <vector>

namespace modelled {

using testkit::random_stream;

/// Which pools and commands are drawn.
enum class kind : unsigned char {
  settled,    ///< opens take no time
  waiting,    ///< opens end by command
  overlapped, ///< a schedule is drawn, and when to go on
};

struct scenario {
  setup how;
  testkit::schedule::options order;
  std::vector<any_command> commands;
};

inline void showValue(const scenario& x, std::ostream& out) {
  out << text_of(x.how);
  if (!std::holds_alternative<testkit::fifo>(x.order.how)
      || x.order.early_timers > 0)
    out << "\nin an order that is " << testkit::to_string(x.order.how)
        << ", seed " << x.order.seed << ", early timers "
        << x.order.early_timers;
  for (const auto& c : x.commands)
    out << '\n' << text_of(c);
}

// -- drawing ------------------------------------------------------------------

namespace detail {

template <class T>
T one_of(random_stream& random, std::initializer_list<T> from) {
  return from.begin()[random.below(from.size())];
}

inline setup draw_setup(kind k, random_stream& random) {
  setup result;
  auto& o = result.pool;
  o.per_key_max = one_of<std::size_t>(random, {1, 1, 2, 3});
  o.total_max = one_of<std::size_t>(random, {unlimited, unlimited, 1, 2, 3});
  o.holders_max = one_of<std::size_t>(random, {1, 1, 1, 2, 3});
  o.tick = one_of<duration>(random, {1s, 1s, 700ms});
  o.idle_timeout = one_of<duration>(random, {o.tick, 2s, 2500ms, 4s, off});
  o.max_lifetime = one_of<duration>(random, {off, off, o.tick, 3s, 4500ms});
  o.linger = one_of<duration>(random, {o.tick, 2s, 3300ms});
  o.open_timeout = one_of<duration>(random, {20s, 1500ms});
  o.when_full = one_of(random, {full_policy::evict_idle,
                                full_policy::evict_idle, full_policy::reject});
  result.opens_wait = k == kind::waiting;
  result.blocks = k != kind::waiting && random.chance(0.5);
  if (k == kind::overlapped && result.blocks && random.chance(0.6))
    result.jobs_take = one_of<duration>(random, {500ms, 3s});
  o.awake_max = one_of<std::size_t>(random, {0, 0, 1, 1024});
  o.waiters_max = one_of<std::size_t>(random, {0, 0, 1, 2, 10});
  return result;
}

inline testkit::schedule::options draw_order(kind k, random_stream& random) {
  testkit::schedule::options result;
  result.how = one_of<testkit::policy>(
    random, {testkit::fifo{}, testkit::fair_random{}, testkit::fair_random{},
             testkit::pct{2}, testkit::pct{3}});
  result.seed = random.below(1'000'000);
  if (k == kind::overlapped)
    result.early_timers = one_of(random, {0.0, 0.0, 0.05, 0.3});
  return result;
}

// Draws one command; not each makes sense in each state.
class command_dice {
public:
  command_dice(kind k, const pool_model& now, random_stream& random)
    : kind_(k), now_(now), random_(random) {
  }

  any_command roll() {
    auto n = random_.below(100);
    if (kind_ == kind::overlapped && random_.chance(0.35))
      return command::go_on{number(8) + 1};
    if (kind_ == kind::overlapped && random_.chance(0.01))
      return command::sleep{one_of<duration>(random_, {1min, 1h})};
    if (now_.under_way() > 0 && random_.chance(0.3))
      return command::end_open{number(now_.under_way()), random_.chance(0.8)};
    if (n < 35)
      return acquire();
    if (n < 57)
      return give_back();
    if (n < 62)
      return command::give_back_wrongly{number(clients), number(clients)};
    if (n < 67)
      return command::die{number(clients)};
    if (n < 72)
      return command::evict{number(keys)};
    if (n < 76)
      return command::fail_next_open{};
    if (n < 88)
      return command::pass{one_of<duration>(
        random_, {1ns, 100ms, 700ms, 1s, 1s, 2s, 2500ms,
                  duration{random_.between(1, 5'000'000'000)}, 10s})};
    if (n < 99 || random_.chance(0.7))
      return command::pass_until_due{one_of<duration>(
        random_, {duration{-1}, duration{0}, duration{0}, duration{1}})};
    return command::drain{one_of<duration>(random_, {0s, 500ms, 3s})};
  }

private:
  unsigned number(std::size_t n) {
    return static_cast<unsigned>(random_.below(n));
  }

  // Mostly one of few keys, and no params.
  any_command acquire() {
    command::acquire result{number(clients), number(keys), 0, 0s};
    if (random_.chance(0.5))
      result.key = 0;
    if (random_.chance(0.4))
      result.with = number(params);
    if (random_.chance(0.3))
      result.within = one_of<duration>(random_, {5ms, 800ms, 1s, 3s});
    return result;
  }

  any_command give_back() {
    command::give_back result{number(clients), 0, health::good};
    for (unsigned i = 0; i < clients && now_.leases_of(result.who) == 0; ++i)
      result.who = (result.who + 1) % clients;
    if (auto n = now_.leases_of(result.who); n > 0)
      result.which = number(n);
    if (random_.chance(0.2))
      result.how = one_of(random_, {health::given_up, health::broken});
    return result;
  }

  kind kind_;
  const pool_model& now_;
  random_stream& random_;
};

/// A command for RapidCheck, which runs it against a `Subject`.
template <class Subject>
class step : public rc::state::Command<pool_model, Subject> {
public:
  explicit step(any_command what) : what_(std::move(what)) {
  }

  const any_command& what() const noexcept {
    return what_;
  }

  void checkPreconditions(const pool_model& before) const override {
    RC_PRE(before.allows(what_));
  }

  void apply(pool_model& state) const override {
    state.apply(what_);
  }

  void run(const pool_model& before, Subject& subject) const override {
    subject.run(what_, before);
  }

  void show(std::ostream& out) const override {
    out << text_of(what_);
  }

private:
  any_command what_;
};

template <class Subject>
using step_ptr = std::shared_ptr<const rc::state::Command<pool_model, Subject>>;

} // namespace detail

// -- making simpler -----------------------------------------------------------

namespace detail {

template <class T, class M>
void try_value(std::vector<T>& out, const T& from, M T::*member, M simple) {
  if (from.*member == simple)
    return;
  out.push_back(from);
  out.back().*member = simple;
}

struct simpler_commands {
  template <class T>
  std::vector<T> operator()(const T&) const {
    return {};
  }

  std::vector<command::acquire> operator()(const command::acquire& x) const {
    std::vector<command::acquire> result;
    try_value(result, x, &command::acquire::who, 0u);
    if (x.who > 1)
      try_value(result, x, &command::acquire::who, 1u);
    try_value(result, x, &command::acquire::key, 0u);
    try_value(result, x, &command::acquire::with, 0u);
    try_value(result, x, &command::acquire::within, duration{0});
    return result;
  }

  std::vector<command::give_back>
  operator()(const command::give_back& x) const {
    std::vector<command::give_back> result;
    try_value(result, x, &command::give_back::how, health::good);
    try_value(result, x, &command::give_back::which, 0u);
    try_value(result, x, &command::give_back::who, 0u);
    return result;
  }

  std::vector<command::die> operator()(const command::die& x) const {
    std::vector<command::die> result;
    try_value(result, x, &command::die::who, 0u);
    return result;
  }

  std::vector<command::evict> operator()(const command::evict& x) const {
    std::vector<command::evict> result;
    try_value(result, x, &command::evict::key, 0u);
    return result;
  }

  // Round numbers are simpler than short times.
  std::vector<command::pass> operator()(const command::pass& x) const {
    std::vector<command::pass> result;
    for (duration d : {1s, 2s, 5s})
      if (x.how_long % 1s != 0s || d < x.how_long)
        result.push_back({d});
    if (x.how_long > 1ms && x.how_long % 1ms != 0s)
      result.push_back({x.how_long / 1ms * 1ms});
    return result;
  }

  std::vector<any_command> operator()(const command::pass_until_due& x) const {
    std::vector<any_command> result{command::pass{1s}};
    if (x.and_then != 0s)
      result.push_back(command::pass_until_due{});
    return result;
  }

  std::vector<command::drain> operator()(const command::drain& x) const {
    std::vector<command::drain> result;
    try_value(result, x, &command::drain::patience, duration{0});
    return result;
  }

  std::vector<command::go_on> operator()(const command::go_on& x) const {
    std::vector<command::go_on> result;
    if (x.steps > 1)
      result = {{1}, {x.steps / 2}, {x.steps - 1}};
    return result;
  }
};

inline std::vector<any_command> simpler(const any_command& x) {
  return std::visit(
    [](const auto& y) {
      std::vector<any_command> result;
      for (auto& z : simpler_commands{}(y))
        result.emplace_back(z);
      return result;
    },
    x);
}

inline std::vector<setup> simpler(const setup& x) {
  std::vector<setup> result;
  auto attempt = [&](auto member, auto simple) {
    if (x.pool.*member == simple)
      return;
    result.push_back(x);
    result.back().pool.*member = simple;
  };
  const pool_options usual;
  attempt(&pool_options::total_max, usual.total_max);
  attempt(&pool_options::holders_max, usual.holders_max);
  attempt(&pool_options::awake_max, usual.awake_max);
  attempt(&pool_options::waiters_max, usual.waiters_max);
  attempt(&pool_options::max_lifetime, usual.max_lifetime);
  attempt(&pool_options::when_full, usual.when_full);
  attempt(&pool_options::per_key_max, usual.per_key_max);
  attempt(&pool_options::tick, usual.tick);
  attempt(&pool_options::idle_timeout, usual.idle_timeout);
  attempt(&pool_options::linger, usual.linger);
  attempt(&pool_options::open_timeout, usual.open_timeout);
  if (x.jobs_take > 0s) {
    result.push_back(x);
    result.back().jobs_take = 0s;
  } else if (x.blocks) {
    result.push_back(x);
    result.back().blocks = false;
  }
  std::erase_if(result, [](const auto& y) { return !check(y.pool).empty(); });
  return result;
}

inline std::vector<testkit::schedule::options>
simpler(const testkit::schedule::options& x) {
  std::vector<testkit::schedule::options> result;
  auto is_fifo = std::holds_alternative<testkit::fifo>(x.how);
  if (!is_fifo || x.early_timers > 0)
    result.push_back({});
  if (x.early_timers > 0) {
    result.push_back(x);
    result.back().early_timers = 0;
  }
  if (!is_fifo)
    for (std::uint64_t seed = 0; seed < std::min<std::uint64_t>(x.seed, 10);
         ++seed) {
      result.push_back(x);
      result.back().seed = seed;
    }
  return result;
}

} // namespace detail

/// The same without the commands that make no sense.
inline scenario sensible(scenario x, const rules& by) {
  pool_model state{x.how, by};
  std::erase_if(x.commands, [&](const auto& c) {
    if (!state.allows(c))
      return true;
    state.apply(c);
    return false;
  });
  return x;
}

/// What is simpler and may do as well, the simplest first.
inline rc::Seq<scenario> simpler(const scenario& x, const rules& by) {
  namespace seq = rc::seq;
  auto shorter
    = seq::map(seq::subranges(0, x.commands.size()),
               [x, &by](const std::pair<std::size_t, std::size_t>& r) {
                 auto y = x;
                 auto at = y.commands.begin();
                 y.commands.erase(at + static_cast<std::ptrdiff_t>(r.first),
                                  at + static_cast<std::ptrdiff_t>(r.second));
                 return sensible(std::move(y), by);
               });
  auto plainer = seq::map(seq::fromContainer(detail::simpler(x.how)),
                          [x, &by](const setup& how) {
                            auto y = x;
                            y.how = how;
                            return sensible(std::move(y), by);
                          });
  auto fairer = seq::map(seq::fromContainer(detail::simpler(x.order)),
                         [x](const testkit::schedule::options& order) {
                           auto y = x;
                           y.order = order;
                           return y;
                         });
  auto easier = seq::mapcat(
    seq::range<std::size_t>(0, x.commands.size()), [x, &by](std::size_t i) {
      return seq::map(seq::fromContainer(detail::simpler(x.commands[i])),
                      [x, i, &by](const any_command& c) {
                        auto y = x;
                        y.commands[i] = c;
                        return sensible(std::move(y), by);
                      });
    });
  // Nothing at all is no example.
  return seq::filter(seq::concat(std::move(shorter), std::move(plainer),
                                 std::move(fairer), std::move(easier)),
                     [](const scenario& y) { return !y.commands.empty(); });
}

/// Scenarios for a `Subject`, of up to as many commands as the size says.
template <class Subject>
rc::Gen<scenario> scenarios(kind k, const rules& by = as_documented) {
  auto draw = [k, &by](const rc::Random& from, int size) {
    auto r = from;
    random_stream random{rc::Random{r.split()}.next()};
    scenario x{
      detail::draw_setup(k, random), detail::draw_order(k, random), {}};
    auto next
      = [k](const pool_model& now) -> rc::Gen<detail::step_ptr<Subject>> {
      return [k, now](const rc::Random& mine, int) {
        random_stream dice{rc::Random{mine}.next()};
        detail::step_ptr<Subject> result
          = std::make_shared<detail::step<Subject>>(
            detail::command_dice{k, now, dice}.roll());
        return rc::shrinkable::just(std::move(result));
      };
    };
    auto steps = rc::state::gen::commands(pool_model{x.how, by}, next)(r, size);
    for (const auto& s : steps.value())
      x.commands.push_back(
        static_cast<const detail::step<Subject>&>(*s).what());
    return rc::shrinkable::shrinkRecur(std::move(x), [&by](const scenario& y) {
      return simpler(y, by);
    });
  };
  return draw;
}

/// Runs the commands against the subject, one after the other.
template <class Subject>
void run_all(const scenario& x, Subject& subject,
             const rules& by = as_documented) {
  std::vector<detail::step_ptr<Subject>> steps;
  for (const auto& c : x.commands)
    steps.push_back(std::make_shared<detail::step<Subject>>(c));
  rc::state::runAll(steps, pool_model{x.how, by}, subject);
}

} // namespace modelled
