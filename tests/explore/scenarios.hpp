#pragma once

#include "comes_as_it_goes.hpp"
#include "directed.hpp"
#include "pool_scenario.hpp"
#include "records_scenario.hpp"

#include <array>
#include <cstdint>
#include <ostream>

namespace explored {

struct named_scenario {
  const char* name;
  void (*run)(world&);
  unsigned share
    = 1; // of a campaign's time: where more can happen it takes more
};

/// All that is explored.
inline constexpr auto scenarios = std::to_array<named_scenario>({
  {"standard_pool", standard_pool, 3},
  {"any_pool", any_pool, 20},
  {"pool_that_drains", pool_that_drains, 6},
  {"any_records", any_records, 6},
  {"served_in_order", served_in_order},
  {"passed_on_in_order", passed_on_in_order},
  {"sleep_is_not_idle", sleep_is_not_idle},
  {"evicted_on_return", evicted_on_return},
  {"answered_by_deadline", answered_by_deadline},
  {"asked_for_what_is_used", asked_for_what_is_used},
  {"broken_by_the_dying", broken_by_the_dying},
  {"tick_comes_again", tick_comes_again},
  {"oldest_goes_first", oldest_goes_first},
  {"missed_and_back", missed_and_back},
  {"drained_in_its_sleep", drained_in_its_sleep},
  {"old_goes_in_time", old_goes_in_time},
  {"comes_as_it_goes", comes_as_it_goes},
});

/// One line for a run, the same for equal code, however it was compiled.
inline void print_digest(std::ostream& out, const named_scenario& x,
                         const run_order& which) {
  auto r = run_once({.name = x.name}, x.run, which);
  out << x.name << ' ' << r.seed << ' ' << std::hex << r.hash << std::dec << ' '
      << r.steps << '\n';
}

/// The same for so many seeds.
inline void print_digests(std::ostream& out, const named_scenario& x,
                          std::uint64_t first_seed, std::uint64_t seeds) {
  for (std::uint64_t i = 0; i < seeds; ++i)
    print_digest(out, x, {first_seed + i});
}

} // namespace explored
