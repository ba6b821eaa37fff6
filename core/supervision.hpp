#pragma once

#include <steward/core/cleanup.hpp>
#include <steward/core/permits.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/refusal.hpp>
#include <steward/core/shelf.hpp>
#include <steward/core/waiting_line.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace steward {

/// What a supervisor must do, in the order given. Places stay valid as long as
/// the shelf; an effect says all that its execution needs.
namespace effect {

/// `place` is held for this request; tell it.
struct answer {
  request_id to;
  slot* place;
  bool fresh; ///< opened for it
};

/// Tell this request that, and why, it gets nothing.
struct reject {
  request_id to;
  errc why;
  rejection figures;
};

/// Run the opener; then call `opened` or `open_failed`.
struct open_resource {
  slot* place;
};

/// Close the resource, destroy it, then call `closed`. Where there is a `keep`,
/// letting go of it destroys the resource, now or after its last holder.
struct close_resource {
  slot* place;
  close_reason why;
  bool revoked; ///< there are holders
  std::shared_ptr<void> keep;
};

/// Ask the budget for one permit.
struct ask_permit {};

/// Bring one permit back to the budget, where others wait for it.
struct return_permit {};

/// Tell the budget of a new resource, of one that it missed and that is idle
/// now, or of one that is gone. Only where `total_max` is a limit.
struct report_opened {
  slot* place;
};
struct report_idle {
  std::uint64_t id;
};
struct report_closed {
  std::uint64_t id;
};

/// Nothing is left and nothing is expected: leave.
struct passivate {};

} // namespace effect

using any_effect
  = std::variant<effect::answer, effect::reject, effect::open_resource,
                 effect::close_resource, effect::ask_permit,
                 effect::return_permit, effect::report_opened,
                 effect::report_idle, effect::report_closed, effect::passivate>;

using effects = std::vector<any_effect>;

/// How a key stands, for an answer that says no. `waiting` and what concerns the
/// whole pool are left to the caller.
rejection figures_of(shelf& place, const pool_options& options,
                     const cleanup_grid& grid, time_point now);

/// All decisions of one key's supervisor. Pure: events and the time go in,
/// effects come out; one thread at a time.
///
/// A request is answered from a free slot, or it waits for an open of its own
/// (or shares one that is under way), or for somebody to give back, or it is
/// rejected. But for the last, a wait is always for something that is under way:
/// an open, a close that makes room, a permit.
///
/// All that it knows of a quiet key stands in the shelf: one supervision may end
/// and another one go on. A close that somebody else began comes to it as
/// `closed`.
class supervision {
public:
  supervision(shelf& place, const pool_options& options, permits& budget,
              std::atomic<std::uint64_t>& opened_seq, cleanup_grid grid,
              time_point now);

  // -- events -----------------------------------------------------------------

  /// Somebody wants a resource, at the latest at `deadline`.
  void acquire(request_id id, std::string_view params, time_point deadline,
               time_point now, effects& out);

  /// Whoever sent the request is gone; answers nothing.
  void forget(request_id id, time_point now, effects& out);

  /// An open came to its end with `resource`.
  void opened(slot& s, void* resource, time_point now, effects& out);

  /// An open came to its end with nothing.
  void open_failed(slot& s, time_point now, effects& out);

  /// A close came to its end; `revoked` as in the effect.
  void closed(slot& s, bool revoked, time_point now, effects& out);

  /// A holder gave back by message; the hold is ours now.
  void released(slot& s, bool healthy, time_point now, effects& out);

  /// Time has come to `now`: answers whose deadline passed, closes what is due.
  void tick(time_point now, effects& out);

  /// Closes what is idle, and what is held as soon as it comes back; how many
  /// resources that is.
  std::size_t evict(time_point now, effects& out);

  /// The budget asks for the resource `id`, if it still is idle.
  bool give_up(std::uint64_t id, effects& out);

  /// The budget gave one permit.
  void permit_granted(time_point now, effects& out);

  /// The budget has nothing to give and nothing to take from others.
  void permit_denied(time_point now, effects& out);

  /// Refuses everything from now on and closes all that is not held.
  void drain(time_point now, effects& out);

  /// Closes even what is held; `keep_alive(slot&)` makes what keeps a slot and
  /// its resource in memory. How many holds were revoked. // I4
  template <class F>
  std::size_t force(F&& keep_alive, time_point now, effects& out) {
    std::size_t result = 0;
    shelf_.for_each([&](slot& s) {
      if (s.word().in() != phase::open)
        return;
      std::shared_ptr<void> keep = keep_alive(s);
      auto holders = s.revoke(keep);
      if (holders == 0)
        s.forget();
      result += holders;
      start_close(s, close_reason::drained, std::move(keep), holders > 0, out);
    });
    settle(now, out);
    return result;
  }

  // -- who waits, elsewhere ---------------------------------------------------

  /// The params that all who wait want and all open slots have, if they wait for
  /// nothing but their turn: then whoever gives back can tell who is next.
  std::optional<std::string_view> wanted_by_all() const;

  /// Those who wait, in order; from now on they are somebody else's. @pre there
  /// is `wanted_by_all`; no event comes before all who still wait then are back.
  std::list<waiter> hand_out() {
    return waiters_.take_all();
  }

  /// One of those is back, in the order in which they were.
  void take_back(request_id id, std::string_view params, time_point deadline);

  // -- queries ----------------------------------------------------------------

  /// When `tick` is next needed; `never` if nothing can come due. Cleanup is
  /// due on the grid origin + n * tick, deadlines are due when they are.
  time_point next_due(time_point now) const;

  bool draining() const noexcept {
    return draining_;
  }

  /// Whether nothing is under way, nobody waits and no slot needs attention: all
  /// that can happen without a message to us is that something becomes due.
  bool quiet() const noexcept;

  /// Whether no slot is opening, open or closing and nobody waits.
  bool empty() const noexcept {
    return live() == 0 && waiters_.empty();
  }

  /// Opening, open and closing resources. // I1
  std::size_t live() const noexcept {
    return opening_ + open_ + closing_;
  }

  std::size_t waiting() const noexcept {
    return waiters_.size();
  }

private:
  static bool fits(const waiter& w, const slot& s) noexcept {
    return w.tag == s.tag() && w.params == s.params();
  }

  enum class promised { nothing, to_share, to_lead };
  promised promise(waiter& w, effects& out);
  bool in_line() const noexcept;
  bool holds_up(const waiter& w) const noexcept;
  bool make_room(effects& out);
  slot* joinable(const waiter& w);
  bool can_follow(const waiter& w) const noexcept;
  waiting_line::iterator remove(waiting_line::iterator i);
  void pass_on(const waiter& from);
  void start_opens(effects& out, time_point now);
  void start_open(waiter& w, time_point now, effects& out);
  void start_close(slot& s, close_reason why, std::shared_ptr<void> keep,
                   bool revoked, effects& out);
  bool try_close(slot& s, slot_word seen, close_reason why, effects& out);
  std::uint64_t serve(slot& s, std::uint64_t room, bool fresh, effects& out);
  void serve_in_order(effects& out);
  void call_attention();
  void refuse(request_id id, errc why, time_point now, effects& out);
  template <class Predicate>
  void refuse_if(Predicate pred, errc why, time_point now, effects& out);
  void expire(time_point now, effects& out);
  void close_due(time_point point, time_point now, effects& out);
  void put_permit(effects& out);
  void settle(time_point now, effects& out);

  shelf& shelf_;
  const pool_options& options_;
  permits& budget_;
  std::atomic<std::uint64_t>& opened_seq_;
  cleanup_grid grid_;
  waiting_line waiters_;
  std::size_t opening_ = 0;
  std::size_t open_ = 0;
  std::size_t closing_ = 0;
  std::size_t asked_ = 0; // permits that the budget was asked for
  bool attention_ = false;
  bool draining_ = false;
  time_point empty_since_;
};

template <class Predicate>
void supervision::refuse_if(Predicate pred, errc why, time_point now,
                            effects& out) {
  for (auto i = waiters_.begin(); i != waiters_.end();) {
    if (!pred(*i)) {
      ++i;
      continue;
    }
    auto id = i->id;
    i = remove(i);
    refuse(id, why, now, out);
  }
}

} // namespace steward
