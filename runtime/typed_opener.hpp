#pragma once

#include <steward/core/opener.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/errors.hpp>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace steward {

/// A user's opener behind the untyped interface. `Opener` has
///   `open(const open_request&)`, or is callable with it: returns a `T`, a
///     `std::unique_ptr<T>`, or a `caf::expected` of one of them; may throw;
///   optionally `close(T&, close_reason)` or `close(T&)`: what it throws is
///     ignored; the destructor of `T` runs after it;
///   optionally `check(T&) -> bool`, on each return, by the holder's thread;
///   optionally `static constexpr bool blocks = false`: whoever asks or gives
///     back may run it itself. Else workers do, several at a time.
template <class T, class Opener>
class typed_opener final : public any_opener {
public:
  explicit typed_opener(Opener user) : user_(std::move(user)) {
  }

  outcome open(const open_request& what) noexcept override {
    try {
      return boxed(what);
    } catch (const std::exception& e) {
      return {nullptr, e.what()};
    } catch (...) {
      return {nullptr, "the opener threw something that is no std::exception"};
    }
  }

  bool check([[maybe_unused]] void* resource) noexcept override {
    if constexpr (has_check) {
      try {
        return user_.check(*static_cast<T*>(resource));
      } catch (...) {
        return false;
      }
    } else {
      return true;
    }
  }

  void close([[maybe_unused]] void* resource,
             [[maybe_unused]] close_reason why) noexcept override {
    try {
      if constexpr (requires(Opener & o, T & x) { o.close(x, why); })
        user_.close(*static_cast<T*>(resource), why);
      else if constexpr (requires(Opener & o, T & x) { o.close(x); })
        user_.close(*static_cast<T*>(resource));
    } catch (...) {
      // It is gone either way.
    }
  }

  void destroy(void* resource) noexcept override {
    delete static_cast<T*>(resource);
  }

  bool blocks() const noexcept override {
    if constexpr (requires { Opener::blocks; })
      return Opener::blocks;
    else
      return true;
  }

  bool checks() const noexcept override {
    return has_check;
  }

private:
  static constexpr bool has_check = requires(Opener & o, T& x) {
    static_cast<bool>(o.check(x));
  };

  decltype(auto) call(const open_request& what) {
    if constexpr (requires(Opener & o) { o.open(what); })
      return user_.open(what);
    else
      return user_(what);
  }

  outcome boxed(const open_request& what) {
    using result
      = std::remove_cvref_t<decltype(std::declval<typed_opener&>().call(what))>;
    if constexpr (std::is_same_v<result, T>) {
      return {new T(call(what)), {}};
    } else if constexpr (std::is_same_v<result, std::unique_ptr<T>>) {
      return unboxed(call(what));
    } else {
      auto x = call(what);
      if (!x)
        return {nullptr, describe(x.error())};
      if constexpr (std::is_constructible_v<T, decltype(std::move(*x))>)
        return {new T(std::move(*x)), {}};
      else
        return unboxed(std::move(*x));
    }
  }

  static outcome unboxed(std::unique_ptr<T> x) {
    if (x == nullptr)
      return {nullptr, "the opener returned nothing"};
    return {x.release(), {}};
  }

  Opener user_;
};

} // namespace steward
