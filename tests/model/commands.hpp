#pragma once

// What can be done to a pool, as values that can be drawn, shown and made
// simpler.

#include <steward/core/duration_text.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/time.hpp>

#include <array>
#include <ostream>
#include <string>
#include <variant>

namespace modelled {

using namespace steward;
using namespace std::chrono_literals;

/// Clients use a pool in different ways, and all ways mean the same.
enum class way : unsigned char {
  message, ///< an actor: `acquire` to the pool's front, `granted`, `release`
  handle,  ///< an actor: `pool::acquire(self, ...)`, `lease<T>`
  thread,  ///< a plain thread: `pool::acquire(key)`, `lease<T>`
};

inline constexpr std::array client_ways = {way::message, way::handle,
                                           way::thread, way::message};

inline constexpr unsigned clients = client_ways.size();
inline constexpr unsigned keys = 3;
inline constexpr unsigned params = 3;

inline std::string name_of_client(unsigned n) {
  constexpr std::array ways = {"message", "handle", "thread"};
  return "client " + std::to_string(n) + " by "
         + ways[static_cast<std::size_t>(client_ways[n])];
}

inline std::string name_of_key(unsigned n) {
  return {static_cast<char>('a' + n)};
}

inline std::string name_of_params(unsigned n) {
  return n == 0 ? std::string{} : std::string{static_cast<char>('w' + n)};
}

/// How a resource is when it comes back.
enum class health : unsigned char {
  good,
  given_up, ///< its holder says that it is broken
  broken,   ///< the opener's `check` says so
};

namespace command {

struct acquire {
  unsigned who = 0;
  unsigned key = 0;
  unsigned with = 0;  ///< params
  duration within{0}; ///< 0: the pool's `open_timeout`
};

/// One of the leases that the client has, counted from the oldest.
struct give_back {
  unsigned who = 0;
  unsigned which = 0;
  health how = health::good;
};

/// A `release` of the last lease of `whose` that `who` has not got: another's,
/// or one's own that went back before.
struct give_back_wrongly {
  unsigned who = 0;
  unsigned whose = 0;
};

/// Another one takes its place.
struct die {
  unsigned who = 0;
};

struct evict {
  unsigned key = 0;
};

struct pass {
  duration how_long{0};
};

/// Until something is next due, and so much more (or less).
struct pass_until_due {
  duration and_then{0};
};

/// The next one that begins; several add up.
struct fail_next_open {};

/// Of those under way, counted from the oldest. Where opens wait for that.
struct end_open {
  unsigned which = 0;
  bool well = true;
};

/// Shuts the runtime down.
struct drain {
  duration patience{0};
};

/// So many messages are handled. Where commands overlap.
struct go_on {
  unsigned steps = 1;
};

/// The machine sleeps, and nobody can use anything. Where commands overlap.
struct sleep {
  duration how_long{0};
};

} // namespace command

using any_command
  = std::variant<command::acquire, command::give_back,
                 command::give_back_wrongly, command::die, command::evict,
                 command::pass, command::pass_until_due,
                 command::fail_next_open, command::end_open, command::drain,
                 command::go_on, command::sleep>;

/// Whether it leaves all keys but one as they are.
inline bool is_of_one_key(const any_command& x) {
  return !std::holds_alternative<command::die>(x)
         && !std::holds_alternative<command::pass>(x)
         && !std::holds_alternative<command::pass_until_due>(x)
         && !std::holds_alternative<command::drain>(x);
}

namespace detail {

inline std::string signed_text(duration d) {
  return d < 0s ? "-" + to_text(-d) : "+" + to_text(d);
}

struct teller {
  std::string operator()(const command::acquire& x) const {
    auto result = name_of_client(x.who) + " acquires " + name_of_key(x.key);
    if (x.with != 0)
      result += " with " + name_of_params(x.with);
    if (x.within != 0s)
      result += " within " + to_text(x.within);
    return result;
  }

  std::string operator()(const command::give_back& x) const {
    constexpr std::array how = {"", ", gives it up", ", broken"};
    return name_of_client(x.who) + " gives back its lease "
           + std::to_string(x.which) + how[static_cast<std::size_t>(x.how)];
  }

  std::string operator()(const command::give_back_wrongly& x) const {
    return name_of_client(x.who) + " gives back "
           + (x.who == x.whose ? "once more"
                               : "what " + name_of_client(x.whose) + " has");
  }

  std::string operator()(const command::die& x) const {
    return name_of_client(x.who) + " dies";
  }

  std::string operator()(const command::evict& x) const {
    return "evict " + name_of_key(x.key);
  }

  std::string operator()(const command::pass& x) const {
    return "time passes: " + to_text(x.how_long);
  }

  std::string operator()(const command::pass_until_due& x) const {
    auto result = std::string{"time passes until something is due"};
    return x.and_then == 0s ? result : result + ", " + signed_text(x.and_then);
  }

  std::string operator()(command::fail_next_open) const {
    return "the next open will fail";
  }

  std::string operator()(const command::end_open& x) const {
    return "open " + std::to_string(x.which) + " of those under way "
           + (x.well ? "succeeds" : "fails");
  }

  std::string operator()(const command::drain& x) const {
    return "drain with a patience of " + to_text(x.patience);
  }

  std::string operator()(const command::go_on& x) const {
    return std::to_string(x.steps) + (x.steps == 1 ? " step" : " steps");
  }

  std::string operator()(const command::sleep& x) const {
    return "the machine sleeps for " + to_text(x.how_long);
  }
};

} // namespace detail

inline std::string text_of(const any_command& x) {
  return std::visit(detail::teller{}, x);
}

/// In what kind of pool it happens.
struct setup {
  pool_options pool;
  bool blocks = false;     ///< opener workers run the opener
  bool opens_wait = false; ///< for `end_open`
  duration jobs_take{0};   ///< at most, where commands overlap

  setup() {
    pool.name = "things";
  }
};

/// What differs from the defaults.
inline std::string text_of(const setup& x) {
  std::string result = x.opens_wait ? "a pool whose opens wait"
                       : x.blocks   ? "a pool with opener workers"
                                    : "a pool";
  const pool_options usual;
  auto count = [&](const char* name, std::size_t now, std::size_t before) {
    if (now != before)
      result += std::string{", "} + name + " " + std::to_string(now);
  };
  auto time = [&](const char* name, duration now, duration before) {
    if (now != before)
      result += std::string{", "} + name + " "
                + (now == off ? "off" : to_text(now));
  };
  count("per_key_max", x.pool.per_key_max, usual.per_key_max);
  count("total_max", x.pool.total_max, usual.total_max);
  count("holders_max", x.pool.holders_max, usual.holders_max);
  count("awake_max", x.pool.awake_max, usual.awake_max);
  count("waiters_max", x.pool.waiters_max, usual.waiters_max);
  time("idle_timeout", x.pool.idle_timeout, usual.idle_timeout);
  time("max_lifetime", x.pool.max_lifetime, usual.max_lifetime);
  time("tick", x.pool.tick, usual.tick);
  time("linger", x.pool.linger, usual.linger);
  time("open_timeout", x.pool.open_timeout, usual.open_timeout);
  time("its jobs take up to", x.jobs_take, 0s);
  if (x.pool.when_full != usual.when_full)
    result += ", when_full " + std::string{to_string(x.pool.when_full)};
  return result;
}

} // namespace modelled
