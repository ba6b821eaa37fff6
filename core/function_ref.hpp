#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace steward {

template <class Signature>
class function_ref;

/// A callable that the callee only calls, and does not keep: costs no
/// allocation. To be taken as an argument.
template <class Result, class... Args>
class function_ref<Result(Args...)> {
public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, function_ref>)
    // A lambda is meant to fit.
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
    function_ref(F&& f)
  noexcept
    : what_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
      call_([](void* what, Args... args) -> Result {
        return (*static_cast<std::remove_reference_t<F>*>(what))(
          std::forward<Args>(args)...);
      }) {
  }

  Result operator()(Args... args) const {
    return call_(what_, std::forward<Args>(args)...);
  }

private:
  void* what_;
  Result (*call_)(void*, Args...);
};

} // namespace steward
