#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace stepper {

/// A place where code can be left and gone on with: the caller's own thread, or
/// a fiber with a stack of its own. All in one thread of the machine.
class fiber {
public:
  /// The caller's own.
  fiber() = default;

  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// Makes `body` what runs when this is gone to for the first time. It must
  /// not return: it goes elsewhere for good. May be called again after that.
  void prepare(std::function<void()> body);

  /// Leaves `from`, which is the caller, and goes on with `to`.
  static void go(fiber& from, fiber& to);

private:
  static constexpr std::size_t stack_size = 256 * 1024;

  static void enter();

  ucontext_t context_{};
  std::function<void()> body_;
  std::unique_ptr<char[]> stack_;
  // For the address sanitizer, which has to know where the stack is.
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  [[maybe_unused]] void* fake_stack_ = nullptr;
};

} // namespace stepper
