#pragma once

#include <condition_variable>
#include <mutex>

#include <pthread.h>

namespace steward {

/// A lock for what takes less than a microsecond. Who finds it taken tries again
/// for a moment before he sleeps: to sleep and to be woken costs far more than
/// the wait. By a name of our own for the same reason as `atomic`.
class mutex {
public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  ~mutex() {
    pthread_mutex_destroy(&impl_);
  }

  void lock() noexcept {
    pthread_mutex_lock(&impl_); // fails for wrong uses only, none of them ours
  }

  void unlock() noexcept {
    pthread_mutex_unlock(&impl_);
  }

private:
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
  pthread_mutex_t impl_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
#else
  pthread_mutex_t impl_ = PTHREAD_MUTEX_INITIALIZER;
#endif
};

using condition_variable = std::condition_variable_any;

} // namespace steward
