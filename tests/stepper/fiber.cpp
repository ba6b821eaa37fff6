#include <steward/tests/stepper/fiber.hpp>

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#  define STEPPER_ASAN 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer)
#    define STEPPER_ASAN 1
#  endif
#endif

#ifdef STEPPER_ASAN
#  include <sanitizer/asan_interface.h>
#  include <sanitizer/common_interface_defs.h>
#endif

namespace stepper {

namespace {

// Who was left last, and for whom: one thread, so one pair.
fiber* left = nullptr;
fiber* entered = nullptr;

} // namespace

void fiber::prepare(std::function<void()> body) {
  body_ = std::move(body);
  if (!stack_)
    stack_.reset(new char[stack_size]); // not cleared: it is large
#ifdef STEPPER_ASAN
  __asan_unpoison_memory_region(stack_.get(), stack_size);
  fake_stack_ = nullptr;
#endif
  bottom_ = stack_.get();
  size_ = stack_size;
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_.get();
  context_.uc_stack.ss_size = stack_size;
  context_.uc_link = nullptr;
  makecontext(&context_, &fiber::enter, 0);
}

void fiber::enter() {
#ifdef STEPPER_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &left->bottom_, &left->size_);
#endif
  entered->body_();
}

void fiber::go(fiber& from, fiber& to) {
  left = &from;
  entered = &to;
#ifdef STEPPER_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
#endif
  swapcontext(&from.context_, &to.context_);
#ifdef STEPPER_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack_, &left->bottom_,
                                  &left->size_);
#endif
}

} // namespace stepper
