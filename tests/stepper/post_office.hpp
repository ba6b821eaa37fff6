#pragma once

// What is no part of a program of the directory: an opener, what stands for
// supervisors in CAF, and how a user waits.

#include <steward/core/opener.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/tests/stepper/acting_supervisor.hpp>
#include <steward/tests/stepper/mailbox.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace stepper {

using namespace steward;

// For who attends; supervisors of the test open and close by themselves.
class no_opener final : public any_opener {
public:
  explicit no_opener(acting_pool& pool) : pool_(pool) {
  }

  outcome open(const open_request&) noexcept override {
    must(++pool_.live.change() <= pool_.options.per_key_max, "I1");
    things_.push_back(std::make_unique<thing>(pool_.options.holders_max));
    reached("opened while asleep");
    return {things_.back().get(), {}};
  }
  bool check(void*) noexcept override {
    return true;
  }
  void close(void* resource, close_reason) noexcept override {
    static_cast<thing*>(resource)->close();
    --pool_.live.change();
    reached("closed while asleep");
  }
  void destroy(void*) noexcept override {
  }
  bool blocks() const noexcept override {
    return false;
  }
  bool checks() const noexcept override {
    return false;
  }

private:
  acting_pool& pool_;
  std::vector<std::unique_ptr<thing>> things_;
};

// What a post box does with what it gets.
inline std::function<void(std::size_t, const cafx::content&)> deliver;

// What stands for a supervisor in CAF: hands its messages on to the program.
class post_box final : public caf::actor_proxy {
public:
  post_box(caf::actor_config& config, std::size_t number)
    : actor_proxy(config), number_(number) {
  }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    deliver(number_, what->content());
  }

  void kill_proxy(caf::execution_unit* context, caf::error why) override {
    cleanup(std::move(why), context);
  }

private:
  std::size_t number_;
};

inline constexpr std::size_t hosts_max = 4;

// Made once: programs come and go by the thousand.
struct post_office {
  post_office() {
    cafx::set_threads(config, 1);
    system.emplace(config);
    for (std::size_t i = 0; i < hosts_max; ++i) {
      caf::actor_config proxy;
      boxes.push_back(caf::make_actor<post_box, caf::actor>(
        system->next_actor_id(), system->node(), &*system, proxy, i));
    }
    the = this;
  }

  ~post_office() {
    boxes.clear();
  }

  static inline post_office* the = nullptr;
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
  std::vector<caf::actor> boxes;
};

// How a user waits.
class sink final : public request_sink {
public:
  explicit sink(mailbox<std::shared_ptr<hold>>& to) : to_(to) {
  }

  ~sink() override {
    if (!answered_)
      run::current()->fail("I8: no message is lost");
  }

  void granted(hold what) noexcept override {
    answer(std::make_shared<hold>(std::move(what)));
  }

  void failed(const caf::error&) noexcept override {
    answer(std::make_shared<hold>());
  }

private:
  void answer(std::shared_ptr<hold> what) {
    must(!std::exchange(answered_, true), "I6: one answer each");
    to_.put(std::move(what));
  }

  mailbox<std::shared_ptr<hold>>& to_;
  bool answered_ = false;
};

} // namespace stepper
