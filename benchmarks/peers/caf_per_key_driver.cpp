// One actor of CAF per key: `peer_caf_per_key WORKLOAD [OPTION VALUE]...`.
#include <steward/apps/bench/driver.hpp>
#include <steward/benchmarks/peers/caf_per_key.hpp>

int main(int argc, char** argv) {
  steward::catch_interrupts();
  return steward::bench::drive<steward::bench::caf_per_key>(argc - 1, argv + 1);
}
