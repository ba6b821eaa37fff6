#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/opener.hpp>
#include <steward/core/slot.hpp>
#include <steward/messages/caf.hpp>

#include <memory>
#include <string>
#include <utility>

namespace steward {

/// A resource on its way from a worker to its supervisor. If nobody takes it,
/// because the supervisor was abandoned, it is closed as `drained`.
class arriving_resource {
public:
  arriving_resource(std::shared_ptr<any_opener> opener, void* resource)
    : opener_(std::move(opener)), resource_(resource) {
  }

  arriving_resource(const arriving_resource&) = delete;
  arriving_resource& operator=(const arriving_resource&) = delete;

  ~arriving_resource() {
    if (resource_ == nullptr)
      return;
    opener_->close(resource_, close_reason::drained);
    opener_->destroy(resource_);
  }

  void* take() noexcept {
    return std::exchange(resource_, nullptr);
  }

private:
  std::shared_ptr<any_opener> opener_;
  void* resource_;
};

/// To a supervisor, from an opener worker: this open came to its end.
struct opened {
  slot* place = nullptr;
  std::shared_ptr<arriving_resource> resource; ///< null if it failed
  std::string error;
};

/// To a supervisor, from an opener worker: this close came to its end.
struct closed {
  slot* place = nullptr;
  close_reason why{};
  bool revoked = false;
};

} // namespace steward

STEWARD_MESSAGE(steward::opened)
STEWARD_MESSAGE(steward::closed)
