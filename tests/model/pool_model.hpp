#pragma once

// What a pool is, said once more and as simply as can be: a list of resources,
// a list of who waits, and a list of keys. No slots, no messages, no threads;
// closing takes no time, and every tick happens. It shares no code with core/
// but the names of options, errors and reasons.

#include <steward/core/refusal.hpp>
#include <steward/tests/model/commands.hpp>
#include <steward/tests/model/observation.hpp>
#include <steward/tests/model/rules.hpp>
#include <steward/tests/model/stock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace modelled {

class pool_model {
public:
  explicit pool_model(setup how, const rules& by = as_documented)
    : how_(std::move(how)), stock_{how_.pool, &by} {
  }

  /// Whether this makes sense now.
  bool allows(const any_command& x) const {
    return std::visit([this](const auto& y) { return can(y); }, x);
  }

  /// Goes on to the next state; what there is to be seen. @pre `allows(x)`
  observation apply(const any_command& x) {
    stock_.seen = {};
    std::visit([this](const auto& y) { act(y); }, x);
    for (std::size_t i = 0; i < untaken_.size(); ++i)
      come_back(untaken_[i], health::good);
    untaken_.clear();
    stock_.stats.open = stock_.live();
    stock_.stats.keys = stock_.empty_since.size();
    stock_.seen.stats = stock_.stats;
    stock_.seen.sort();
    return std::move(stock_.seen);
  }

  /// How many keys have resources.
  std::size_t keys_in_use() const {
    std::set<unsigned> result;
    for (const auto& r : stock_.open)
      result.insert(r.key);
    for (const auto& o : stock_.opening)
      result.insert(o.key);
    return result.size();
  }

  /// How long a command lets pass.
  duration length_of(const command::pass_until_due& x) const {
    return next_due() - stock_.now + x.and_then;
  }

  // -- for who makes commands up ----------------------------------------------

  std::size_t leases_of(unsigned who) const {
    return leases_[who].size();
  }

  std::size_t under_way() const noexcept {
    return stock_.opening.size();
  }

private:
  struct request {
    unsigned number;
    unsigned who;
    unsigned key;
    unsigned with;
    time_point deadline;
    std::uint64_t promised; ///< the open it waits for
    bool widowed = false;   ///< who asked is dead
  };

  // -- what makes sense -------------------------------------------------------

  bool can(const command::acquire& x) const {
    if (client_ways[x.who] == way::message && drained_)
      return false; // nobody takes messages any more
    if (client_ways[x.who] == way::thread && how_.opens_wait)
      return false; // it would wait for what only the next command does
    // Which of several opens somebody joins is nowhere said, and would tell
    // whom a failure hits.
    return std::count_if(stock_.opening.begin(), stock_.opening.end(),
                         [&](const auto& o) { return joins(x.key, x.with, o); })
           < 2;
  }

  bool can(const command::give_back& x) const {
    return x.which < leases_[x.who].size();
  }

  bool can(const command::give_back_wrongly& x) const {
    if (client_ways[x.who] != way::message
        || client_ways[x.whose] != way::message)
      return false;
    return x.who == x.whose ? gave_back_[x.who] : !leases_[x.whose].empty();
  }

  // Which of several leases of one key comes back first is nowhere said, and
  // would tell which one somebody who waits there gets.
  bool can(const command::die& x) const {
    if (client_ways[x.who] == way::thread)
      return false;
    return std::all_of(waiting_.begin(), waiting_.end(), [&](const auto& w) {
      auto of_key = [&](std::uint64_t id) {
        const auto* r = stock_.find(id);
        return r != nullptr && r->key == w.key;
      };
      return std::count_if(leases_[x.who].begin(), leases_[x.who].end(), of_key)
             < 2;
    });
  }

  bool can(const command::evict&) const {
    return !drained_;
  }

  bool can(const command::pass& x) const {
    return x.how_long > 0s;
  }

  bool can(const command::pass_until_due& x) const {
    return next_due() != never && length_of(x) > 0s;
  }

  bool can(command::fail_next_open) const {
    return !how_.opens_wait && !drained_;
  }

  bool can(const command::end_open& x) const {
    return x.which < stock_.opening.size();
  }

  bool can(const command::drain&) const {
    return !drained_ && stock_.opening.empty();
  }

  bool can(command::go_on) const {
    return true;
  }

  bool can(const command::sleep&) const {
    return true;
  }

  // -- commands ---------------------------------------------------------------

  void act(const command::acquire& x) {
    request r{++requests_, x.who, x.key, x.with, stock_.now, 0};
    r.deadline += x.within > 0s ? x.within : stock_.options.open_timeout;
    if (drained_) {
      stock_.seen.answer(r.number, refused_at_the_door(errc::draining));
      return;
    }
    if (auto* free = stock_.free_for(x.key, x.with))
      return lend(*free, r, false);
    stock_.note_known(x.key);
    auto open
      = std::find_if(stock_.opening.begin(), stock_.opening.end(),
                     [&](const auto& o) { return joins(x.key, x.with, o); });
    if (open != stock_.opening.end()) {
      r.promised = open->id;
      waiting_.push_back(r);
    } else if (make_room(r)) {
      begin_open(r);
    }
  }

  void act(const command::give_back& x) {
    auto& mine = leases_[x.who];
    auto id = mine[x.which];
    mine.erase(mine.begin() + x.which);
    gave_back_[x.who] = true;
    come_back(id, x.how);
  }

  void act(const command::give_back_wrongly& x) {
    if (!stock_.by->wrong_release_counts())
      return;
    if (auto& theirs = leases_[x.whose]; !theirs.empty()) {
      come_back(theirs.back(), health::good);
      theirs.pop_back();
    }
  }

  // Who asked in a message is watched and forgotten. Else the request is kept,
  // and what it gets comes back by itself.
  void act(const command::die& x) {
    if (client_ways[x.who] == way::message)
      std::erase_if(waiting_, [&](const auto& r) { return r.who == x.who; });
    for (auto& r : waiting_)
      r.widowed |= r.who == x.who;
    gave_back_[x.who] = false;
    for (auto id : std::exchange(leases_[x.who], {}))
      if (stock_.by->dead_give_back())
        come_back(id, health::good);
  }

  void act(const command::evict& x) {
    stock_.note_known(x.key);
    std::size_t n = 0;
    for (auto& r : stock_.open)
      if (r.key == x.key) {
        ++n;
        if (!r.doom && (r.holders == 0 || stock_.by->evict_dooms()))
          r.doom = close_reason::requested;
      }
    stock_.seen.lines.push_back("evicting " + std::to_string(n));
    stock_.close_doomed();
  }

  void act(const command::pass& x) {
    pass(x.how_long);
  }

  void act(const command::pass_until_due& x) {
    pass(length_of(x));
  }

  void act(command::fail_next_open) {
    ++failing_;
  }

  void act(const command::end_open& x) {
    end_open(x.which, x.well);
  }

  // What nobody holds goes at once, what is held when patience is over.
  void act(const command::drain& x) {
    drained_ = true;
    for (auto& r : stock_.open)
      r.doom = r.holders == 0 ? std::optional{close_reason::drained}
                              : std::nullopt;
    stock_.close_doomed();
    if (!stock_.open.empty())
      stock_.now += x.patience;
    std::size_t revoked = 0;
    for (auto& r : stock_.open) {
      revoked += std::exchange(r.holders, 0);
      r.doom = close_reason::drained;
    }
    stock_.close_doomed();
    stock_.empty_since.clear();
    stock_.stats.revoked += revoked;
    stock_.seen.lines.push_back("revoked " + std::to_string(revoked));
  }

  void act(command::go_on) {
    // All has happened already.
  }

  void act(const command::sleep&) {
    // That time does not count.
  }

  // -- lending ----------------------------------------------------------------

  void lend(resource& to_whom, const request& r, bool fresh) {
    ++to_whom.holders;
    if (r.widowed)
      return untaken_.push_back(to_whom.id);
    leases_[r.who].push_back(to_whom.id);
    stock_.seen.answer(r.number, granted_text(to_whom.id, fresh));
  }

  void come_back(std::uint64_t id, health how) {
    auto* r = stock_.find(id);
    if (r == nullptr) // revoked
      return;
    --r->holders;
    r->used_until = stock_.now;
    if (!r->doom && !stock_.by->is_lent_again(how))
      r->doom = close_reason::unhealthy;
    if (r->doom)
      stock_.close_doomed();
    else
      serve(*r, false);
  }

  // In order of arrival. Whoever was promised what others got takes over what
  // those were promised, in an order that is nowhere said and does not matter
  // but to whom a later failure hits.
  void serve(resource& r, bool fresh) {
    std::vector<std::uint64_t> spare;
    if (!stock_.by->served_in_order())
      std::reverse(waiting_.begin(), waiting_.end());
    for (auto i = waiting_.begin(); i != waiting_.end();) {
      if (i->key != r.key || !stock_.by->interchangeable(i->with, r.with)
          || !stock_.by->can_share(r, stock_.options)) {
        ++i;
        continue;
      }
      lend(r, *i, std::exchange(fresh, false));
      if (i->promised != r.id)
        spare.push_back(i->promised);
      i = waiting_.erase(i);
    }
    for (auto& w : waiting_)
      if (w.promised == r.id && !spare.empty()) {
        w.promised = spare.back();
        spare.pop_back();
      }
  }

  // -- opening ----------------------------------------------------------------

  // One open at a time where one would serve all who ask.
  bool joins(unsigned key, unsigned with, const open_under_way& x) const {
    auto promised
      = std::count_if(waiting_.begin(), waiting_.end(),
                      [&](const auto& w) { return w.promised == x.id; });
    return x.key == key && stock_.by->interchangeable(x.with, with) && !x.late
           && static_cast<std::size_t>(promised) < stock_.options.holders_max;
  }

  bool make_room(const request& r) {
    if (!stock_.by->room_in_key(stock_.live(r.key), stock_.options)
        && !stock_.evict_one([&](const auto& x) { return x.key == r.key; })) {
      refuse(r, errc::key_full);
      return false;
    }
    if (!stock_.by->room_in_pool(stock_.live(), stock_.options)
        && !stock_.evict_one([](const auto&) { return true; })) {
      refuse(r, errc::total_full);
      return false;
    }
    return true;
  }

  void begin_open(request r) {
    r.promised = ++opens_;
    waiting_.push_back(r);
    stock_.opening.push_back({opens_, r.key, r.with, stock_.now});
    stock_.stats.open_peak = std::max<std::uint64_t>(stock_.stats.open_peak,
                                                     stock_.live());
    if (how_.opens_wait)
      return;
    auto fails = failing_ > 0;
    failing_ -= fails ? 1 : 0;
    end_open(stock_.opening.size() - 1, !fails);
  }

  void end_open(std::size_t which, bool well) {
    auto x = stock_.opening[which];
    stock_.opening.erase(stock_.opening.begin()
                         + static_cast<std::ptrdiff_t>(which));
    stock_.seen.lines.push_back(
      opening_text(x.id, name_of_key(x.key), name_of_params(x.with)));
    if (!well) {
      ++stock_.stats.open_failed;
      if (stock_.by->failed_open_keeps_place())
        stock_.open.push_back(
          {x.id, x.key, x.with, stock_.now, stock_.now, 1, std::nullopt});
      refuse_if([&](const auto& w) { return w.promised == x.id; },
                errc::open_failed);
      return stock_.note_empty(x.key);
    }
    ++stock_.stats.opened;
    stock_.open.push_back(
      {x.id, x.key, x.with, stock_.now, stock_.now, 0, std::nullopt});
    if (x.late) {
      stock_.open.back().doom = close_reason::stalled;
      return stock_.close_doomed();
    }
    serve(stock_.open.back(), true);
  }

  // -- refusing ---------------------------------------------------------------

  void refuse(const request& r, errc why) {
    rejection x;
    if (why == errc::key_full) {
      x.limit = "per_key_max";
      x.limit_value = stock_.options.per_key_max;
    } else if (why == errc::total_full) {
      x.limit = "total_max";
      x.limit_value = stock_.options.total_max;
    }
    x.open = stock_.live(r.key);
    x.open_in_pool = stock_.live();
    for (const auto& y : stock_.open)
      x.leased += y.key == r.key && y.holders > 0 ? 1u : 0u;
    for (const auto& w : waiting_)
      x.waiting += w.key == r.key && w.number != r.number ? 1u : 0u;
    auto next = never;
    for (const auto& y : stock_.open)
      if (y.key == r.key && y.holders == 0)
        next = std::min(next, stock_.due_of(y));
    if (next != never)
      x.retry_after_ms
        = std::chrono::ceil<std::chrono::milliseconds>(next - stock_.now)
            .count();
    ++stock_.stats.rejected;
    if (!r.widowed)
      stock_.seen.answer(r.number, refused_text(why, x));
  }

  template <class Predicate>
  void refuse_if(Predicate pred, errc why) {
    for (auto i = waiting_.begin(); i != waiting_.end();) {
      if (!pred(*i)) {
        ++i;
        continue;
      }
      refuse(*i, why);
      i = waiting_.erase(i);
    }
  }

  // -- time -------------------------------------------------------------------

  void pass(duration d) {
    for (auto end = stock_.now + d; stock_.now < end;) {
      auto tick = stock_.tick_after(stock_.now);
      auto next = std::min(tick, next_expiry());
      if (next > end) {
        stock_.now = end;
        return;
      }
      stock_.now = next;
      expire();
      if (stock_.now == tick)
        stock_.clean_up();
    }
  }

  time_point next_expiry() const {
    auto result = never;
    for (const auto& w : waiting_)
      result = std::min(result, w.deadline);
    for (const auto& x : stock_.opening)
      if (!x.late)
        result = std::min(result, x.since + stock_.options.open_timeout);
    return result;
  }

  void expire() {
    refuse_if([&](const auto& w) { return w.deadline <= stock_.now; },
              errc::deadline_exceeded);
    for (auto& x : stock_.opening)
      if (!x.late && x.since + stock_.options.open_timeout <= stock_.now) {
        x.late = true;
        refuse_if([&](const auto& w) { return w.promised == x.id; },
                  errc::open_timed_out);
      }
  }

  time_point next_due() const {
    return std::min(next_expiry(), stock_.next_due());
  }

  setup how_;
  stock stock_;
  std::vector<request> waiting_; // in order of arrival
  std::array<std::vector<std::uint64_t>, clients> leases_;
  std::array<bool, clients> gave_back_{};
  std::vector<std::uint64_t> untaken_; // lent to the dead
  std::uint64_t opens_ = 0;
  unsigned requests_ = 0;
  unsigned failing_ = 0;
  bool drained_ = false;
};

} // namespace modelled
