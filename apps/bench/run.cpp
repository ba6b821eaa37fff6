#include <steward/apps/bench/run.hpp>

namespace steward::bench {

void summarize(const std::vector<client_log>& logs, measurement& to) {
  histogram all;
  std::vector<std::uint64_t> shares;
  std::uint64_t refused = 0;
  for (const auto& log : logs) {
    all.merge(log.times);
    shares.push_back(log.served);
    refused += log.refused;
  }
  to.refused = refused;
  if (shares.size() > 1)
    to.jain = jain_index(shares);
  if (all.count() == 0)
    return;
  to.p50_ns = all.at(0.5);
  to.p90_ns = all.at(0.9);
  to.p99_ns = all.at(0.99);
  to.p999_ns = all.at(0.999);
  to.max_ns = all.max();
  if (to.run.what == workload::w5)
    to.longest_wait_ns = all.max();
}

} // namespace steward::bench
