// Threads claim, borrow and close resources whose order is kept in stripes. Runs
// under ThreadSanitizer. Ends with 1 if a resource was lost or had by two, or if
// something that should happen never did.
#include "stress.hpp"

#include <steward/core/idle_stripes.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

const char* const stress::program = "stress_idle_stripes";
using stress::must;

namespace {

constexpr std::size_t threads_count = 4;
constexpr std::size_t resources = 24;
constexpr int steps = 10'000;

struct event_counts {
  std::atomic<std::uint64_t> opened, claimed, lost, used, closed, hopes, kept,
    missed;
};

event_counts count;

class rush {
public:
  void run() {
    for (auto& s : slots_)
      open(s);
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= threads_count; ++seed)
      threads.emplace_back([this, seed] { work(seed); });
    for (auto& x : threads)
      x.join();
    must(all_.expected() == 0, "nothing is expected for ever");
    must(all_.known() == resources, "all that is open is known once");
    for (std::size_t i = 0; i < resources; ++i)
      must(all_.claim(i).has_value(), "all is there");
    must(!all_.claim(0), "and no more");
  }

private:
  // A slot that was closed opens again at once, with another id.
  void open(slot& s) {
    auto id = ++ids_;
    auto at = now();
    s.begin_open(id, "", at);
    s.opened(this, at, 0, false);
    all_.insert({0, &s, id}, at);
    ++count.opened;
  }

  static time_point now() {
    return time_point{std::chrono::steady_clock::now().time_since_epoch()};
  }

  void work(unsigned seed) {
    std::mt19937 random{seed};
    for (int i = 0; i < steps; ++i) {
      auto& s = slots_[random() % resources];
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: claim(random()); break;
        case 3: close(s); break;
        case 4: expect_one(random()); break;
        default: use(s, random() % 256 == 0);
      }
    }
  }

  // What looked idle may be in use by then.
  static bool take_later(slot& s, std::uint64_t id, bool much_later) {
    if (much_later)
      std::this_thread::yield();
    return take(s, id);
  }

  static bool take(slot& s, std::uint64_t id) {
    auto seen = s.word();
    return s.id() == id && seen.in() == phase::open && seen.holders() == 0
           && s.try_take(seen);
  }

  void claim(std::size_t luck) {
    auto x = all_.claim(luck);
    if (!x)
      return;
    if (take_later(*x->place, x->id, luck % 128 == 0)) {
      ++count.claimed;
      x->place->finish_close();
      open(*x->place);
    } else {
      ++count.lost;
      all_.put_back(*x);
    }
  }

  void close(slot& s) {
    auto id = s.id();
    if (!take(s, id))
      return;
    s.finish_close();
    all_.closed(id);
    ++count.closed;
    open(s);
  }

  void expect_one(std::size_t luck) {
    auto x = all_.expect_next();
    if (!x || !x->ask)
      return;
    ++count.hopes;
    auto& s = *x->from.place;
    if (!take_later(s, x->from.id, luck % 128 == 0)) {
      all_.kept(x->from.id);
      ++count.kept;
      return;
    }
    s.finish_close();
    must(all_.closed(x->from.id), "what is asked for is expected");
    open(s);
  }

  void use(slot& s, bool long_one) {
    auto seen = s.word();
    if (seen.in() != phase::open || seen.holders() > 0 || !s.try_hold(seen))
      return;
    ++count.used;
    if (long_one)
      std::this_thread::yield();
    auto id = s.id();
    if (s.give_back(now()) == slot::given::missed) {
      s.give_back(now(), true, true);
      all_.idle_again(id);
      ++count.missed;
    }
  }

  idle_stripes<int, std::mutex> all_{4};
  std::atomic<std::uint64_t> ids_{0};
  std::array<slot, resources> slots_;
};

} // namespace

int main() {
  for (int i = 0; i < 4; ++i)
    std::make_unique<rush>()->run();
  stress::conclude({{"opened", count.opened},
                    {"claimed", count.claimed},
                    {"lost", count.lost},
                    {"used", count.used},
                    {"closed", count.closed},
                    {"hopes", count.hopes},
                    {"kept", count.kept},
                    {"missed", count.missed}});
}
