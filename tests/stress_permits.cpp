// Supervisors take and put permits without a message where they can, and ask a
// budget where they cannot; the budget queues, grants and refuses. Runs under
// ThreadSanitizer: where there is one permit in all, who has it writes a plain
// variable. Ends with 1 if an invariant broke, or if something that should
// happen never did.
#include "stress.hpp"

#include <steward/core/budget_book.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <variant>
#include <vector>

using namespace steward;
using namespace std::chrono_literals;

const char* const stress::program = "stress_permits";
using stress::must;

namespace {

constexpr std::size_t supervisors_count = 4;
constexpr int rounds = 8; // half of them with one permit, half with three
constexpr auto round_time = 300ms;

struct event_counts {
  std::atomic<std::uint64_t> taken, asked, granted, denied, put, put_by_message,
    all_out;
};

event_counts count;

// One request at a time, and what became of it.
struct supervisor {
  enum class answer { none, granted, denied };
  std::atomic<answer> heard{answer::none};
};

struct put {};

using message = std::variant<supervisor*, put>;

class rush {
public:
  rush(std::size_t total, unsigned seed)
    : total_(total), all_(total), book_(all_, full_policy::reject),
      seed_(seed) {
  }

  void run() {
    std::vector<supervisor> everybody(supervisors_count);
    std::vector<std::thread> threads;
    for (auto& x : everybody)
      threads.emplace_back([this, &x, seed = seed_++] { work(x, seed); });
    auto end = std::chrono::steady_clock::now() + round_time;
    while (std::chrono::steady_clock::now() < end)
      serve();
    over_ = true;
    while (working_ > 0)
      serve();
    for (auto& x : threads)
      x.join();
    serve();
    must(out_ == 0, "all are back");
    must(all_.start_queue() == total_, "no permit is lost and none is made");
  }

private:
  void work(supervisor& me, unsigned seed) {
    std::mt19937 random{seed};
    while (!over_) {
      if (all_.try_take())
        ++count.taken;
      else if (!ask(me))
        continue;
      use(random() % 64 == 0);
      if (all_.try_put()) {
        ++count.put;
      } else {
        ++count.put_by_message;
        send(put{});
      }
    }
    --working_;
  }

  bool ask(supervisor& me) {
    ++count.asked;
    me.heard = supervisor::answer::none;
    send(&me);
    while (me.heard == supervisor::answer::none)
      std::this_thread::yield();
    return me.heard == supervisor::answer::granted;
  }

  void use(bool long_one) {
    // Relaxed: the order that matters is for the permits to make.
    auto now = out_.fetch_add(1, std::memory_order_relaxed) + 1;
    must(now <= total_, "I2");
    count.all_out += now == total_;
    if (total_ == 1)
      ++uses_; // a race, if two had it, or if it came by without order
    for (int i = 0; long_one && i < 20; ++i)
      std::this_thread::yield();
    out_.fetch_sub(1, std::memory_order_relaxed);
  }

  // -- the budget -------------------------------------------------------------

  void send(message x) {
    std::lock_guard guard{mutex_};
    mail_.push_back(x);
  }

  void serve() {
    std::vector<message> mail;
    {
      std::lock_guard guard{mutex_};
      mail.swap(mail_);
    }
    for (auto& x : mail) {
      budget_book<supervisor*>::effects out;
      if (auto* who = std::get_if<supervisor*>(&x))
        book_.wanted(*who, out);
      else
        book_.returned(out);
      for (auto& y : out)
        std::visit([](const auto& z) { tell(z); }, y);
    }
    std::this_thread::yield();
  }

  static void tell(const budget_book<supervisor*>::grant& x) {
    ++count.granted;
    x.to->heard = supervisor::answer::granted;
  }

  static void tell(const budget_book<supervisor*>::deny& x) {
    ++count.denied;
    x.to->heard = supervisor::answer::denied;
  }

  static void tell(const budget_book<supervisor*>::ask&) {
    must(false, "nobody has a resource to give up");
  }

  std::size_t total_;
  permits all_;
  budget_book<supervisor*> book_;
  unsigned seed_;
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> working_{supervisors_count};
  std::atomic<std::size_t> out_{0};
  std::uint64_t uses_ = 0; // no lock, no atomic
  std::mutex mutex_;
  std::vector<message> mail_;
};

} // namespace

int main() {
  for (int i = 0; i < rounds; ++i)
    rush(i % 2 == 0 ? 1 : 3, static_cast<unsigned>(i) * 16).run();
  stress::conclude({{"taken", count.taken},
                    {"asked", count.asked},
                    {"granted", count.granted},
                    {"denied", count.denied},
                    {"put", count.put},
                    {"put_by_message", count.put_by_message},
                    {"all_out", count.all_out}});
}
