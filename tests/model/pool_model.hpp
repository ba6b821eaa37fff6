#pragma once

// What a pool is, said once more and as simply as can be: a list of resources,
// a list of who waits, and a list of keys. No slots, no messages, no threads;
// closing takes no time, and every tick happens. It shares no code with core/
// but the names of options, errors and reasons.

#include <steward/tests/model/commands.hpp>
#include <steward/tests/model/lending.hpp>
#include <steward/tests/model/observation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace modelled {

class pool_model : lending {
public:
  explicit pool_model(setup how, const rules& by = as_documented)
    : lending(std::move(how), by) {
  }

  /// Whether this makes sense now.
  bool allows(const any_command& x) const {
    return std::visit([this](const auto& y) { return can(y); }, x)
           && (how_.pool.waiters_max == 0 || is_said(x));
  }

  /// Goes on to the next state; what there is to be seen. @pre `allows(x)`
  observation apply(const any_command& x) {
    stock_.seen = {};
    began_.clear();
    one_key_ = is_of_one_key(x);
    std::visit([this](const auto& y) { act(y); }, x);
    take_untaken();
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

  /// Whether a request waits for nothing but its turn.
  bool is_in_line(unsigned number) const {
    return waiting_.count([&](const auto& w) {
      return w.number == number && w.in_line();
    }) > 0;
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

  // Where somebody stands in line more depends on what is nowhere said: which
  // of two keys opens first at one instant, which of two opens is joined. The
  // code is the same each time; users must not rely on it.
  bool is_said(const any_command& x) const {
    auto trial = *this;
    trial.unsaid_ = false;
    trial.apply(x);
    return !trial.unsaid_;
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
    const auto& all = waiting_.all;
    return std::all_of(all.begin(), all.end(), [&](const auto& w) {
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
    request r{++requests_, x.who, x.key, x.with, stock_.now};
    r.deadline += x.within > 0s ? x.within : stock_.options.open_timeout;
    if (drained_) {
      stock_.seen.answer(r.number, refused_at_the_door(errc::draining));
      return;
    }
    auto behind = waiting_.in_line(x.key) > 0 && is_strict();
    if (auto* free = stock_.free_for(x.key, x.with); free && !behind)
      return lend(*free, r, false);
    stock_.note_known(x.key);
    if (!behind && promise(r))
      return serve_lines();
    if (!stock_.by->room_in_line(waiting_.in_line(x.key), stock_.options))
      return refuse(r, errc::key_full);
    waiting_.all.push_back(r);
    // It would wait for what only the next command does.
    unsaid_ |= client_ways[x.who] == way::thread;
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
      std::erase_if(waiting_.all,
                    [&](const auto& r) { return r.who == x.who; });
    for (auto& r : waiting_.all)
      r.widowed |= r.who == x.who;
    serve_lines();
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
    stock_.seen.evicting("evicting " + std::to_string(n));
    stock_.close_doomed();
    serve_lines();
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
    serve_lines();
  }

  // What nobody holds goes at once, what is held when patience is over.
  void act(const command::drain& x) {
    drained_ = true;
    refuse_if([](const auto&) { return true; }, errc::draining);
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
      began_.clear();
      expire();
      if (stock_.now == tick)
        stock_.clean_up();
      serve_lines();
      take_untaken();
    }
  }

  time_point next_expiry() const {
    auto result = waiting_.first_deadline();
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

  std::array<bool, clients> gave_back_{};
  unsigned requests_ = 0;
};

} // namespace modelled
