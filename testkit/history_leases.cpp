#include <steward/testkit/history_check.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

namespace steward::testkit::detail {

namespace {

// A lease as short as it can have been: all that can go wrong is that too much
// is lent, so whoever is lent last and gives back first is right if anybody is.
struct use {
  const operation* got;
  const operation* back = nullptr;
  lease_model::grant what = {};
  stamp from = 0;
  stamp until = stamp_max;

  // May have come back before the client knew that it was lent: then one moment
  // from `from` to `until` is enough, whichever.
  bool momentary = false;
};

// At one stamp in this order: equal stamps leave the order open, and this is
// the one in which least is lent.
enum class step { give_back, may_be, should_have_been, take, close };

struct event {
  stamp at;
  step what;
  std::size_t which; // use, or close

  friend bool operator<(const event& a, const event& b) {
    return std::tie(a.at, a.what, a.which) < std::tie(b.at, b.what, b.which);
  }
};

class lease_check {
public:
  lease_check(const std::string& key, lease_limits most)
    : key_(key), most_(most) {
  }

  std::vector<finding> judge(std::span<const operation> all) {
    take(all);
    for (auto& x : uses_)
      place(x);
    if (found_.empty()) // else the leases are not what they seem
      walk();
    return std::move(found_);
  }

private:
  void wrong(std::string why, std::vector<const operation*> who) {
    finding x{judgement::wrong, key_, std::move(why), {}};
    std::set<const operation*> told;
    for (auto* op : who)
      if (op != nullptr && told.insert(op).second)
        x.evidence.push_back(*op);
    found_.push_back(std::move(x));
  }

  // -- what there is ----------------------------------------------------------

  void take(std::span<const operation> all) {
    for (const auto& x : all) {
      auto sure = x.end == ending::ok;
      if (x.what == "acquire" && sure) {
        if (auto got = lease_model::grant_of(x)) {
          by_lease_.emplace(got->lease, uses_.size());
          uses_.push_back({&x, nullptr, *got});
        } else {
          wrong(reason::not_understood(x), {&x});
        }
      } else if (x.what == "close" && sure) {
        closes_.push_back(&x);
      } else if (x.what != "acquire" && x.what != "release"
                 && x.what != "close") {
        wrong(reason::not_understood(x), {&x});
      }
    }
    for (const auto& x : all)
      if (x.what == "release")
        take_release(x);
    std::map<std::string_view, const operation*> closed;
    for (auto* x : closes_)
      if (auto [first, fresh] = closed.emplace(x->arg, x); !fresh)
        wrong(reason::closed_twice(x->arg), {first->second, x});
  }

  void take_release(const operation& x) {
    auto sure = x.end == ending::ok;
    auto i = by_lease_.find(x.arg);
    if (i == by_lease_.end()) {
      if (sure)
        wrong(reason::not_held(x.arg), {&x});
      return;
    }
    auto& of = uses_[i->second];
    auto was_sure = of.back != nullptr && of.back->end == ending::ok;
    if (sure && was_sure)
      wrong(reason::not_held(x.arg), {of.got, of.back, &x});
    auto earlier = of.back == nullptr || x.invoked < of.back->invoked;
    // One that is sure was the one: those in doubt never took effect.
    if (sure != was_sure ? sure : earlier)
      of.back = &x;
  }

  void place(use& x) {
    x.from = x.got->completed;
    if (x.back == nullptr)
      return;
    x.until = x.back->invoked;
    if (x.until > x.from)
      return;
    x.momentary = true;
    x.from = std::max(x.got->invoked, x.back->invoked);
    x.until = x.got->completed;
    if (x.back->end == ending::ok)
      x.until = std::min(x.until, x.back->completed);
    if (x.from > x.until)
      wrong(reason::not_held(x.what.lease), {x.got, x.back});
  }

  // -- from the beginning to the end ------------------------------------------

  void walk() {
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      const auto& x = uses_[i];
      if (x.momentary) {
        events_.push_back({x.from, step::may_be, i});
        events_.push_back({x.until, step::should_have_been, i});
      } else {
        events_.push_back({x.from, step::take, i});
        if (x.back != nullptr)
          events_.push_back({x.until, step::give_back, i});
      }
    }
    for (std::size_t i = 0; i < closes_.size(); ++i)
      events_.push_back({closes_[i]->completed, step::close, i});
    std::sort(events_.begin(), events_.end());
    for (const auto& x : events_) {
      if (!found_.empty()) // what follows may follow from it
        return;
      if (x.what > step::may_be) // now the least is lent, for a while
        settle_momentary();
      happen(x);
    }
  }

  void happen(const event& x) {
    switch (x.what) {
      case step::give_back: give_back(uses_[x.which]); break;
      case step::may_be: momentary_[x.which]; break;
      case step::should_have_been:
        if (auto i = momentary_.find(x.which); i != momentary_.end())
          object(uses_[x.which], std::move(i->second));
        break;
      case step::take:
        object(uses_[x.which]);
        held_[uses_[x.which].what.resource].push_back(&uses_[x.which]);
        break;
      case step::close: close(*closes_[x.which]); break;
    }
  }

  // Those that could be lent right now have been.
  void settle_momentary() {
    for (auto i = momentary_.begin(); i != momentary_.end();)
      i = objection(uses_[i->first], i->second).empty() ? momentary_.erase(i)
                                                        : std::next(i);
  }

  void give_back(const use& x) {
    auto i = held_.find(x.what.resource);
    std::erase(i->second, &x);
    if (i->second.empty())
      held_.erase(i);
  }

  void close(const operation& x) {
    auto i = held_.find(x.arg);
    if (i != held_.end())
      wrong(reason::closed_in_use(x.arg, i->second.front()->what.lease),
            {i->second.front()->got, i->second.front()->back, &x});
    closed_.emplace(x.arg, &x);
  }

  void object(const use& x, std::vector<const operation*> who = {}) {
    who.insert(who.end(), {x.got, x.back});
    auto why = objection(x, who);
    if (!why.empty())
      wrong(std::move(why), std::move(who));
  }

  // Why it cannot be lent now, and because of whom.
  std::string objection(const use& x, std::vector<const operation*>& who) {
    auto blame = [&who](const use& other) {
      who.push_back(other.got);
      who.push_back(other.back);
    };
    auto resource = x.what.resource;
    if (auto i = closed_.find(resource); i != closed_.end()) {
      who.push_back(i->second);
      return reason::closed_before(resource);
    }
    auto i = held_.find(resource);
    if (i == held_.end() && held_.size() >= most_.per_key_max) {
      for (const auto& [name, users] : held_)
        blame(*users.front());
      return reason::too_many_resources(most_.per_key_max);
    }
    if (i != held_.end() && i->second.size() >= most_.holders_max) {
      for (auto* other : i->second)
        blame(*other);
      return reason::too_many_holders(resource, most_.holders_max);
    }
    return {};
  }

  const std::string& key_;
  lease_limits most_;
  std::vector<use> uses_;
  std::vector<const operation*> closes_;
  std::map<std::string_view, std::size_t> by_lease_;
  std::vector<event> events_;
  std::map<std::string_view, std::vector<const use*>> held_;
  std::map<std::string_view, const operation*> closed_;
  // Those that had no moment yet, and who was in the way.
  std::map<std::size_t, std::vector<const operation*>> momentary_;
  std::vector<finding> found_;
};

} // namespace

std::vector<finding> judge_leases(const std::string& key,
                                  std::span<const operation> all,
                                  lease_limits most) {
  return lease_check{key, most}.judge(all);
}

} // namespace steward::testkit::detail
