#pragma once

#include <steward/core/hold.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/ids.hpp>

#include <memory>
#include <string>

namespace steward {

/// To a pool's front: lend me a resource. Answered exactly once, by `granted`
/// or an error. The sender is monitored: its death gives the resource back.
struct acquire {
  std::string key;
  std::string params = {};
  duration within = duration::zero(); ///< longest wait; zero: `open_timeout`
};

/// The answer: the resource is yours until `release`.
struct granted {
  lease_id lease;
  void* resource = nullptr; ///< a `T*` of the pool's type, in this process
  bool fresh = false;       ///< opened for this request
};

/// To a pool's front, from who has the lease: I am done with it. Has no answer;
/// a lease of somebody else, or given back already, is ignored.
struct release {
  lease_id lease;
  bool healthy = true; ///< false: close it instead of lending it again
};

/// To a pool's front: close what this key has, idle things now and held ones
/// when they come back. Answered by `evicting`.
struct evict {
  std::string key;
};

/// How many resources are being closed, now or when they come back.
struct evicting {
  std::size_t resources = 0;
};

// -- between the handles of a pool and its supervisors ------------------------

/// Is told the end of a request, once: by the supervisor, or by who gave back
/// what it waited for. Any thread. Dropped unused if nobody is left to answer.
class request_sink {
public:
  virtual ~request_sink() = default;
  virtual void granted(hold what) noexcept = 0;
  virtual void failed(const caf::error& why) noexcept = 0;
};

/// To a supervisor, from a handle of the pool.
struct acquire_into {
  std::string params;
  time_point deadline;
  std::shared_ptr<request_sink> sink;
};

/// The answer to an actor that asked by a handle, or an error. If nobody takes
/// the hold out, it gives itself back.
struct granted_hold {
  std::shared_ptr<hold> what;
};

/// To a supervisor, from the front that got an `acquire`.
struct acquire_lease {
  std::string params;
  time_point deadline;
};

/// To a supervisor, from the front that got a `release`.
struct release_lease {
  std::uint64_t ticket = 0;
  bool healthy = true;
};

/// To a supervisor, from a holder: this came back while you wanted it.
struct released {
  std::shared_ptr<hold> what;
  bool healthy = true;
};

/// From a supervisor to the front and back: this holder is dead, and what it had
/// sent before has come through.
struct holder_gone {
  caf::actor_addr who;
};

/// To a supervisor, from the front that got an `evict`.
struct evict_key {};

} // namespace steward

STEWARD_MESSAGE(steward::acquire)
STEWARD_MESSAGE(steward::granted)
STEWARD_MESSAGE(steward::release)
STEWARD_MESSAGE(steward::evict)
STEWARD_MESSAGE(steward::evicting)
STEWARD_MESSAGE(steward::acquire_into)
STEWARD_MESSAGE(steward::granted_hold)
STEWARD_MESSAGE(steward::acquire_lease)
STEWARD_MESSAGE(steward::release_lease)
STEWARD_MESSAGE(steward::released)
STEWARD_MESSAGE(steward::holder_gone)
STEWARD_MESSAGE(steward::evict_key)
