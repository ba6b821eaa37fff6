#include <steward/apps/bench/steward_subject.hpp>

namespace steward::bench {
namespace {

std::shared_ptr<manual_timepiece> make_time(bool manual) {
  constexpr time_point start{std::chrono::hours{24}};
  return manual ? std::make_shared<manual_timepiece>(start) : nullptr;
}

pool_options options_for(const limits& x) {
  pool_options result;
  result.name = "bench";
  result.per_key_max = x.per_key;
  result.total_max = x.total.value_or(unlimited);
  result.idle_timeout = x.idle_timeout;
  result.waiters_max = 1'000'000; // as the peers
  return result;
}

} // namespace

steward_subject::steward_subject(const limits& x)
  : time_(make_time(x.manual_time)), runtime_(system_, {.time = time_}),
    pool_(runtime_.make_pool<nothing>(options_for(x), nothing_opener{})) {
}

} // namespace steward::bench
