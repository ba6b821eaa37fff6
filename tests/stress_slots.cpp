// Threads borrow and give back without a message while one thread, in the part
// of the supervisor, opens, evicts, closes, calls attention, takes hand-overs,
// and at the end revokes. Runs under ThreadSanitizer: the plain fields of
// `resource` make a race of whatever lets two holders, or a holder and the
// supervisor, at one resource at a time. Ends with 1 if an invariant broke, or
// if something that should happen never did.
#include "core_fixtures.hpp"
#include "stress.hpp"

#include <steward/core/hold.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace core_test;

const char* const stress::program = "stress_slots";
using stress::must;

namespace {

constexpr std::size_t users_count = 4;
constexpr std::size_t per_key_max = 4;
constexpr int rounds = 14; // half of them exclusive, half shared
constexpr auto round_time = 450ms;

struct event_counts {
  std::atomic<std::uint64_t> borrowed, refused, collided, given_up, handed_over,
    grown, opened, open_failed, evicted, evict_lost, take_refused, unhealthy,
    attention, lent_on, revoked, revoked_last, destroyed, shared;
};

event_counts count;

struct resource {
  std::atomic<std::size_t> users{0};
  std::atomic<bool> closed{false};
  std::string params;
  std::uint64_t uses = 0;   // of an exclusive one: no lock, no atomic
  std::uint64_t stamp = 42; // read by holders, overwritten by the close
};

class steady_time final : public timepiece {
public:
  time_point now() const noexcept override {
    return time_point{std::chrono::steady_clock::now().time_since_epoch()};
  }

  time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(duration) noexcept override {
  }
};

// One shelf with its users and its supervisor, from beginning to end.
class rush : public shelf_keeper {
public:
  rush(std::size_t holders_max, unsigned seed)
    : terms_{&time_, holders_max, false}, place_("key", terms_, *this),
      random_(seed) {
  }

  void run() {
    std::vector<std::thread> users;
    for (unsigned i = 0; i < users_count; ++i)
      users.emplace_back([this, i] { use_until_the_end(i); });
    auto end = std::chrono::steady_clock::now() + round_time;
    while (std::chrono::steady_clock::now() < end)
      supervise();
    force(); // over the heads of those who hold something right now
    over_ = true;
    for (auto& x : users)
      x.join();
    take_hand_overs(false);
    must(live_ == 0, "I3: all that was opened was closed once");
    for (auto& x : kept_)
      must(x.expired(), "I11: the last holder lets go of a revoked resource");
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    ++count.handed_over;
    std::lock_guard guard{mutex_};
    mail_.emplace_back(&s, healthy);
  }

  void idle_again(slot&, function_ref<void()>) noexcept override {
    must(false, "without a budget nobody misses anything");
  }

  bool check(void*) noexcept override {
    return true;
  }

private:
  static constexpr std::array<const char*, 2> params{"a", "b"};

  // -- users ------------------------------------------------------------------

  void use_until_the_end(unsigned seed) {
    std::mt19937 random{seed};
    while (!over_) {
      std::string wish = params[random() % params.size()];
      auto tag = tag_of(wish);
      if (random() % 64 == 0) { // as if both had one tag
        tag = tag_of(params[random() % params.size()]);
        count.collided += tag != tag_of(wish);
      }
      auto* s = place_.borrow(wish, tag);
      if (s == nullptr) {
        ++count.refused;
        std::this_thread::yield();
        continue;
      }
      ++count.borrowed;
      hold h{s};
      use(h, wish, random() % 256 == 0);
      if (random() % 512 == 0) {
        ++count.given_up;
        h.give_up();
      }
      leave(h);
    }
  }

  void use(hold& h, const std::string& wish, bool long_one) {
    auto& r = *static_cast<resource*>(h.resource());
    // Relaxed: the order that matters is for the slot to make.
    auto sharers = r.users.fetch_add(1, std::memory_order_relaxed) + 1;
    must(sharers <= terms_.holders_max, "never more holders than may share");
    if (sharers > 1)
      ++count.shared;
    must(r.params == wish, "equal params");
    if (terms_.holders_max == 1)
      ++r.uses;
    for (int i = 0; i < (long_one ? 200 : 1); ++i) {
      must(!r.closed || h.revoked(), "I3, I4: no use after close");
      if (long_one)
        std::this_thread::yield();
    }
    must(r.stamp == 42, "I3: no use after close");
  }

  void leave(hold& h) {
    auto& r = *static_cast<resource*>(h.resource());
    must(!r.closed || h.revoked(), "I4: never closed while held");
    r.users.fetch_sub(1, std::memory_order_relaxed);
    h.give_back();
  }

  // -- the supervisor ---------------------------------------------------------

  void supervise() {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2: return open();
      case 3: return evict();
      case 4: return call_attention(random_() % 2 == 0);
      case 5:
        return random_() % 8 == 0 ? take_anything() : take_hand_overs(true);
      default:
        std::this_thread::yield();
        return take_hand_overs(random_() % 2 == 0);
    }
  }

  void open() {
    if (live_ >= per_key_max)
      return;
    auto& s = place_.vacancy();
    auto before = std::exchange(slots_, 0u);
    place_.for_each([this](slot&) { ++slots_; });
    count.grown += slots_ > before;
    std::string p = params[random_() % params.size()];
    s.begin_open(++ids_, p, time_.now());
    ++live_;
    if (random_() % 16 == 0) {
      --live_;
      ++count.open_failed;
      return s.open_failed();
    }
    auto r = std::make_shared<resource>();
    r->params = p;
    ++count.opened;
    s.opened(r.get(), time_.now(), 0, attention_);
    must(owned_.emplace(ids_, std::move(r)).second, "I3: opened once");
    must(live_ <= per_key_max, "I1");
  }

  void evict() {
    auto [place, seen] = place_.least_recently_used();
    if (place == nullptr)
      return;
    auto stamp = place->last_used();
    std::this_thread::yield(); // let somebody come in between
    if (!place->try_take(seen)) {
      ++count.evict_lost;
      return;
    }
    must(place->last_used() == stamp, "I5: not used since it was seen");
    ++count.evicted;
    close(*place);
  }

  // Takes whatever is open, as the word is right now: held or not.
  void take_anything() {
    place_.for_each([&](slot& s) {
      auto seen = s.word();
      if (seen.in() != phase::open)
        return;
      if (s.try_take(seen))
        close(s);
      else
        ++count.take_refused;
    });
  }

  // @pre taken
  void close(slot& s) {
    auto entry = owned_.extract(s.id());
    must(!entry.empty(), "I3: closed once");
    auto& r = *entry.mapped();
    must(r.users == 0, "I4: never closed while held");
    must(!r.closed.exchange(true), "I3: closed once");
    r.stamp = 0; // a holder would race with this
    r.uses = 0;
    s.finish_close();
    --live_;
  }

  void call_attention(bool on) {
    attention_ = on;
    ++count.attention;
    place_.for_each([&](slot& s) {
      if (s.word().in() == phase::open && !s.doom)
        s.set_attention(on);
    });
  }

  void take_hand_overs(bool lend_on) {
    std::vector<std::pair<slot*, bool>> mail;
    {
      std::lock_guard guard{mutex_};
      mail.swap(mail_);
    }
    for (auto [s, healthy] : mail) {
      if (s->word().in() != phase::open) { // revoked on its way
        hold{s}.give_back();
        continue;
      }
      if (!healthy && !s->doom)
        s->doom = close_reason::unhealthy;
      if (!s->doom && lend_on && s->word().attention()) {
        ++count.lent_on; // the supervisor passes the hold on to a waiter
        hold h{s};
        use(h, std::string{s->params()}, false);
        leave(h);
        continue;
      }
      if (s->doom)
        s->set_attention(true);
      auto left = s->drop_hold();
      if (s->doom && left == 0) {
        must(s->try_take(s->word()), "who comes last leaves it to be closed");
        ++count.unhealthy;
        close(*s);
      }
    }
  }

  void force() {
    place_.for_each([&](slot& s) {
      if (s.word().in() != phase::open)
        return;
      auto entry = owned_.extract(s.id());
      must(!entry.empty(), "I3: closed once");
      auto& r = entry.mapped();
      std::shared_ptr<void> keep{r.get(),
                                 [owner = r](void*) { ++count.destroyed; }};
      kept_.emplace_back(keep);
      auto holders = s.revoke(keep);
      must(!r->closed.exchange(true), "I3: closed once");
      --live_;
      count.revoked += holders;
      if (holders == 0) {
        s.forget();
        s.finish_close();
      } else {
        ++count.revoked_last;
      }
    });
  }

  steady_time time_;
  lending_terms terms_;
  shelf place_;
  std::mt19937 random_;
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::vector<std::pair<slot*, bool>> mail_;
  std::map<std::uint64_t, std::shared_ptr<resource>> owned_;
  std::vector<std::weak_ptr<void>> kept_;
  std::uint64_t ids_ = 0;
  std::size_t live_ = 0;
  std::size_t slots_ = 1;
  bool attention_ = false;
};

} // namespace

int main() {
  for (int i = 0; i < rounds; ++i)
    rush(i % 2 == 0 ? 1 : 3, static_cast<unsigned>(i)).run();
  stress::conclude({{"borrowed", count.borrowed},
                    {"shared", count.shared},
                    {"refused", count.refused},
                    {"collided", count.collided},
                    {"grown", count.grown},
                    {"opened", count.opened},
                    {"open_failed", count.open_failed},
                    {"evicted", count.evicted},
                    {"evict_lost", count.evict_lost},
                    {"take_refused", count.take_refused},
                    {"attention", count.attention},
                    {"handed_over", count.handed_over},
                    {"lent_on", count.lent_on},
                    {"given_up", count.given_up},
                    {"unhealthy", count.unhealthy},
                    {"revoked", count.revoked},
                    {"revoked_last", count.revoked_last},
                    {"destroyed", count.destroyed}});
}
