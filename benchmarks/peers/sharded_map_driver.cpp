// The hand-written reference: `peer_sharded_map WORKLOAD [OPTION VALUE]...`.
#include <steward/apps/bench/driver.hpp>
#include <steward/benchmarks/peers/sharded_map.hpp>

int main(int argc, char** argv) {
  steward::catch_interrupts();
  return steward::bench::drive<steward::bench::sharded_map>(argc - 1, argv + 1);
}
