// Actors with a thread of their own: they are stopped, and refused.
#include <steward/runtime/surroundings.hpp>
#include <steward/testkit/internal/threads.hpp>
#include <steward/testkit/sim.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace steward::testkit {

namespace {

// CAF asks its hooks in each new thread before it does anything else there. A
// thread of an actor is told by its name from that of the logger.
class hold final : public caf::thread_hook {
public:
  // A configuration may be that of another system after this one.
  void init(caf::actor_system& sys) override {
    simulated_ = caf::get_or(sys.config(), surroundings::simulated_option,
                             false);
  }

  void thread_started() override {
    std::array<char, 16> name{};
    ::prctl(PR_GET_NAME, name.data());
    while (simulated_ && std::string_view{name.data()} == "caf.actor")
      ::pause();
  }

  void thread_terminates() override {
  }

private:
  std::atomic<bool> simulated_{false};
};

} // namespace

void hold_threads_of(caf::actor_system_config& cfg) {
  auto& all = cfg.thread_hooks_;
  if (std::none_of(all.begin(), all.end(), [](const auto& x) {
        return dynamic_cast<hold*>(x.get()) != nullptr;
      }))
    cfg.add_thread_hook<hold>();
}

void lose(std::unique_ptr<caf::actor_system> what) {
  static std::mutex guard;
  static auto* lost = new std::vector<std::unique_ptr<caf::actor_system>>;
  std::lock_guard lock{guard};
  lost->push_back(std::move(what));
}

bool sim::has_threads() const {
  return sys_->detached_actors() > 0 && judging_;
}

void sim::refuse_threads(const std::string& who) {
  throw failure("an actor with a thread of its own",
                who
                  + ", which is detached or blocking and cannot be simulated; "
                    "make the spawn option a parameter");
}

} // namespace steward::testkit
