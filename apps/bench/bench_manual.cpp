#include <steward/apps/bench/bench_manual.hpp>

namespace steward::bench {

const char* const bench_manual = R"(NAME
  steward bench - measure borrowing, alone or against others

SYNOPSIS
  steward bench [OPTION]... [WORKLOAD]...
  steward bench --driver WORKLOAD [OPTION VALUE]...

DESCRIPTION
  Measures a pool whose resources cost nothing, so that what is left is steward,
  and prints a table. One operation is a borrow and its return. Every run is a
  process of its own.

  Workloads
    W1   1,000 keys, uniform, 8 resources for each: everybody finds a free one
    W2   1,000,000 keys by Zipf's law (0.99), 100,000 resources in all, 4 for a
         key: the least recently used makes room
    W3   1 resource for a key, every borrow with other params than the one
         before: each evicts and opens
    W4   100,000 idle resources, one for each key, expire at once, while one
         client borrows others: the time for all, the longest borrow meanwhile,
         and a tick at which nothing is due
    W5   64 clients wait for one key with 1 resource: hand-overs a second, how
         fair (Jain's index), the longest wait
    Without WORKLOAD: all of them.

  Meaning
    Rates are taken without a look at the clock, times after that, with one
    reading before and one after each operation; a time has the cost of one
    reading in it, which the JSON has as clock_ns. They are the times of clients
    who wait for one answer before they ask again, and say nothing about a queue
    before them; with --pace a time begins when the operation was due, so that a
    stall counts for everyone whom it delayed.
    The rate of W4 is that of resources that expire.
    CPU is the time of all cores, in the kernel, too, for one operation. Other
    load on the machine changes it less than it changes rates.

  Ctrl-C ends the run and reports what was measured so far. A second Ctrl-C ends
  at once.

)";

const char* const bench_manual_end = R"(DRIVERS
  A driver is any program that is called as
      DRIVER WORKLOAD --clients N --from threads|actors --keys K --seconds S
             --limit L --seed X [--total T] [--pace R] [--operations O]
  does that work and prints one JSON object on one line, with driver, workload,
  clients, from, keys, seconds, operations, and, as far as it measures them,
  rate, p50_ns, p90_ns, p99_ns, p999_ns, max_ns, clock_ns, cpu_seconds,
  peak_rss_bytes, bytes_per_key, bytes_per_key_after, hit_rate, refused, jain,
  longest_wait_ns, expire_all_ms, tick_idle_us, tick_idle_max_us, else null. It
  ends with 3 if it cannot do that work, and is not asked again.
  benchmarks/peers/ has some.

JSON
  machine, date, stopped, and runs: for each workload, kind and number of
  clients what was asked, drivers with all their measurements, and ratios of the
  rate of this steward to that of each other driver: median, least, most,
  quartile_1, quartile_3, likely_least and likely_most, which bound the true
  median with 95 % certainty each, and pairs, all of them.

EXIT STATUS
  0    done
  1    a driver failed, or output cannot be written
  2    the command line cannot be used
  3    with --driver: no such workload
  4    a ratio is below --at-least
  130  ended by Ctrl-C (SIGINT), after the report
  143  the same by SIGTERM

EXAMPLES
  How quick is borrowing on this machine?
      steward bench W1 --from both --clients 1,2,8

  Is it quicker than another build?
      steward bench W1 W3 --against old/steward --repeat 9

  Against the peers, with plots:
      steward bench --against build/release/benchmarks/peer_sharded_map \
                    --against build/release/benchmarks/peer_caf_per_key \
                    --json bench.json --plot bench.html
)";

} // namespace steward::bench
