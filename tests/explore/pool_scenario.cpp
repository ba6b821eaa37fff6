#include "pool_scenario.hpp"

#include "memory_rule.hpp"
#include "pool_client.hpp"

#include <steward/storage/sqlite_store.hpp>

#include <utility>

namespace explored {

namespace {

// Longer than any job of an opener takes here, be it slow.
constexpr auto job_max = 10s;

truth_limits limits_of(const pool_options& o) {
  return {o.per_key_max, o.total_max, o.holders_max, o.idle_timeout,
          o.max_lifetime};
}

} // namespace

pool_scenario::options pool_scenario::draw(world& w) {
  options o;
  o.pool.name = "things";
  o.pool.per_key_max = w.swarm<std::size_t>("per_key_max", {1, 1, 2, 3});
  o.pool.total_max = w.swarm<std::size_t>("total_max", {unlimited, 1, 2, 3});
  o.pool.holders_max = w.swarm<std::size_t>("holders_max", {1, 1, 1, 2});
  o.pool.idle_timeout = w.swarm<duration>("idle_timeout", {1s, 2s, 5s});
  o.pool.linger = w.swarm<duration>("linger", {1s, 3s});
  o.pool.awake_max = w.swarm<std::size_t>("awake_max", {0, 1, 1024});
  o.pool.open_timeout = 10s;
  o.pool.when_full = w.swarm("when_full",
                             {full_policy::evict_idle, full_policy::evict_idle,
                              full_policy::reject});
  // In a long line behind slow holders a deadline may pass.
  o.pool.waiters_max = w.swarm<std::size_t>("waiters_max", {0, 0, 1, 100});
  o.load.patient_only = o.pool.waiters_max == 0;
  o.pool.max_lifetime = w.swarm<duration>("lifetime", {off, off, 2s, 4s});
  o.inline_opener = w.swarm("inline", {false, false, true});
  o.load.clients = w.swarm("clients", {2u, 3u, 4u});
  o.load.rounds = w.swarm("rounds", {2u, 3u, 5u});
  o.load.keys = w.swarm("keys", {1u, 1u, 2u, 3u});
  o.load.params = w.swarm("params", {1u, 1u, 2u});
  o.load.hold_max = w.swarm<duration>("hold", {0s, 500ms, 3s});
  o.load.think_max = w.swarm<duration>("think", {0s, 1s, 6s});
  o.load.by_message = w.swarm("by message", {false, true});
  o.load.by_thread = w.swarm("by thread", {false, true});
  o.load.evicts = w.swarm("evicts", {0.0, 0.0, 0.2});
  o.load.unhealthy = w.swarm("unhealthy", {0.0, 0.2});
  o.load.breaks = w.swarm("breaks", {0.0, 0.0, 0.2});
  o.load.twice = w.swarm("twice", {0.0, 0.0, 0.3});
  o.load.forgets = w.swarm("forgets", {0.0, 0.1});
  o.load.on_the_tick = w.swarm("on the tick", {true, false, false, true});
  return o;
}

pool_scenario::pool_scenario(world& w, options how)
  : world_(w), how_(std::move(how)), seen_(std::make_shared<ledger>()) {
  book_ = std::make_shared<truth>(
    limits_of(how_.pool), [&w](failure x) { w.sim().report(std::move(x)); },
    [&w] { return w.sim().wall(); });
  how_.script.healthy = [seen = seen_](const fake_resource& x) {
    return !seen->broken.contains(x.id);
  };
  simulated_options around;
  if (how_.recorded) {
    database_ = sqlite_store::in_memory();
    around.open_store = [this, &w](const std::string&, duration) {
      return w.faulty(std::make_unique<shared_store>(database_));
    };
  }
  rt_ = std::make_unique<runtime>(
    w.sim().system(),
    runtime_options{.records = how_.recorded ? "sqlite:simulated" : "",
                    .owner = "test",
                    .workers = 2},
    w.surroundings(around));
  how_.pool.recorded = how_.recorded;
  if (how_.inline_opener)
    things_ = rt_->make_pool<fake_resource>(
      how_.pool, fake_inline_opener{book_, how_.script});
  else
    things_ = rt_->make_pool<fake_resource>(how_.pool,
                                            fake_opener{book_, how_.script});
  start_clients();
  judge();
}

// A run that failed may end here in the middle of anything.
pool_scenario::~pool_scenario() {
  book_->allow_revoking();
}

void pool_scenario::start_clients() {
  auto context = std::make_shared<client_context>(
    client_context{&world_, *things_, book_, seen_, how_.load});
  for (unsigned i = 1; i <= how_.load.clients; ++i)
    world_.mortal(spawn_client(context, i));
}

void pool_scenario::judge() {
  world_.at_rest("I5", [this, start = world_.sim().wall()] {
    // The last tick that is over for certain.
    auto past = world_.sim().wall() - start - duration{1};
    auto ticks = past < 0s ? 0 : past / how_.pool.tick;
    return on_time() ? book_->overdue(start + ticks * how_.pool.tick)
                     : std::string{};
  });
  world_.eventually("I6", [this] {
    auto open = seen_->open_questions();
    return open == 0 ? std::string{}
                     : std::to_string(open) + " requests were never answered";
  });
  expect_memory_back(world_, book_);
  world_.eventually("nothing leaks", [this] {
    auto n = book_->open_now();
    return n == 0 ? std::string{}
                  : std::to_string(n) + " resources are still open";
  });
  world_.eventually("the pool counts right", [this] {
    auto s = things_->stats();
    if (s.keys > 0)
      return std::to_string(s.keys) + " keys are still there";
    std::uint64_t closed = 0;
    for (auto x : s.closed)
      closed += x;
    auto exact = report_.abandoned == 0; // nobody counts for who was let go
    return !exact || (s.opened == book_->opened() && closed == book_->closed())
             ? std::string{}
             : "it opened " + std::to_string(s.opened) + " and closed "
                 + std::to_string(closed) + "; really "
                 + std::to_string(book_->opened()) + " and "
                 + std::to_string(book_->closed());
  });
  world_.finally([this] {
    use_all();
    shut_down(how_.drain_patience);
    // Who was let go in an opener comes back, too. // I11
    world_.sim().run_for(job_max);
    if (auto n = book_->open_now(); n > 0)
      throw failure("I11", std::to_string(n) + " resources stay open for ever");
    world_.sim().expect_quiescent();
  });
}

// A campaign that never gets there proves little.
void pool_scenario::expect_variety() {
  world_.sometimes("a limit refuses", [this] { return seen_->full > 0; });
  world_.sometimes("who asked dies first",
                   [this] { return seen_->widowed > 0; });
  world_.sometimes("one resource has two users", [this] {
    return how_.pool.holders_max > 1 && book_->in_use() > book_->open_now();
  });
  for (auto why :
       {close_reason::idle, close_reason::evicted, close_reason::lifetime,
        close_reason::unhealthy, close_reason::requested})
    world_.sometimes("closed: " + std::string{to_string(why)},
                     [this, why] { return book_->closed(why) > 0; });
}

// As much can be open as in the beginning: no permit and no place was lost. And
// what is idle then makes room for others.
void pool_scenario::use_all() {
  if (drained_)
    return;
  auto most = std::min<std::size_t>(how_.pool.total_max, 2);
  auto use = [&](const std::string& of) {
    std::vector<lease<fake_resource>> all;
    for (std::size_t i = 0; i < most; ++i) {
      auto key = of + std::to_string(i);
      auto x = things_->acquire(key, {.deadline = 1h});
      if (!x)
        throw failure("I2", key + " of " + std::to_string(most)
                              + " cannot be opened: " + describe(x.error()));
      all.push_back(std::move(*x));
    }
  };
  use("key ");
  world_.sim().settle();
  if (how_.pool.when_full == full_policy::evict_idle)
    use("another key ");
}

// Whoever is dead when a grant comes used it too, and only the pool knows.
bool pool_scenario::on_time() const {
  return world_.time_waits() && how_.load.patient_only && how_.load.forgets == 0
         && !world_.has_fault("holder.dies");
}

void pool_scenario::shut_down(duration patience) {
  if (std::exchange(drained_, true))
    return;
  book_->allow_revoking();
  seen_->drained = true;
  report_ = rt_->drain(patience);
  // Patience has an end, and jobs that it did not cover are reported: each has
  // one resource, and closes it when it comes back.
  if (auto n = book_->open_now(); n > report_.stuck)
    throw failure(
      "I11", std::to_string(n) + " resources are open after the shutdown, and "
               + std::to_string(report_.stuck) + " jobs are under way");
  if (how_.recorded)
    judge_records();
}

// One row for each resource, and each of them closed. // I9, I10
void pool_scenario::judge_records() {
  auto rows = database_->list("", 0s);
  if (rows.size() != book_->opened())
    throw failure("I10", std::to_string(rows.size()) + " rows of "
                           + std::to_string(book_->opened()) + " resources");
  for (const auto& row : rows)
    if (row.open)
      throw failure("I10", row.name + " is open for ever");
}

void any_pool(world& w) {
  auto o = pool_scenario::draw(w);
  auto trouble = w.swarm("trouble", {0, 0, 1, 2, 3});
  if (trouble >= 1)
    w.fault("open.fails", w.swarm("open.fails", {0.0, 0.1, 0.5}));
  if (trouble >= 1)
    w.fault("holder.dies", w.swarm("holder.dies", {0.0, 0.02}));
  if (trouble >= 2) {
    w.fault("open.slow", w.swarm("open.slow", {0.0, 0.2, 0.5}));
    o.load.impatient = w.swarm("impatient", {false, true, true});
    o.load.patient_only = false;
  }
  if (trouble >= 3) {
    w.fault("tick.late", 0.1);
    w.fault("tick.twice", 0.1);
  }
  if (w.swarm("recorded", {false, false, false, true})) {
    o.recorded = true;
    w.fault("db.commit.before", w.swarm("db.commit.before", {0.0, 0.2}));
    w.fault("db.commit.after", w.swarm("db.commit.after", {0.0, 0.2}));
  }
  o.script.fails = [&w](const open_request&) { return w.fires("open.fails"); };
  w.make<pool_scenario>(w, o).expect_variety();
}

void standard_pool(world& w) {
  pool_scenario::options o;
  o.pool.name = "things";
  o.pool.per_key_max = 2;
  o.pool.idle_timeout = 2s;
  o.pool.linger = 1s;
  o.load.clients = 3;
  o.load.rounds = 4;
  o.load.keys = 2;
  o.load.hold_max = 500ms;
  o.load.think_max = 1s;
  w.make<pool_scenario>(w, o);
}

void pool_that_drains(world& w) {
  auto o = pool_scenario::draw(w);
  o.load.patient_only = false; // what drains refuses
  w.fault("open.slow", w.swarm("open.slow", {0.0, 0.3}));
  auto patience = w.swarm<duration>("patience", {0s, 100ms, 10s});
  auto& s = w.make<pool_scenario>(w, o);
  for (auto n = w.stream("drain").below(60); n > 0 && w.sim().step(); --n) {
    // Clients are at work.
  }
  s.shut_down(patience);
}

} // namespace explored
