#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace steward::bench {

/// What a subject is made with.
struct limits {
  std::size_t per_key = 8;
  std::optional<std::size_t> total;
  /// Idle for that long, a resource is closed.
  std::chrono::seconds idle_timeout{300};
  /// Whether time only goes on when `pass` is called, as far as that can be.
  bool manual_time = false;
};

/// What is measured: something that lends resources by key. Opening one costs
/// nothing. `borrow` evicts the least recently used idle resource of the key,
/// or of all keys, where a limit is reached; what it returns is false if there
/// is none, else gives back when it goes. Any thread.
template <class S>
concept subject = std::constructible_from<S, const limits&> && requires(
  S& s, std::string_view key, std::string_view params) {
  { S::name } -> std::convertible_to<std::string_view>;
  static_cast<bool>(s.borrow(key, params));
  { s.opened() } -> std::convertible_to<std::uint64_t>; // ever
  { s.open() } -> std::convertible_to<std::uint64_t>;   // now
};

/// A subject that can also be asked by an actor of CAF, without blocking it:
/// `borrow(self, key, params, on_lease, on_refusal)` calls one of both, in
/// `self`. `system()` is where the clients live.
template <class S>
concept actor_subject = subject<S> && requires(S& s) {
  s.system();
};

/// A subject that closes what is idle. `pass(d)` lets so much time go by and
/// what is due begin, and returns when all of that is closed or under way.
template <class S>
concept expiring_subject
  = subject<S> && requires(S& s, std::chrono::seconds d) {
  s.pass(d);
};

} // namespace steward::bench
