#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/core/atomic.hpp>
#include <steward/messages/acquire.hpp>

#include <memory>
#include <string>
#include <utility>

namespace steward {

/// What the directory has of a key: its shelf and who decides about it.
class key_entry final : public shelf_keeper,
                        public std::enable_shared_from_this<key_entry> {
public:
  key_entry(std::string key, std::shared_ptr<pool_context> context)
    : pool(std::move(context)), place(std::move(key), pool->terms, *this) {
  }

  void hand_over(slot& s, bool healthy) noexcept override {
    // The hold in the message keeps the slot, and so this entry. Should the
    // supervisor be gone, as after a revocation, the hold drops itself.
    auto what = std::make_shared<hold>(&s);
    what->hand_over();
    cafx::send_anon(supervisor, released{std::move(what), healthy});
  }

  bool check(void* resource) noexcept override {
    return pool->opener->check(resource);
  }

  const std::shared_ptr<pool_context> pool;
  shelf place;
  caf::actor supervisor; ///< set under the directory's lock, then constant

  /// Messages that keep the supervisor from leaving: counted up under the
  /// directory's lock, down by the supervisor. // I8
  atomic<std::uint32_t> on_the_way{0};
};

} // namespace steward
