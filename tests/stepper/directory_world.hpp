#pragma once

// The directory's tables, locks and counts, with real shelves and decisions:
// users, supervisors, caretaker and clock as threads of a program.

#include <steward/actors/attending.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/open.hpp>
#include <steward/runtime/directory.hpp>
#include <steward/tests/stepper/post_office.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stepper {

// What can be wrong about it.
enum class wrong {
  nothing,
  leaves_with_mail,  // without a look at what is on the way
  counts_down_early, // when a message is sent, not when it is handled
  never_counts_down,
  sleeps_unasked, // without a word to the directory
  borrows_without_lock,
  drains_without_close,
  calls_nobody_in, // before it does its work
};

struct cast {
  std::size_t users = 1;
  std::size_t times = 1; // that each asks
  std::size_t supervisors = 1;
  std::size_t ticks = 0;
  bool drains = false;
  bool sleeps = false;  // as soon as may be
  bool attends = false; // users try that before they ask
  bool waits = false;   // users wait for each other
  wrong fault = wrong::nothing;
};

struct tick {};
struct finished {
  slot* place;
};

using to_host
  = std::variant<acquire_into, released, drain, doze, closed, tick, finished>;

class world;

// A supervisor that does not exist yet, exists, or is gone.
class host final : public acting_supervisor {
public:
  host(run& r, world& all);

  void spawn(std::shared_ptr<key_entry> entry, bool waits);
  void get(const cafx::content& message);
  void live();

  bool exists() const {
    return exists_.get();
  }

  shelf* place() const {
    return exists() ? &entry_->place : nullptr;
  }

  mailbox<to_host> mail;

private:
  void call_in();
  void let_pass_on();
  void on(const acquire_into& m);
  void on(const released& m);
  void on(const drain&);
  void on(const doze&);
  void on(const closed& m);
  void on(const tick&);
  void on(const finished& m);

  void tell(request_id to, slot* what) override;
  void start_open(slot& s) override;
  void start_close(slot& s, bool revoked) override;
  void passivate() override;
  void try_to_sleep();
  void leave();

  world& world_;
  std::shared_ptr<key_entry> entry_;
  std::weak_ptr<key_entry> memory_; // of it, for who uses it after its end
  ghost<bool> exists_{false};       // and is not about to leave
  ghost<bool> gone_{false};
  ghost<bool> dozy_{false};
  ghost<bool> waits_{false}; // for the gate to open
  mailbox<steward::begin> gate_;
  ghost<std::size_t> coming_{0};
  time_point time_ = noon; // as it sees it
  request_id requests_ = 0;
  std::map<request_id, std::shared_ptr<request_sink>> sinks_;
};

class world {
public:
  world(run& r, const cast& who)
    : pool(options(who)), context(std::make_shared<pool_context>(
                            pool.options, std::make_shared<still_time>(),
                            std::make_shared<no_opener>(pool))),
      directory_(std::make_shared<directory>(
        context,
        [this](auto x, bool waits) { return spawn(std::move(x), waits); }, 1)),
      home(directory_) {
    deliver = [this](std::size_t i, const cafx::content& message) {
      hosts.at(i)->get(message);
    };
    context->home = directory_;
    context->alarm_box = std::make_shared<alarms>();
    fault = who.fault;
    attends = who.attends;
    for (std::size_t i = 0; i < who.users; ++i) {
      answers_.push_back(std::make_unique<mailbox<std::shared_ptr<hold>>>());
      r.thread("user " + std::to_string(i + 1),
               [this, i, times = who.times, d = directory_] {
                 for (std::size_t k = 0; k < times; ++k)
                   use(*d, i);
               });
    }
    for (std::size_t i = 0; i < who.supervisors; ++i) {
      hosts.push_back(std::make_unique<host>(r, *this));
      r.name(hosts[i]->mail, "mail " + std::to_string(i + 1));
      r.thread("supervisor " + std::to_string(i + 1),
               [this, i] { hosts[i]->live(); });
    }
    if (who.ticks > 0)
      r.thread("clock", [this, n = who.ticks] {
        for (std::size_t i = 0; i < n; ++i)
          hosts[0]->mail.put(tick{});
      });
    if (who.sleeps) {
      r.name(nights, "nights");
      r.thread("caretaker", [this] { attend(); });
    }
    if (who.drains)
      r.thread("drain", [this] { close(std::move(directory_)); });
    std::vector<member> parts(threads_max + 1, {"reader"});
    for (auto* x : {"now", "retired"})
      parts.push_back({x});
    for (int i = 0; i < 64; ++i)
      for (auto* x : {"table", "stripe"})
        parts.push_back({x});
    for (auto* x : {"size", "closed", "empty_guard", "empty", "bed_guard"})
      parts.push_back({x});
    r.name(*home.lock(), "directory", std::move(parts));
    r.at_end([this] {
      must(pool.live.get() == 0, "all that was opened was closed");
      if (auto d = home.lock())
        must(d->size() == 0, "no supervisor is left");
    });
  }

  void check_alone() const {
    for (const auto& x : hosts)
      must(!x->exists(), "I8: at most one supervisor per key");
  }

  wrong fault = wrong::nothing;
  bool attends = false;
  acting_pool pool;
  std::shared_ptr<pool_context> context;

private:
  std::shared_ptr<directory> directory_;

public:
  std::weak_ptr<directory> home;
  std::weak_ptr<key_entry> entry; // the one that was made last
  mailbox<tick> nights;           // something sleeps and is due
  std::vector<std::unique_ptr<host>> hosts;

private:
  static pool_options options(const cast& who) {
    pool_options result;
    result.name = "things";
    result.per_key_max = 1;
    result.idle_timeout = 1s;
    result.linger = 1s;
    result.open_timeout = 24h;
    if (who.sleeps)
      result.awake_max = 0;
    if (who.waits)
      result.waiters_max = who.users;
    return result;
  }

  caf::actor spawn(std::shared_ptr<key_entry> of, bool waits) {
    check_alone();
    auto number = spawned_.change()++;
    if (number > 0)
      reached("a second supervisor");
    entry = of;
    hosts.at(number)->spawn(std::move(of), waits);
    return post_office::the->boxes[number];
  }

  // As clock and caretaker do together.
  void attend() {
    auto time = noon;
    for (std::size_t rounds = 0; rounds < 8;) { // else it is awake
      auto called = nights.take_or_rest();
      rounds += called ? 0u : 1u;
      auto whom = entry.lock();
      if (whom == nullptr)
        return;
      auto next = attend_tick(whom, time += 1h);
      if (!called && next == never) // nobody comes any more
        return;
    }
  }

  void use(directory& d, std::size_t me) {
    auto h = borrow(d);
    if (h) {
      reached("borrowed");
    } else if (auto done = attends ? attend_acquire(d, "key", "")
                                   : std::nullopt) {
      h = std::move(**done);
      auto& keeper = static_cast<key_entry&>(h.place()->home().keeper());
      entry = keeper.weak_from_this();
    } else {
      auto answer = std::make_shared<sink>(*answers_[me]);
      if (d.join("key", "", never, [&] { return answer; }))
        reached("joined");
      else if (!d.with_supervisor("key", [&](const caf::actor& to) {
                 cafx::send_anon(to, acquire_into{"", never, answer});
               })) {
        answer->failed({});
        reached("turned away");
      }
      answer.reset();
      h = std::move(*answers_[me]->take());
    }
    if (!h)
      return;
    auto& what = acting_supervisor::of(*h.place());
    what.begin_use();
    let_others();
    what.end_use();
  }

  hold borrow(directory& d) {
    if (fault != wrong::borrows_without_lock)
      return d.borrow("key", "");
    auto* shelf = hosts[0]->place();
    return shelf != nullptr ? hold{shelf->borrow("", 0)} : hold{};
  }

  void close(std::shared_ptr<directory> d) {
    if (fault != wrong::drains_without_close)
      d->close();
    for (const auto& x : d->tell_all(caf::make_message(drain{}))) {
      reached("drained while asleep");
      attend_drain(x);
    }
    must(d->wait_empty(1s), "a drain comes to its end");
    must(pool.live.get() == 0, "all is closed then");
  }

  ghost<std::size_t> spawned_{0};
  std::vector<std::unique_ptr<mailbox<std::shared_ptr<hold>>>> answers_;
};

inline host::host(run& r, world& all)
  : acting_supervisor(r, all.pool), world_(all) {
}

inline void host::spawn(std::shared_ptr<key_entry> entry, bool waits) {
  auto& r = *run::current();
  r.name(entry->place, "shelf",
         {{"next"}, {"word", word_in_words}, {"last_used"}, {"id"}, {"tag"}});
  r.name(entry->on_the_way, "on_the_way");
  if (!waits)
    begin(entry->place);
  waits_.change() = waits;
  memory_ = entry;
  entry_ = std::move(entry);
  exists_.change() = true;
}

// In the thread of who sends.
inline void host::get(const cafx::content& message) {
  if (message.match_elements<acquire_into>()) {
    must(!gone_.get(), "I8: no message to one that has left");
    ++coming_.change();
    if (world_.fault == wrong::counts_down_early)
      --entry_->on_the_way;
    mail.put(message.get_as<acquire_into>(0));
  } else if (message.match_elements<released>()) {
    reached("handed over");
    mail.put(message.get_as<released>(0));
  } else if (message.match_elements<drain>()) {
    mail.put(drain{});
  } else if (message.match_elements<steward::begin>()) {
    reached("woke while it was attended to");
    gate_.put({});
  } else if (message.match_elements<doze>()) {
    mail.put(doze{});
  } else if (message.match_elements<closed>()) {
    reached("woke while it was closed");
    mail.put(message.get_as<closed>(0));
  }
}

inline void host::live() {
  while (!gone_.get()) {
    auto m = mail.take_or_rest();
    if (waits_.get() && exists()) {
      gate_.take();
      waits_.change() = false;
      begin(entry_->place);
    }
    if (m) {
      call_in();
      std::visit([this](const auto& x) { on(x); }, *m);
      if (exists())
        let_pass_on();
      if (gone_.get())
        leave();
      else if (dozy_.get())
        try_to_sleep();
    } else if (entry_ != nullptr) { // nobody comes any more
      on(tick{});
      if (gone_.get())
        leave();
    } else {
      return;
    }
  }
}

// As the actor does.
inline void host::call_in() {
  auto* line = entry_ == nullptr ? nullptr : entry_->line();
  if (line == nullptr || world_.fault == wrong::calls_nobody_in)
    return;
  for (auto& [deadline, who] : line->call_in()) {
    reached("called in");
    auto id = ++requests_;
    sinks_.emplace(id, std::move(who));
    core().take_back(id, line->params(), deadline);
  }
}

// As the actor does.
inline void host::let_pass_on() {
  auto params = core().wanted_by_all();
  if (!params)
    return;
  relay::line line;
  for (const auto& w : core().hand_out())
    line.push_back({w.deadline, sinks_.extract(w.id).mapped()});
  entry_->line_made().open({std::string{*params}, noon, threads_max},
                           std::move(line));
}

inline void host::on(const acquire_into& m) {
  --coming_.change();
  if (world_.fault != wrong::never_counts_down
      && world_.fault != wrong::counts_down_early)
    --entry_->on_the_way;
  auto id = ++requests_;
  sinks_.emplace(id, m.sink);
  on_acquire(id, m.params);
}

inline void host::on(const released& m) {
  --entry_->on_the_way;
  on_released(*m.what->release(), m.healthy);
}

inline void host::on(const drain&) {
  --entry_->on_the_way;
  on_drain();
}

inline void host::on(const doze&) {
  --entry_->on_the_way;
  dozy_.change() = true;
}

inline void host::on(const closed& m) {
  --entry_->on_the_way;
  on_closed_elsewhere(*m.place);
}

inline void host::on(const tick&) {
  if (entry_ != nullptr)
    on_tick(time_ += 1h);
}

inline void host::on(const finished& m) {
  if (m.place->word().in() == phase::opening) {
    on_opened(*m.place);
    return;
  }
  on_closed(*m.place, false);
  if (!gone_.get())
    mail.put(tick{}); // as if nobody lingered
}

inline void host::tell(request_id to, slot* what) {
  auto entry = sinks_.extract(to);
  if (what != nullptr)
    entry.mapped()->granted(hold{what});
  else
    entry.mapped()->failed({});
}

inline void host::start_open(slot& s) {
  mail.put(finished{&s});
}

inline void host::start_close(slot& s, bool) {
  mail.put(finished{&s});
}

inline void host::passivate() {
  if (gone_.get())
    return;
  exists_.change() = false;
  auto home = world_.home.lock();
  if (world_.fault == wrong::leaves_with_mail && home != nullptr)
    home->ended(*entry_); // looks at nothing
  gone_.change() = core().draining() || home == nullptr
                   || world_.fault == wrong::leaves_with_mail
                   || home->leave(*entry_);
  reached(gone_.get() ? "left" : "stayed for a message");
  if (gone_.get())
    return;
  world_.check_alone();
  exists_.change() = true;
}

// As the actor does.
inline void host::try_to_sleep() {
  if (!core().quiet())
    return;
  auto home = world_.home.lock();
  if (home == nullptr)
    return;
  exists_.change() = false; // another one may be made before `sleep` is over
  auto entry = entry_;
  auto stays = core().live() > 0;
  if (world_.fault == wrong::sleeps_unasked
      || (stays ? home->sleep(*entry) : home->leave(*entry))) {
    reached(stays ? "slept" : "left");
    gone_.change() = true;
    must(coming_.get() == 0, "I8: no message is lost");
    end();
    entry_.reset();
    world_.nights.put(tick{}); // the clock was armed before
    return;
  }
  exists_.change() = true;
}

// As the actor does.
inline void host::leave() {
  must(coming_.get() == 0, "I8: no message is lost");
  if (core().draining())
    if (auto home = world_.home.lock())
      home->ended(*entry_);
  end();
  entry_.reset();
}

} // namespace stepper
