// The real decisions under real threads: users borrow and give back without a
// message, and send one where they cannot; one thread runs `supervision`, with
// opens and closes that take a while. After each event: who waits does not wait
// beside a free slot (I7). Runs under ThreadSanitizer; ends with 1 if anything
// broke, or if something that should happen never did.
#include "core_fixtures.hpp"
#include "stress.hpp"

#include <steward/core/hold.hpp>
#include <steward/core/supervision.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace core_test;

const char* const stress::program = "stress_supervision";
using stress::must;

namespace {

constexpr std::size_t users_count = 4;
constexpr int rounds = 8; // half of them exclusive, half shared
constexpr auto round_time = 500ms;

struct event_counts {
  std::atomic<std::uint64_t> borrowed, sent, granted, refused, waited,
    handed_over, opened, closed, evicted, idle, requested;
};

event_counts count;

struct resource {
  std::atomic<std::size_t> users{0};
  std::uint64_t stamp = 42; // read by holders, overwritten by the close
};

struct request {
  std::string params;
  hold what;
  std::atomic<bool> done{false};
};

struct returned {
  slot* place;
  bool healthy;
};

using message = std::variant<request*, returned>;

// Moves on by 50 us with each look at it, so that some slots become idle.
class counting_time final : public timepiece {
public:
  time_point now() const noexcept override {
    return start + duration{looks_.fetch_add(1) * 50'000};
  }

  time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(duration) noexcept override {
  }

private:
  mutable std::atomic<std::int64_t> looks_{0};
};

pool_options some_options(std::size_t holders_max) {
  pool_options result;
  result.per_key_max = 3;
  result.holders_max = holders_max;
  result.tick = 1ms;
  result.idle_timeout = 1ms;
  return result;
}

// One key, from the first request to the end of its drain.
class rush : public shelf_keeper {
public:
  rush(std::size_t holders_max, unsigned seed)
    : options_(some_options(holders_max)), terms_{&time_, holders_max, false},
      place_("key", terms_, *this),
      core_(place_, options_, budget_, opened_seq_,
            cleanup_grid{start, options_.tick}, start),
      random_(seed) {
  }

  void run() {
    std::vector<std::thread> users;
    for (unsigned i = 0; i < users_count; ++i)
      users.emplace_back([this, i] { use_until_the_end(i); });
    auto end = std::chrono::steady_clock::now() + round_time;
    while (std::chrono::steady_clock::now() < end)
      supervise();
    over_ = true;
    core_.drain(time_.now(), out_);
    carry_out();
    auto last = std::chrono::steady_clock::now() + 20s;
    while (!left_ || users_left_ > 0) {
      must(std::chrono::steady_clock::now() < last, "a drain comes to its end");
      take_mail();
      finish_one();
      std::this_thread::yield();
    }
    for (auto& x : users)
      x.join();
    must(resources_.empty(), "I3: all that was opened was closed");
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    ++count.handed_over;
    send(returned{&s, healthy});
  }

  void idle_again(slot&, function_ref<void()>) noexcept override {
    must(false, "without a budget nobody misses anything");
  }

  bool check(void*) noexcept override {
    return true;
  }

private:
  void send(message x) {
    std::lock_guard guard{mutex_};
    mail_.push_back(x);
  }

  // -- users ------------------------------------------------------------------

  void use_until_the_end(unsigned seed) {
    std::mt19937 random{seed};
    while (!over_) {
      std::string wish = random() % 4 == 0 ? "b" : "a";
      hold h{place_.borrow(wish, tag_of(wish))};
      if (h) {
        ++count.borrowed;
      } else {
        h = ask_for(wish);
        if (!h)
          continue;
      }
      use(h, wish, random() % 16 == 0);
      if (random() % 256 == 0)
        h.give_up();
    }
    --users_left_;
  }

  hold ask_for(const std::string& wish) {
    ++count.sent;
    request mine;
    mine.params = wish;
    send(&mine);
    while (!mine.done)
      std::this_thread::yield();
    return std::move(mine.what);
  }

  void use(hold& h, const std::string& wish, bool long_one) {
    auto& r = *static_cast<resource*>(h.resource());
    must(++r.users <= terms_.holders_max, "never more holders than may share");
    must(h.place()->params() == wish, "equal params");
    for (int i = 0; long_one && i < 20; ++i)
      std::this_thread::yield();
    must(r.stamp == 42, "I3, I4: no use after close");
    --r.users;
  }

  // -- the supervisor ---------------------------------------------------------

  void supervise() {
    auto now = time_.now();
    switch (random_() % 32) {
      case 0:
        core_.tick(now, out_);
        carry_out();
        break;
      case 1:
        if (random_() % 32 == 0)
          core_.evict(now, out_);
        carry_out();
        break;
      case 2:
      case 3:
      case 4: finish_one(); break;
      default: std::this_thread::yield(); take_mail();
    }
  }

  void take_mail() {
    std::vector<message> mail;
    {
      std::lock_guard guard{mutex_};
      mail.swap(mail_);
    }
    for (auto& x : mail) {
      if (auto* back = std::get_if<returned>(&x)) {
        core_.released(*back->place, back->healthy, time_.now(), out_);
      } else {
        auto* from = std::get<request*>(x);
        auto id = ++requests_;
        pending_.emplace(id, from);
        core_.acquire(id, from->params, never, time_.now(), out_);
      }
      carry_out();
    }
  }

  // Ends the open or close that is under way for longest.
  void finish_one() {
    if (under_way_.empty())
      return;
    auto* s = under_way_.front();
    under_way_.erase(under_way_.begin());
    auto now = time_.now();
    if (s->word().in() == phase::opening) {
      ++count.opened;
      auto& r = resources_[s->id()];
      must(r == nullptr, "I3: opened once");
      r = std::make_unique<resource>();
      core_.opened(*s, r.get(), now, out_);
    } else {
      ++count.closed;
      auto entry = resources_.extract(s->id());
      must(!entry.empty(), "I3: closed once");
      must(entry.mapped()->users == 0, "I4");
      entry.mapped()->stamp = 0; // a holder would race with this
      core_.closed(*s, false, now, out_);
    }
    carry_out();
  }

  void carry_out() {
    for (std::size_t i = 0; i < out_.size(); ++i)
      std::visit([this](auto& x) { act(x); }, out_[i]);
    out_.clear();
    count.waited += pending_.size();
    must(core_.waiting() == pending_.size(), "I6: one answer each");
    must(core_.live() <= options_.per_key_max, "I1");
    if (pending_.empty())
      return;
    place_.for_each([this](slot& s) { // with attention it stands still
      auto w = s.word();
      if (w.in() != phase::open || s.doom || w.holders() >= terms_.holders_max)
        return;
      for (auto& [id, x] : pending_)
        must(x->params != s.params(), "I7: nobody waits beside a free slot");
    });
  }

  void act(const effect::answer& x) {
    ++count.granted;
    auto entry = pending_.extract(x.to);
    must(!entry.empty(), "I6: one answer each");
    entry.mapped()->what = hold{x.place, x.fresh};
    entry.mapped()->done = true; // it may be gone from here on
  }

  void act(const effect::reject& x) {
    ++count.refused;
    auto entry = pending_.extract(x.to);
    must(!entry.empty(), "I6: one answer each");
    entry.mapped()->done = true;
  }

  void act(const effect::open_resource& x) {
    under_way_.push_back(x.place);
  }

  void act(const effect::close_resource& x) {
    count.evicted += x.why == close_reason::evicted;
    count.idle += x.why == close_reason::idle;
    count.requested += x.why == close_reason::requested;
    under_way_.push_back(x.place);
  }

  void act(const effect::passivate&) {
    if (core_.draining())
      left_ = true;
  }

  template <class Other>
  void act(const Other&) {
    must(false, "without total_max nobody speaks of permits");
  }

  pool_options options_;
  counting_time time_;
  lending_terms terms_;
  shelf place_;
  permits budget_{unlimited};
  std::atomic<std::uint64_t> opened_seq_{0};
  supervision core_;
  std::mt19937 random_;
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> users_left_{users_count};
  bool left_ = false;
  std::mutex mutex_;
  std::vector<message> mail_;
  effects out_;
  request_id requests_ = 0;
  std::map<request_id, request*> pending_;
  std::vector<slot*> under_way_;
  std::map<std::uint64_t, std::unique_ptr<resource>> resources_;
};

} // namespace

int main() {
  for (int i = 0; i < rounds; ++i)
    rush(i % 2 == 0 ? 1 : 2, static_cast<unsigned>(i)).run();
  stress::conclude({{"borrowed", count.borrowed},
                    {"sent", count.sent},
                    {"granted", count.granted},
                    {"refused", count.refused},
                    {"waited", count.waited},
                    {"handed_over", count.handed_over},
                    {"opened", count.opened},
                    {"closed", count.closed},
                    {"evicted", count.evicted},
                    {"idle", count.idle},
                    {"requested", count.requested}});
}
