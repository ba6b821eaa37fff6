#pragma once

// Persistence in one thread and in virtual time, on a real SQLite file.

#include "record_fixtures.hpp"

#include <steward/actors/log.hpp>
#include <steward/actors/persistence.hpp>
#include <steward/actors/record_router.hpp>
#include <steward/storage/forwarding_store.hpp>
#include <steward/storage/sqlite_store.hpp>

#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace record_test {

/// A store that counts, and that a test can make fail: before the write, or
/// after it, as when the answer to a commit is lost.
class spy_store final : public steward::forwarding_store {
public:
  struct log {
    std::vector<std::size_t> writes; ///< rows of each call, failed ones too
    std::function<void(steward::record_store&)> before;
    std::function<void()> after;
    std::function<void()> waits; ///< what a store shall call while it waits
    bool closed = false;
  };

  spy_store(std::unique_ptr<steward::record_store> inner,
            std::shared_ptr<log> seen)
    : forwarding_store(std::move(inner)), seen_(std::move(seen)) {
  }

  ~spy_store() override {
    seen_->closed = true;
  }

  std::vector<steward::record_answer>
  write(std::span<const steward::record_write> rows,
        steward::duration wait_max) override {
    seen_->writes.push_back(rows.size());
    if (seen_->before)
      seen_->before(inner());
    auto answers = inner().write(rows, wait_max);
    if (seen_->after)
      seen_->after();
    return answers;
  }

  void on_wait(std::function<void()> fun) override {
    seen_->waits = std::move(fun);
  }

private:
  std::shared_ptr<log> seen_;
};

/// The virtual time of a test.
class hand_time final : public steward::timepiece {
public:
  steward::time_point now() const noexcept override {
    return now_;
  }

  steward::time_point stamp() const noexcept override {
    return now_;
  }

  void leave_out(steward::duration) noexcept override {
  }

  void advance(steward::duration d) {
    now_ += d;
  }

private:
  steward::time_point now_ = noon;
};

inline caf::actor_system_config& make_virtual(caf::actor_system_config& cfg) {
  cfg.set("scheduler.policy", caf::atom("testing"));
  return cfg;
}

struct persistence_fixture {
  temp_dir dir;
  std::filesystem::path path = dir / "records.db";
  std::string url = "sqlite:" + path.string();
  caf::actor_system_config cfg;
  caf::actor_system sys{make_virtual(cfg)};
  caf::scheduler::test_coordinator& scheduler
    = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  std::shared_ptr<hand_time> time = std::make_shared<hand_time>();
  std::shared_ptr<steward::record_counters> counters
    = std::make_shared<steward::record_counters>();
  std::shared_ptr<steward::record_desk> desk; // of `persistence`
  std::shared_ptr<spy_store::log> spy = std::make_shared<spy_store::log>();
  steward::persistence_options options;
  caf::actor persistence;
  caf::actor router; // takes the messages

  persistence_fixture() {
    options.lock_wait_max = 0ns; // waiting for a lock would be real
    // The trouble is planted.
    steward::logger_of("persistence").set_level(spdlog::level::off);
  }

  ~persistence_fixture() {
    spy->before = nullptr;
    spy->after = nullptr;
    if (router)
      caf::anon_send_exit(router, caf::exit_reason::user_shutdown);
    persistence = nullptr;
    router = nullptr;
    scheduler.run();
    scheduler.clock().cancel_all();
  }

  void start() {
    steward::persistence_parts parts;
    parts.store
      = std::make_unique<spy_store>(steward::open_record_store(url, 5s), spy);
    parts.counters = counters;
    parts.time = time;
    desk = std::make_shared<steward::record_desk>(options.queue_max, counters);
    parts.desk = desk;
    parts.options = options;
    persistence = steward::spawn_persistence(sys, std::move(parts),
                                             steward::run_on::shared_threads);
    router = steward::spawn_record_router(sys, {writer()});
  }

  steward::record_writer writer() const {
    return {persistence, desk};
  }

  template <class Message>
  void send(Message msg) {
    steward::cafx::send_anon(router, std::move(msg));
  }

  // What is left without a message is there at once.
  void note(steward::record_write write) {
    writer().tell_of(desk->leave_note(std::move(write)));
  }

  // As a thread asks that waits.
  steward::record_desk::left_by_thread
  leave(std::string name, steward::time_point deadline = steward::never) {
    steward::create_record wanted{draft(std::move(name), ++asked_)};
    auto left = desk->leave(std::move(wanted), deadline);
    writer().tell_of(left);
    return left;
  }

  steward::record_place ask(std::string name,
                            steward::time_point deadline = steward::never) {
    return leave(std::move(name), deadline).place;
  }

  std::future<steward::records_flushed> ask_flush(steward::time_point deadline
                                                  = steward::never) {
    auto reply = std::make_shared<std::promise<steward::records_flushed>>();
    auto coming = reply->get_future();
    send(steward::flush_records_blocking{deadline, std::move(reply)});
    return coming;
  }

  std::future<steward::records_flushed> ask_stop(steward::time_point deadline
                                                 = steward::never) {
    auto reply = std::make_shared<std::promise<steward::records_flushed>>();
    auto coming = reply->get_future();
    send(steward::stop_records_blocking{deadline, std::move(reply)});
    return coming;
  }

  void run() {
    scheduler.run();
  }

  // Lets `d` pass, from one delayed message to the next. Persistence reads
  // `time`, which can be told to stand still.
  void pass(steward::duration d, bool time_moves = true) {
    auto& clock = scheduler.clock();
    auto end = clock.current_time + d;
    run();
    for (;;) {
      auto next = clock.schedule().begin();
      auto at = next == clock.schedule().end() ? end
                                               : std::min(next->first, end);
      auto step = std::max<steward::duration>(at - clock.current_time, 0ns);
      if (time_moves)
        time->advance(step);
      auto fired = clock.advance_time(step);
      run();
      if (fired == 0 && clock.current_time >= end)
        return;
    }
  }

  static bool ready(const steward::record_place& x) {
    return x.with->wait(x.number, 0s);
  }

  static steward::record_answer take(const steward::record_place& x) {
    BOOST_REQUIRE_MESSAGE(ready(x), "there is no answer yet");
    return x.with->take(x.number);
  }

  // The answer, which must be there.
  template <class Answer>
  static Answer take(std::future<Answer>& x) {
    BOOST_REQUIRE_MESSAGE(x.wait_for(0s) == std::future_status::ready,
                          "there is no answer yet");
    return x.get();
  }

  std::vector<steward::record> rows() {
    return steward::open_record_store(url, 5s)->list("", 5s);
  }

private:
  unsigned asked_ = 0;
};

[[noreturn]] inline void fail_with(steward::store_errc code) {
  throw steward::store_failure{code, "planted " + std::string{to_string(code)}};
}

} // namespace record_test
