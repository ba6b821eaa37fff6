#pragma once

#include <steward/actors/job_runner.hpp>
#include <steward/actors/key_entry.hpp>
#include <steward/core/supervision.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/budget.hpp>
#include <steward/messages/open.hpp>
#include <steward/messages/tick.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace steward {

/// The actor that owns one key's slots. It translates messages to events of
/// `supervision` and carries out the effects; it decides nothing and never
/// blocks: what may, runs on the pool's job runner.
class supervisor_state {
public:
  using self_pointer = caf::stateful_actor<supervisor_state>*;

  explicit supervisor_state(self_pointer self) : self_(self) {
  }

  static constexpr const char* name = "steward.supervisor";

  /// `waits`: until `begin`, as somebody attends to the key.
  caf::behavior make_behavior(std::shared_ptr<key_entry> entry, bool waits);

private:
  // How a request wants to be told its end.
  struct to_holder { // a lease in a message; the holder is monitored
    caf::response_promise promise;
    caf::actor_addr who;
  };
  using reply = std::variant<relay::sink, to_holder>;

  struct lease {
    hold what;
    caf::actor_addr who;
  };

  caf::behavior begin_now();
  void acquire(const std::string& params, time_point deadline, reply to);
  void release(std::uint64_t ticket, bool healthy);
  void take_back(hold what, bool healthy);
  void holder_died(const caf::actor_addr& who);
  void free_leases_of(const caf::actor_addr& who);
  void finish_open(slot& place, void* resource, const std::string& error);
  void finish_close(slot& place, close_reason why, bool revoked);
  void on_tick(const cleanup_tick& tick);
  void force();

  void carry_out(); // all effects, the clock, the jobs, then the answers
  void try_to_sleep();
  void tell_clock();
  void act(const effect::answer&) const {
  }
  void act(const effect::reject&) const {
  }
  void act(const effect::open_resource& x);
  void act(const effect::close_resource& x);
  void act(const effect::ask_permit&);
  void act(const effect::return_permit&);
  void act(const effect::report_opened& x);
  void act(const effect::report_idle& x);
  void act(const effect::report_closed& x);
  void act(const effect::passivate&);
  void tell(const effect::answer& x);
  void tell(const effect::reject& x);
  template <class T>
  void tell(const T&) const {
  }

  static void fail(reply& to, const caf::error& why);
  std::optional<reply> take_reply(request_id id);
  void watch(const caf::actor_addr& who);
  void unwatch(const caf::actor_addr& who);
  std::string refusal_text(errc why, const rejection& figures) const;
  void leave();

  void call_in();
  void let_pass_on();

  // Before it is said that a message came, so that nobody overtakes it.
  void arrived() {
    call_in();
    entry_->arrived();
  }

  time_point now() const {
    return pool_->time->now();
  }

  self_pointer self_;
  std::shared_ptr<key_entry> entry_;
  pool_context* pool_ = nullptr;
  std::optional<supervision> core_;
  time_point armed_ = never;
  effects out_;
  std::vector<job> jobs_; // of `out_`
  std::uint64_t last_tick_ = 0;
  bool ticking_ = false; // the clock waits for an answer
  bool gone_ = false;    // nobody finds us any more
  bool dozy_ = false;    // we should sleep when we can
  request_id requests_ = 0;
  std::unordered_map<request_id, reply> replies_;
  std::size_t holders_asking_ = 0; // replies to holders
  std::unordered_map<std::uint64_t, lease> leases_;
  std::map<caf::actor_addr, std::size_t>
    watched_;              // requests and leases of each
  std::string open_error_; // of the open that failed last
};

/// Spawns as `caf::actor`; `entry` knows the pool.
caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self,
                         std::shared_ptr<key_entry> entry, bool waits);

} // namespace steward
