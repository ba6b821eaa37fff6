#pragma once

#include <steward/tests/stepper/run.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace stepper {

/// The common part. @pre no operation while it is being destroyed.
class object {
public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;

protected:
  object() {
    if (auto* r = run::current())
      id_ = r->made(*this);
  }

  ~object() {
    touch(true);
    alive_ = 0;
    if (auto* r = run::current())
      r->gone(*this);
  }

  bool step(const operation& op) const {
    auto* r = run::current();
    if (r == nullptr)
      return true;
    must_live();
    auto result = r->step(op);
    must_live(); // others went on meanwhile
    return result;
  }

  void touch(bool writes) const {
    if (auto* r = run::current())
      r->touch(id_, writes);
  }

  template <class T>
  void note(const T& seen) const {
    if (auto* r = run::current(); r != nullptr && r->traced())
      r->note(*this, number(seen));
  }

  template <class T>
  void note(const T& before, const T& after) const {
    if (auto* r = run::current(); r != nullptr && r->traced())
      r->note(*this, number(before), number(after));
  }

  // -- what a thread knows by having been here --------------------------------

  void acquire() const {
    auto* r = run::current();
    if (r == nullptr || r->looks_on())
      return;
    auto& mine = r->clock();
    for (std::size_t i = 0; i < mine.size(); ++i)
      mine[i] = std::max(mine[i], released_[i]);
  }

  void release() const {
    auto* r = run::current();
    if (r == nullptr || r->looks_on())
      return;
    const auto& mine = r->clock();
    for (std::size_t i = 0; i < mine.size(); ++i)
      released_[i] = std::max(released_[i], mine[i]);
  }

  void forget_released() const {
    released_ = {};
  }

private:
  static constexpr std::uint32_t living = 0x5eed1e55;

  void must_live() const {
    if (alive_ != living)
      run::current()->fail("use of something that is gone");
  }

  template <class T>
  static std::uint64_t number(const T& x) {
    if constexpr (std::is_pointer_v<T>)
      return x != nullptr ? 1 : 0; // addresses differ from run to run
    else if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T>)
      return static_cast<std::uint64_t>(x);
    else
      return 0;
  }

  object_id id_ = 0;
  // Read after its end where there is a bug: the compiler must not know that.
  volatile std::uint32_t alive_ = living;
  mutable vector_clock released_{};
};

} // namespace stepper
