#pragma once

namespace modelled {

/// What can be wrong on purpose, in what the opener, the clients and the jury
/// say, so that each check is seen to fail.
enum class flaw : unsigned char {
  none,
  one_less_per_key,   ///< the limit is said to be lower
  one_less_in_all,    ///< the same of all keys
  closes_twice,       ///< the opener says that it closed twice
  uses_after,         ///< a client uses what it gave back
  idle_takes_longer,  ///< `idle_timeout` is said to be longer
  idle_takes_shorter, ///< or shorter
  sleeps_twice,       ///< as much again is said to have been slept
  always_late,        ///< all opens are said to take too long
  no_time_at_all,     ///< requests are said to have no time
  hears_no_eviction,  ///< nobody hears the answer to `evict`
  hears_no_grant,     ///< or to half of the requests that are granted
  hears_no_drain,     ///< or to those that a drain refuses
  answers_twice,      ///< an answer is said to come twice
  arrives_in_reverse, ///< later requests are said to come first
  line_in_reverse,    ///< the same of those who came later by far
  line_is_longer,     ///< `waiters_max` is said to be higher
  waits_for_less,     ///< a key is said to have more room than it has
  mixes_params_up,    ///< the opener says that it opened with other params
  closes_nothing,     ///< the opener says of no close
  lingers_too_long,   ///< keys have no time to go
  wants_too_much,     ///< more than there may be is asked for in the end
  opens_ghosts,       ///< the opener opens and closes what nobody asked for
  gives_back_unsaid,  ///< clients do not record that they give back
};

} // namespace modelled
