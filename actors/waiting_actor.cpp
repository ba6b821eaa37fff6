#include <steward/actors/waiting_actor.hpp>

#include <steward/messages/errors.hpp>

#include <memory>
#include <utility>

namespace steward {

waiting_actor::~waiting_actor() {
  if (!answered_)
    failed(make_error(errc::draining, "the pool has shut down"));
}

void waiting_actor::granted(hold what) noexcept {
  answered_ = true;
  who_.answer(nullptr, {std::make_shared<hold>(std::move(what))});
}

void waiting_actor::failed(const caf::error& why) noexcept {
  answered_ = true;
  who_.refuse(nullptr, why);
}

} // namespace steward
