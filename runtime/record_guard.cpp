#include <steward/runtime/record_guard.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/one_line.hpp>
#include <steward/runtime/timepieces.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr duration lease_min = 1s;
constexpr duration lease_max = 24h;

// Longest wait for another's lock in one go: a heartbeat must not wait for it.
constexpr duration lock_wait = 1s;

constexpr const char* guard_ended = "the guard of the records has ended";

guard_options checked(guard_options options) {
  if (options.lease < lease_min || options.lease > lease_max)
    throw std::invalid_argument{"lease of a record guard; allowed: 1s to 1d"};
  if (options.owner.empty())
    throw std::invalid_argument{"owner of a record guard; allowed: a name"};
  return options;
}

void require_written(const record_answer& x, const std::string& name) {
  if (x.verdict == record_verdict::unavailable)
    throw records_unwritable{"no record of '" + name + "': " + x.cause};
}

} // namespace

record_guard::record_guard(caf::actor_system& sys, guard_options options,
                           const surroundings& around)
  : options_(checked(std::move(options))), time_(around.time), shared_(false) {
  start(around); // which may fail, as long as nothing runs
  records_options how;
  how.url = options_.url;
  how.owner = options_.owner;
  records_ = open_records(sys, how, around);
  heart_ = std::thread{[this] { beat_until_end(); }};
}

record_guard::record_guard(std::shared_ptr<records> shared,
                           guard_options options, const surroundings& around)
  : options_(checked(std::move(options))), time_(around.time),
    records_(std::move(shared)), shared_(true) {
  start(around);
  heart_ = std::thread{[this] { beat_until_end(); }};
}

record_guard::~record_guard() {
  end();
}

// -- verbs --------------------------------------------------------------------

void record_guard::end() {
  {
    std::lock_guard lock{guard_};
    if (std::exchange(ending_, true))
      return;
  }
  end_.notify_all();
  heart_.join();
  std::shared_ptr<records> last;
  {
    std::lock_guard lock{sharing_};
    last = std::move(records_);
  }
  if (!shared_)
    last->stop({options_.patience});
  std::lock_guard lock{guard_};
  try {
    for (auto id : joined_)
      store_->leave(id, lock_wait);
  } catch (const std::exception&) {
    // The lease ends by itself.
  }
}

reclaim_report
record_guard::reclaim(const std::string& pool,
                      const std::function<void(const record&)>& take_back) {
  return reclaim_of_all(others(), pool, take_back);
}

reclaim_report record_guard::reclaim_left(
  const reclaim_report& before, const std::string& pool,
  const std::function<void(const record&)>& take_back) {
  auto known = others();
  std::erase_if(known, [&](const node& x) {
    return std::none_of(before.left.begin(), before.left.end(),
                        [&](auto& left) { return left.incarnation == x.id; });
  });
  return reclaim_of_all(known, pool, take_back);
}

// All but ourselves, those included that are not known any more.
std::vector<node> record_guard::others() {
  std::lock_guard lock{guard_};
  auto known = store_->nodes(options_.patience);
  // Their leases are over, as nobody forgets a node before that.
  for (auto id : store_->strays(options_.patience))
    known.push_back({id, {}, {}, true});
  std::erase_if(known, [this](const node& x) {
    return std::find(joined_.begin(), joined_.end(), x.id) != joined_.end();
  });
  return known;
}

reclaim_report record_guard::reclaim_of_all(
  const std::vector<node>& known, const std::string& pool,
  const std::function<void(const record&)>& take_back) {
  reclaim_report report;
  std::vector<node> undecided;
  for (auto& x : known) {
    auto process = options_.look(x.process);
    if (may_adopt_from(x, id_, process))
      reclaim_of(x, process == liveness::dead, pool, take_back, report);
    else if (process == liveness::unknown)
      undecided.push_back(x);
  }
  if (!undecided.empty())
    name_what_is_left(undecided, pool, report);
  return report;
}

void record_guard::name_what_is_left(const std::vector<node>& by,
                                     const std::string& pool,
                                     reclaim_report& report) {
  std::map<std::int64_t, std::size_t> open;
  record_page page;
  do {
    std::lock_guard lock{guard_};
    page = store_->read_page({.pool = pool, .open = true, .after = page.last},
                             options_.patience);
    for (auto& row : page.rows)
      ++open[row.incarnation];
  } while (page.more);
  for (auto& x : by)
    if (auto count = open[x.id]; count > 0)
      report.left.push_back({x.id, x.owner, count});
}

void record_guard::at_each_beat(std::function<bool()> fun) {
  std::lock_guard lock{guard_};
  at_beat_.push_back(std::move(fun));
}

void record_guard::reclaim_of(
  const node& dead, bool surely_dead, const std::string& pool,
  const std::function<void(const record&)>& take_back, reclaim_report& report) {
  adoption what{.from = dead.id, .pool = pool, .surely_dead = surely_dead};
  for (;;) {
    record_page page;
    {
      std::lock_guard lock{guard_};
      if (ending_)
        throw records_unwritable{guard_ended};
      if (!lease_is_good())
        renew(options_.patience);
      what.to = id_;
      page = store_->adopt(what, options_.patience);
    }
    for (auto& x : page.unreadable)
      report.failed.push_back(std::move(x));
    for (auto& row : page.rows) {
      try {
        take_back(row);
        require_written(require_records()->close(row.name,
                                                 close_reason::orphaned,
                                                 {options_.patience}),
                        row.name);
        ++report.reclaimed;
      } catch (const std::exception& x) {
        report.failed.push_back("'" + row.name + "': " + x.what());
      }
    }
    if (!page.more)
      return;
  }
}

record record_guard::open(record_request wanted) {
  auto incarnation = id_.load();
  wanted.incarnation = incarnation;
  wanted.strict = true;
  auto all = require_records();
  if (!wanted.token)
    wanted.token = all->new_token();
  auto name = wanted.name;
  auto answer = all->get_or_create(wanted, {options_.patience});
  // Nobody will open it, so it must not stand there as open. That many notes do
  // not pile up: a request that finds too much waiting is surely not written.
  if (answer.may_exist)
    all->note_undone(std::move(wanted), time_->now());
  require_written(answer, name);
  if (answer.verdict != record_verdict::created || !answer.row.open)
    throw records_unwritable{"the name '" + name + "' is taken"};
  // Only now: a node is never forgotten while an open record carries it, but it
  // may have been before this one did.
  if (!answers_as(incarnation)) {
    close(name, close_reason::unhealthy);
    throw records_unwritable{"the lease was lost while '" + name
                             + "' was written"};
  }
  return std::move(answer.row);
}

void record_guard::set_journal(record& of, std::string journal) {
  record_change change{.name = of.name, .version = of.version};
  change.journal = std::move(journal);
  auto answer = require_records()->update(std::move(change),
                                          {options_.patience});
  require_written(answer, of.name);
  if (answer.verdict == record_verdict::conflict)
    throw records_unwritable{"somebody else changed '" + of.name + "'"};
  of = std::move(answer.row);
}

void record_guard::close(const std::string& name, close_reason why) {
  auto all = shared_records();
  auto answer = all ? all->close(name, why, {options_.patience})
                    : unavailable(record_trouble::closing, guard_ended);
  if (answer.trouble == record_trouble::unknown_name)
    require_written(answer, name);
  if (answer.verdict != record_verdict::unavailable)
    return;
  logger_of("runtime").warn("close_not_durable record={} cause=\"{}\"",
                            one_line(name), one_line(answer.cause));
  // Records that end take no notes; then it is reclaimed at the next start.
  if (answer.trouble != record_trouble::closing)
    all->note_closed(name, why, time_->now());
}

// -- private ------------------------------------------------------------------

// Kept for a call, whose waits have a limit, and no longer: who is stuck in an
// opener must not keep the actors behind them.
std::shared_ptr<records> record_guard::shared_records() const {
  std::lock_guard lock{sharing_};
  return records_;
}

std::shared_ptr<records> record_guard::require_records() const {
  auto all = shared_records();
  if (!all)
    throw records_unwritable{guard_ended};
  return all;
}

void record_guard::start(const surroundings& around) {
  store_ = around.open_store(options_.url, options_.patience);
  join(options_.patience);
}

// From here on the caller has the lock.
void record_guard::join(duration wait_max) {
  auto before = since_boot();
  joined_.push_back(store_->join({0, options_.owner, this_process(), false},
                                 options_.lease, wait_max));
  id_ = joined_.back();
  good_until_ = before + options_.lease;
}

// An incarnation whose lease was over may be forgotten by all: who carries it
// would never be reclaimed. So there has to be a new one.
void record_guard::renew(duration wait_max) {
  auto before = since_boot();
  if (store_->beat(id_, options_.lease, wait_max)) {
    good_until_ = before + options_.lease;
    return;
  }
  lost_ = true;
  good_until_ = duration::zero();
  join(wait_max);
}

bool record_guard::lease_is_good() const noexcept {
  return since_boot() < good_until_.load();
}

// Without the lock: whether this incarnation is known to all who reclaim. Asks
// the database only if the lease may be over by our own clock.
bool record_guard::answers_as(std::int64_t incarnation) {
  if (lease_is_good())
    return id_ == incarnation;
  std::lock_guard lock{guard_};
  try {
    if (id_ == incarnation)
      renew(options_.patience);
  } catch (const store_failure&) {
    return false;
  }
  return id_ == incarnation;
}

void record_guard::beat_until_end() {
  std::unique_lock lock{guard_};
  for (;;) {
    if (end_.wait_for(lock, options_.lease / 3, [this] { return ending_; }))
      return;
    try {
      renew(lock_wait);
    } catch (const std::exception&) {
      // The next one may get through; the database knows whether in time.
    }
    tell_of_beat(lock);
  }
}

void record_guard::tell_of_beat(std::unique_lock<std::mutex>& lock) {
  auto all = std::exchange(at_beat_, {});
  lock.unlock();
  std::erase_if(all, [](auto& fun) { return !fun(); });
  lock.lock();
  std::move(all.begin(), all.end(), std::back_inserter(at_beat_));
}

} // namespace steward
