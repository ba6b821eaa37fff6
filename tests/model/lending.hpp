#pragma once

// What a model does at one instant: who gets what, what is opened, and who is
// refused.

#include <steward/core/refusal.hpp>
#include <steward/tests/model/observation.hpp>
#include <steward/tests/model/rules.hpp>
#include <steward/tests/model/stock.hpp>
#include <steward/tests/model/waiting.hpp>

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

/// What of a model happens at once. Commands and time are its heir's.
class lending {
protected:
  lending(setup how, const rules& by)
    : how_(std::move(how)), stock_{how_.pool, &by} {
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
    serve_lines();
  }

  void take_untaken() {
    for (std::size_t i = 0; i < untaken_.size(); ++i)
      come_back(untaken_[i], health::good);
    untaken_.clear();
  }

  // Whether nobody passes who is in line.
  bool is_strict() const {
    return stock_.by->holds_up(stock_.options);
  }

  // In order of arrival. Whoever was promised what others got takes over what
  // those were promised, in an order that is nowhere said and does not matter
  // but to whom a later failure hits.
  void serve(resource& r, bool fresh) {
    std::vector<std::uint64_t> spare;
    auto& all = waiting_.all;
    if (!stock_.by->served_in_order())
      std::reverse(all.begin(), all.end());
    for (auto i = all.begin(); i != all.end();) {
      if (i->key != r.key || !stock_.by->interchangeable(i->with, r.with)
          || !stock_.by->can_share(r, stock_.options)) {
        if (i->key == r.key && i->in_line() && is_strict())
          break;
        ++i;
        continue;
      }
      lend(r, *i, std::exchange(fresh, false));
      if (i->promised != r.id)
        spare.push_back(i->promised);
      i = all.erase(i);
    }
    for (auto& w : all)
      if (w.promised == r.id && !spare.empty()) {
        w.promised = spare.back();
        spare.pop_back();
      }
  }

  // Who is in line gets what is free for him, or becomes so. All that begins at
  // one instant begins before any of it ends.
  void serve_lines() {
    while (!drained_) {
      if (serve_first_who_can())
        continue;
      if (how_.opens_wait || stock_.opening.empty())
        return;
      auto fails = failing_ > 0;
      failing_ -= fails ? 1 : 0;
      // Of several closes the first may make room before the others end: then
      // a refusal counts those, too.
      unsaid_ |= fails && stock_.seen.closed.size() > 1;
      end_open(0, !fails);
    }
  }

  bool serve_first_who_can() {
    std::set<unsigned> held_up;
    auto& all = waiting_.all;
    for (auto i = all.begin(); i != all.end(); ++i) {
      if (!i->in_line() || held_up.contains(i->key))
        continue;
      auto first = *i;
      if (auto* free = stock_.free_for(i->key, i->with)) {
        all.erase(i);
        lend(*free, first, false);
        return true;
      }
      if (join(*i))
        return true;
      if (has_room(*i)) {
        all.erase(i);
        if (make_room(first))
          begin_open(first);
        return true;
      }
      if (is_strict())
        held_up.insert(first.key);
    }
    return false;
  }

  // -- opening ----------------------------------------------------------------

  // One open at a time where one would serve all who ask.
  bool joins(unsigned key, unsigned with, const open_under_way& x) const {
    return x.key == key && stock_.by->interchangeable(x.with, with) && !x.late
           && waiting_.promised(x.id) < stock_.options.holders_max;
  }

  // Which of several is nowhere said.
  bool join(request& r) {
    unsigned n = 0;
    for (const auto& o : stock_.opening)
      if (joins(r.key, r.with, o) && n++ == 0)
        r.promised = o.id;
    unsaid_ |= n > 1;
    return n > 0;
  }

  // Whether that is the end of it: else it has to wait for its turn.
  bool promise(request& r) {
    if (join(r)) {
      waiting_.all.push_back(r);
      return true;
    }
    if (!has_room(r))
      return false;
    if (make_room(r))
      begin_open(r);
    return true;
  }

  bool has_room(const request& r) const {
    auto may_go = [&](const auto& x) {
      return x.key == r.key && x.holders == 0;
    };
    return stock_.by->room_in_key(stock_.live(r.key), stock_.options)
           || (stock_.options.when_full == full_policy::evict_idle
               && std::any_of(stock_.open.begin(), stock_.open.end(), may_go));
  }

  // @pre it has room in its key
  bool make_room(const request& r) {
    if (!stock_.by->room_in_key(stock_.live(r.key), stock_.options))
      stock_.evict_one([&](const auto& x) { return x.key == r.key; });
    if (!stock_.by->room_in_pool(stock_.live(), stock_.options)
        && !stock_.evict_one([](const auto&) { return true; })) {
      refuse(r, errc::total_full);
      return false;
    }
    return true;
  }

  void begin_open(request r) {
    r.promised = ++opens_;
    began_.insert(r.key);
    unsaid_ |= began_.size() > 1;
    insert(r);
    stock_.opening.push_back({opens_, r.key, r.with, stock_.now});
    stock_.stats.open_peak = std::max<std::uint64_t>(stock_.stats.open_peak,
                                                     stock_.live());
  }

  // At its place.
  void insert(const request& r) {
    auto& all = waiting_.all;
    all.insert(std::find_if(all.begin(), all.end(),
                            [&](const auto& w) { return w.number > r.number; }),
               r);
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
    if (why == errc::key_full && stock_.options.waiters_max > 0) {
      x.limit = "waiters_max";
      x.limit_value = stock_.options.waiters_max;
    } else if (why == errc::key_full) {
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
    for (const auto& w : waiting_.all)
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
      stock_.seen.answer(r.number, refused_text(why, x, one_key_));
  }

  template <class Predicate>
  void refuse_if(Predicate pred, errc why) {
    auto& all = waiting_.all;
    for (auto i = all.begin(); i != all.end();) {
      if (!pred(*i)) {
        ++i;
        continue;
      }
      auto r = *i;
      i = all.erase(i);
      refuse(r, why);
    }
  }

  setup how_;
  stock stock_;
  those_waiting waiting_;
  std::array<std::vector<std::uint64_t>, clients> leases_;
  std::vector<std::uint64_t> untaken_; // lent to the dead
  std::set<unsigned> began_; // keys for which something opens at this instant
  bool unsaid_ = false;      // something depends on what is nowhere said
  std::uint64_t opens_ = 0;
  unsigned failing_ = 0;
  bool drained_ = false;
  bool one_key_ = true; // what is done is done to one
};

} // namespace modelled
