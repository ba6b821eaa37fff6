// Random events, in any order that the messages between supervisors, budget
// and users could have, against the invariants that `shell` checks.
#include "supervision_fixture.hpp"

#include <steward/core/budget_book.hpp>

#include <array>
#include <random>
#include <vector>

using namespace supervision_test;

namespace {

// What must have happened at least once in all runs together: a campaign that
// never gets somewhere proves nothing there.
struct coverage {
  std::size_t answered = 0;
  std::size_t revoked = 0;
  std::size_t late = 0;
  std::size_t shared = 0;
  std::size_t waited = 0;
  std::size_t waited_for_a_holder = 0;
  std::size_t asked_to_give_up = 0;
  std::size_t missed = 0;
  std::size_t kept = 0;
  std::size_t passivated = 0;
  std::array<std::size_t, 10> refused{};
  std::array<std::size_t, close_reason_count> closed{};
};

coverage seen;

pool_options draw_options(std::mt19937_64& random) {
  auto result = small(1 + random() % 4, 1 + random() % 3);
  if (random() % 2 == 0)
    result.total_max = 1 + random() % 5;
  if (random() % 3 == 0)
    result.when_full = full_policy::reject;
  if (random() % 2 == 0)
    result.waiters_max = 1 + random() % 5;
  result.idle_timeout = 1s * (1 + static_cast<int>(random() % 10));
  if (random() % 2 == 0)
    result.max_lifetime = 1s * (1 + static_cast<int>(random() % 20));
  result.linger = 5s;
  return result;
}

class world {
public:
  explicit world(std::uint64_t seed)
    : random_(seed), all_(draw_options(random_)),
      book_(all_.budget, all_.options.when_full) {
    auto instant = random_() % 4 == 0;
    slow_mail_ = random_() % 2 == 0;
    params_ = 1 + random_() % 3;
    for (auto n = 1 + random_() % 3; n > 0; --n)
      keys_.push_back(std::make_unique<key>(all_, instant));
  }

  void run() {
    for (int step = 0; step < 150; ++step) {
      auto& k = *keys_[random_() % keys_.size()];
      something(k);
      collect(k);
    }
    // Nothing is held back any more: whoever waits gets an answer.
    if (random_() % 2 == 0) {
      come_to_rest();
      // Where nothing is evicted, what is idle with other params stays.
      auto may_stay = all_.options.when_full == full_policy::reject
                      && all_.options.waiters_max > 0;
      for (auto& k : keys_)
        must(k->waiting.empty() || (may_stay && k->core.live() > 0),
             "I6: nobody waits for ever");
    }
    shut_down();
  }

private:
  using book = budget_book<std::size_t>;

  struct key : shell {
    using shell::shell;
    std::deque<news> to_budget;
    std::deque<book::any_effect> from_budget;
    time_point armed = never;
  };

  bool chance(unsigned in) {
    return random_() % in == 0;
  }

  template <class Map>
  auto some(Map& x) {
    return std::next(x.begin(),
                     static_cast<std::ptrdiff_t>(random_() % x.size()));
  }

  // The id of some resource in this state, or 0.
  std::uint64_t some_resource(key& k, bool shell::resource::*state) {
    std::vector<std::uint64_t> ids;
    for (auto& [id, r] : k.resources)
      if (r.*state)
        ids.push_back(id);
    return ids.empty() ? 0 : ids[random_() % ids.size()];
  }

  std::string some_params() {
    return std::string(1, static_cast<char>('a' + random_() % params_));
  }

  void something(key& k) {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3: return acquire(k);
      case 4:
      case 5: k.borrow(some_params()); return;
      case 6:
      case 7:
      case 8:
        if (!k.held.empty())
          k.let_go(some(k.held)->first, !chance(8));
        if (!slow_mail_ || chance(2))
          deliver(k);
        return;
      case 9: return finish_open(k);
      case 10:
        if (auto id = some_resource(k, &shell::resource::closing))
          k.closed(id);
        return;
      case 11:
        if (!k.waiting.empty() && chance(2))
          k.forget(some(k.waiting)->first);
        return;
      case 12:
        if (chance(6))
          k.evict();
        return;
      case 13:
        if (chance(2))
          return go_on(1ms * static_cast<int>(random_() % 700));
        return go_on(1s * static_cast<int>(random_() % 5));
      case 14:
        if (chance(3))
          k.tick(); // one too many
        return deliver(k);
      default: budget_mail(k);
    }
  }

  void acquire(key& k) {
    auto deadline = never;
    if (!chance(3))
      deadline = k.now() + 1ms * static_cast<int>(random_() % 4000);
    auto before = k.waiting.size();
    auto under_way = k.core.live() > k.resources_lent() || k.asked() > 0;
    k.acquire(some_params(), deadline);
    auto waits = k.waiting.size() > before;
    seen.waited += waits;
    seen.waited_for_a_holder += waits && !under_way && k.asked() == 0
                                && k.core.live() == k.resources_lent();
  }

  void finish_open(key& k) {
    auto id = some_resource(k, &shell::resource::opening);
    if (id == 0)
      return;
    seen.late += k.resources.at(id).place->late;
    if (chance(6))
      k.failed(id);
    else
      k.opened(id);
  }

  void deliver(key& k) {
    if (!k.mail.empty())
      k.deliver();
  }

  // -- time, as the clock does it: a tick only for who asked for one ----------

  void go_on(duration d) {
    auto target = all_.time.at + d;
    for (;;) {
      key* first = keys_.front().get();
      for (auto& k : keys_)
        if (k->armed < first->armed)
          first = k.get();
      if (first->armed > target)
        break;
      all_.time.at = std::max(all_.time.at, first->armed);
      first->armed = never;
      if (first->tick().find("passivate") != std::string::npos)
        ++seen.passivated;
      collect(*first);
    }
    all_.time.at = target;
    for (auto& k : keys_) { // nobody forgot to ask
      for (auto& [id, x] : k->waiting)
        must(target < x.deadline, "I6: nobody waits past the deadline");
      for (auto& [id, r] : k->resources)
        if (r.open && r.place->word().holders() == 0)
          must(target < std::max(r.last_used + all_.options.idle_timeout,
                                 r.came_back)
                          + all_.options.tick,
               "I5: closed within a tick");
    }
  }

  // -- the budget and its mail ------------------------------------------------

  void collect(key& k) {
    for (auto& x : k.for_budget)
      k.to_budget.push_back(x);
    k.for_budget.clear();
    auto next = k.core.next_due(k.now());
    k.armed = std::min(k.armed,
                       next > k.now() ? next : k.now() + all_.options.tick);
    for (auto why : k.refusals)
      ++seen.refused[static_cast<std::size_t>(why)];
    for (auto why : k.reasons)
      ++seen.closed[static_cast<std::size_t>(why)];
    k.refusals.clear();
    k.reasons.clear();
    for (auto& [id, r] : k.resources)
      seen.shared += r.users > 1;
  }

  bool budget_mail(key& k) {
    if (!k.to_budget.empty() && (k.from_budget.empty() || chance(2))) {
      auto next = k.to_budget.front();
      k.to_budget.pop_front();
      tell_budget(index_of(k), next);
      return true;
    }
    if (k.from_budget.empty())
      return false;
    auto next = k.from_budget.front();
    k.from_budget.pop_front();
    if (std::holds_alternative<book::grant>(next))
      k.permit_granted();
    else if (std::holds_alternative<book::deny>(next))
      k.permit_denied();
    else
      give_up(k, std::get<book::ask>(next).id);
    collect(k);
    return true;
  }

  void give_up(key& k, std::uint64_t id) {
    ++seen.asked_to_give_up;
    if (k.give_up(id).rfind("kept", 0) != 0)
      return;
    ++seen.kept;
    k.to_budget.push_back({news::kept, id});
  }

  std::size_t index_of(const key& k) {
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (keys_[i].get() == &k)
        return i;
    return 0;
  }

  void tell_budget(std::size_t from, const news& x) {
    book::effects out;
    auto look_again = false;
    switch (x.what) {
      case news::wanted: book_.wanted(from, out); break;
      case news::returned: book_.returned(out); break;
      case news::opened: book_.opened(x.id, *x.place, from, x.stamp); break;
      case news::idle_again:
        ++seen.missed;
        book_.idle_again(x.id);
        break;
      case news::closed: look_again = book_.closed(x.id); break;
      case news::kept: look_again = book_.kept(x.id);
    }
    if (look_again)
      book_.look_again(out);
    for (auto& y : out) {
      auto to = std::visit([](const auto& z) { return z.to; }, y);
      keys_[to]->from_budget.push_back(y);
    }
  }

  // -- the end ----------------------------------------------------------------

  // Carries out all that is under way until nothing is. Holders let go, too.
  void come_to_rest() {
    for (int rounds = 0; step_to_rest(); ++rounds)
      must(rounds < 10'000, "it comes to rest");
  }

  bool step_to_rest() {
    bool busy = false;
    for (auto& k : keys_) {
      while (!k->held.empty()) {
        k->let_go(k->held.begin()->first);
        busy = true;
      }
      while (!k->mail.empty()) {
        k->deliver();
        busy = true;
      }
      while (auto id = some_resource(*k, &shell::resource::opening)) {
        k->opened(id);
        busy = true;
      }
      while (auto id = some_resource(*k, &shell::resource::closing)) {
        k->closed(id);
        busy = true;
      }
      collect(*k);
      while (budget_mail(*k))
        busy = true;
    }
    return busy;
  }

  void shut_down() {
    for (auto& k : keys_)
      k->drain();
    if (chance(2))
      for (auto& k : keys_) {
        k->force();
        seen.revoked += k->revoked;
      }
    come_to_rest();
    for (auto& k : keys_) {
      seen.answered += k->requests;
      must(k->quiet() && k->core.live() == 0, "I11: nothing is left");
      must(k->asked() == 0, "no permit is on its way");
      for (auto& [id, r] : k->resources)
        must(!r.revoked || *r.destroyed, "I11: no memory is left");
    }
    must(book_.waiting() == 0 && book_.known() == 0, "the budget forgot all");
    if (all_.budget.limited())
      must(all_.budget.start_queue() == all_.options.total_max,
           "I2: every permit came back");
  }

  std::mt19937_64 random_;
  pool all_;
  book book_;
  bool slow_mail_ = false;
  std::size_t params_ = 1;
  std::vector<std::unique_ptr<key>> keys_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(supervision_random)

BOOST_AUTO_TEST_CASE(no_order_of_events_breaks_an_invariant) {
  for (std::uint64_t seed = 1; seed <= 8000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      world{seed}.run();
    }
  }
  BOOST_TEST(seen.answered > 0u);
  BOOST_TEST(seen.waited > 0u);
  BOOST_TEST(seen.waited_for_a_holder > 0u);
  BOOST_TEST(seen.shared > 0u);
  BOOST_TEST(seen.late > 0u);
  BOOST_TEST(seen.revoked > 0u);
  BOOST_TEST(seen.asked_to_give_up > 0u);
  BOOST_TEST(seen.kept > 0u);
  BOOST_TEST(seen.missed > 0u);
  BOOST_TEST(seen.passivated > 0u);
  for (auto why :
       {errc::key_full, errc::total_full, errc::open_failed,
        errc::open_timed_out, errc::deadline_exceeded, errc::draining})
    BOOST_TEST(seen.refused[static_cast<std::size_t>(why)] > 0u,
               "never refused with " << to_string(why));
  for (auto why :
       {close_reason::requested, close_reason::idle, close_reason::lifetime,
        close_reason::evicted, close_reason::unhealthy, close_reason::stalled,
        close_reason::drained})
    BOOST_TEST(seen.closed[static_cast<std::size_t>(why)] > 0u,
               "never closed as " << to_string(why));
}

BOOST_AUTO_TEST_SUITE_END()
