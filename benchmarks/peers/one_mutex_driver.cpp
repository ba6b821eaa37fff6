// The same with one mutex: `peer_one_mutex WORKLOAD [OPTION VALUE]...`.
#include <steward/apps/bench/driver.hpp>
#include <steward/benchmarks/peers/sharded_map.hpp>

int main(int argc, char** argv) {
  steward::catch_interrupts();
  return steward::bench::drive<steward::bench::one_mutex>(argc - 1, argv + 1);
}
