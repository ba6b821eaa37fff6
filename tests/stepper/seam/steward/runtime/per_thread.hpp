#pragma once

// In the place of runtime/per_thread.hpp: the threads of a program are fibers, and
// each run begins with new ones.

#include <steward/tests/stepper/run.hpp>

#include <array>

namespace steward {

template <class T>
class per_thread {
public:
  T& mine() {
    return all_[stepper::run::current()->self()];
  }

  template <class F>
  void for_each(F f) {
    for (auto& x : all_)
      f(x);
  }

private:
  std::array<T, stepper::threads_max + 1> all_;
};

} // namespace steward
