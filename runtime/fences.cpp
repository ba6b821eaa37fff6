#include <steward/runtime/fences.hpp>

#if !defined(__SANITIZE_THREAD__) && !defined(STEWARD_STEPPED)

#  include <linux/membarrier.h>
#  include <sys/syscall.h>
#  include <unistd.h>

namespace steward {
namespace {

bool membarrier(int command) noexcept {
  return ::syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool enlist() noexcept {
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

} // namespace

const bool detail::has_membarrier = enlist();

bool fence_for_all() noexcept {
  full_fence();
  // A process that was forked may have to enlist once more.
  return !light_fences() || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)
         || (enlist() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}

} // namespace steward

#endif
