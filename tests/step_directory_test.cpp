// The directory's tables, locks and counts, with real shelves and decisions: at
// most one supervisor per key, and no message to one that leaves or falls asleep
// is lost; what sleeps is attended to by the code of the caretaker.
#include <boost/test/unit_test.hpp>

#include <steward/actors/attending.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/open.hpp>
#include <steward/runtime/directory.hpp>
#include <steward/tests/stepper/acting_supervisor.hpp>
#include <steward/tests/stepper/check.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace stepper;
using namespace steward;

namespace {

// -- what is no part of this --------------------------------------------------

// For who attends; supervisors of the test open and close by themselves.
class no_opener final : public any_opener {
public:
  explicit no_opener(acting_pool& pool) : pool_(pool) {
  }

  outcome open(const open_request&) noexcept override {
    must(++pool_.live.change() <= pool_.options.per_key_max, "I1");
    things_.push_back(std::make_unique<thing>(pool_.options.holders_max));
    reached("opened while asleep");
    return {things_.back().get(), {}};
  }
  bool check(void*) noexcept override {
    return true;
  }
  void close(void* resource, close_reason) noexcept override {
    static_cast<thing*>(resource)->close();
    --pool_.live.change();
    reached("closed while asleep");
  }
  void destroy(void*) noexcept override {
  }
  bool blocks() const noexcept override {
    return false;
  }
  bool checks() const noexcept override {
    return false;
  }

private:
  acting_pool& pool_;
  std::vector<std::unique_ptr<thing>> things_;
};

// What a post box does with what it gets.
std::function<void(std::size_t, const cafx::content&)> deliver;

// What stands for a supervisor in CAF: hands its messages on to the program.
class post_box final : public caf::actor_proxy {
public:
  post_box(caf::actor_config& config, std::size_t number)
    : actor_proxy(config), number_(number) {
  }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    deliver(number_, what->content());
  }

  void kill_proxy(caf::execution_unit* context, caf::error why) override {
    cleanup(std::move(why), context);
  }

private:
  std::size_t number_;
};

constexpr std::size_t hosts_max = 4;

// Made once: programs come and go by the thousand.
struct post_office {
  post_office() {
    cafx::set_threads(config, 1);
    system.emplace(config);
    for (std::size_t i = 0; i < hosts_max; ++i) {
      caf::actor_config proxy;
      boxes.push_back(caf::make_actor<post_box, caf::actor>(
        system->next_actor_id(), system->node(), &*system, proxy, i));
    }
    the = this;
  }

  ~post_office() {
    boxes.clear();
  }

  static inline post_office* the = nullptr;
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
  std::vector<caf::actor> boxes;
};

// -- the program --------------------------------------------------------------

// What can be wrong about it.
enum class wrong {
  nothing,
  leaves_with_mail,  // without a look at what is on the way
  counts_down_early, // when a message is sent, not when it is handled
  never_counts_down,
  sleeps_unasked, // without a word to the directory
  borrows_without_lock,
  drains_without_close,
};

struct cast {
  std::size_t users = 1;
  std::size_t times = 1; // that each asks
  std::size_t supervisors = 1;
  std::size_t ticks = 0;
  bool drains = false;
  bool sleeps = false;  // as soon as may be
  bool attends = false; // users try that before they ask
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

// How a user waits.
class sink final : public request_sink {
public:
  explicit sink(mailbox<std::shared_ptr<hold>>& to) : to_(to) {
  }

  ~sink() override {
    if (!answered_)
      run::current()->fail("I8: no message is lost");
  }

  void granted(hold what) noexcept override {
    answer(std::make_shared<hold>(std::move(what)));
  }

  void failed(const caf::error&) noexcept override {
    answer(std::make_shared<hold>());
  }

private:
  void answer(std::shared_ptr<hold> what) {
    must(!std::exchange(answered_, true), "I6: one answer each");
    to_.put(std::move(what));
  }

  mailbox<std::shared_ptr<hold>>& to_;
  bool answered_ = false;
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
      auto sent = d.with_supervisor("key", [&](const caf::actor& to) {
        cafx::send_anon(to, acquire_into{"", never, answer});
      });
      if (!sent) {
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

host::host(run& r, world& all) : acting_supervisor(r, all.pool), world_(all) {
}

void host::spawn(std::shared_ptr<key_entry> entry, bool waits) {
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
void host::get(const cafx::content& message) {
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

void host::live() {
  while (!gone_.get()) {
    auto m = mail.take_or_rest();
    if (waits_.get() && exists()) {
      gate_.take();
      waits_.change() = false;
      begin(entry_->place);
    }
    if (m) {
      std::visit([this](const auto& x) { on(x); }, *m);
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

void host::on(const acquire_into& m) {
  --coming_.change();
  if (world_.fault != wrong::never_counts_down
      && world_.fault != wrong::counts_down_early)
    --entry_->on_the_way;
  auto id = ++requests_;
  sinks_.emplace(id, m.sink);
  on_acquire(id, m.params);
}

void host::on(const released& m) {
  --entry_->on_the_way;
  on_released(*m.what->release(), m.healthy);
}

void host::on(const drain&) {
  --entry_->on_the_way;
  on_drain();
}

void host::on(const doze&) {
  --entry_->on_the_way;
  dozy_.change() = true;
}

void host::on(const closed& m) {
  --entry_->on_the_way;
  on_closed_elsewhere(*m.place);
}

void host::on(const tick&) {
  if (entry_ != nullptr)
    on_tick(time_ += 1h);
}

void host::on(const finished& m) {
  if (m.place->word().in() == phase::opening) {
    on_opened(*m.place);
    return;
  }
  on_closed(*m.place, false);
  if (!gone_.get())
    mail.put(tick{}); // as if nobody lingered
}

void host::tell(request_id to, slot* what) {
  auto entry = sinks_.extract(to);
  if (what != nullptr)
    entry.mapped()->granted(hold{what});
  else
    entry.mapped()->failed({});
}

void host::start_open(slot& s) {
  mail.put(finished{&s});
}

void host::start_close(slot& s, bool) {
  mail.put(finished{&s});
}

void host::passivate() {
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
void host::try_to_sleep() {
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
void host::leave() {
  must(coming_.get() == 0, "I8: no message is lost");
  if (core().draining())
    if (auto home = world_.home.lock())
      home->ended(*entry_);
  end();
  entry_.reset();
}

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(post_office);

BOOST_AUTO_TEST_SUITE(step_directory)

BOOST_AUTO_TEST_CASE(no_message_to_a_supervisor_that_leaves_is_lost) {
  check_proved(explore<world>("1 user, leave", reduced, cast{.ticks = 1}),
               {"left", "stayed for a message"});
  check_proved(explore<world>("1 user twice, leave", reduced,
                              cast{.times = 2, .supervisors = 2, .ticks = 1}),
               {"borrowed", "idle", "stayed for a message",
                "a second supervisor"});
  check_proved(explore<world>("2 users", reduced, cast{.users = 2}),
               {"borrowed", "key_full", "left"});
  check_proved(explore<world>("2 users, leave", reduced,
                              cast{.users = 2, .supervisors = 2, .ticks = 1}),
               {"borrowed", "idle", "stayed for a message",
                "a second supervisor"});
}

BOOST_AUTO_TEST_CASE(a_drain_ends_and_nobody_comes_after_it) {
  check_proved(explore<world>("1 user, drain", reduced, cast{.drains = true}),
               {"turned away", "draining", "drained", "handed over"});
  check_proved(explore<world>("1 user, leave, drain", reduced,
                              cast{.ticks = 1, .drains = true}),
               {"turned away", "draining", "drained", "idle", "left"});
  check_proved(explore<world>("1 user twice, drain", with_preemptions(1),
                              cast{.times = 2, .drains = true}),
               {"turned away", "borrowed", "draining", "drained",
                "handed over"});
}

BOOST_AUTO_TEST_CASE(no_message_to_a_supervisor_that_falls_asleep_is_lost) {
  check_proved(explore<world>("1 user, sleep", reduced,
                              cast{.supervisors = 2, .sleeps = true}),
               {"slept", "closed while asleep"});
  check_proved(
    explore<world>("1 user twice, sleep", with_preemptions(2),
                   cast{.times = 2, .supervisors = 3, .sleeps = true}),
    {"slept", "borrowed", "closed while asleep", "a second supervisor"});
  check_proved(
    explore<world>("2 users, sleep", with_preemptions(1),
                   cast{.users = 2, .supervisors = 4, .sleeps = true}),
    {"slept", "borrowed", "closed while asleep", "a second supervisor"});
}

BOOST_AUTO_TEST_CASE(who_attends_is_alone) {
  check_proved(explore<world>("1 user attends", reduced,
                              cast{.sleeps = true, .attends = true}),
               {"opened while asleep", "closed while asleep"});
  check_proved(
    explore<world>(
      "2 users attend", with_preemptions(2),
      cast{.users = 2, .supervisors = 3, .sleeps = true, .attends = true}),
    {"opened while asleep", "closed while asleep", "key_full",
     "woke while it was attended to", "borrowed"});
  check_proved(
    explore<world>(
      "1 user attends, drain", with_preemptions(1),
      cast{.supervisors = 3, .drains = true, .sleeps = true, .attends = true}),
    {"opened while asleep", "turned away", "woke while it was attended to"});
}

BOOST_AUTO_TEST_CASE(a_drain_ends_what_sleeps) {
  check_proved(
    explore<world>("1 user, sleep, drain", with_preemptions(1),
                   cast{.supervisors = 3, .drains = true, .sleeps = true}),
    {"slept", "drained while asleep", "draining"});
}

BOOST_AUTO_TEST_CASE(a_wrong_handshake_is_found) {
  auto with = [](std::string_view name, cast who, wrong what) {
    who.fault = what;
    return explore<world>(name, reduced, who);
  };
  const cast leaving{.times = 2, .supervisors = 2, .ticks = 1};
  check_broken(with("leaves with mail", leaving, wrong::leaves_with_mail),
               "I8: no message is lost");
  check_broken(with("counted down early", leaving, wrong::counts_down_early),
               "I8: no message is lost");
  check_broken(with("never counted down", leaving, wrong::never_counts_down),
               "no end after 5000 steps");
  check_broken(with("borrows without lock", leaving,
                    wrong::borrows_without_lock),
               "use of something that is gone");
  check_broken(with("sleeps unasked",
                    cast{.times = 2, .supervisors = 3, .sleeps = true},
                    wrong::sleeps_unasked),
               "all that was opened was closed");
  check_broken(with("drains without close", cast{.drains = true},
                    wrong::drains_without_close),
               "all is closed then");
}

BOOST_AUTO_TEST_SUITE_END()
