#pragma once

#include <steward/testkit/gather.hpp>
#include <steward/testkit/sim.hpp>

#include <utility>
#include <vector>

namespace steward::testkit {

/// As from an actor, in a simulation, which runs until the end has come, for
/// `within` of virtual time at most. Who can never be answered, as nothing is
/// left to happen, has failed with `sec::request_timeout` and its name, which is
/// that of `call` if there is no other: at once in real time. Throws `misuse`
/// for a handle of another system.
template <class Answer, class Message, gather_policy Policy>
auto gather(sim& where, std::vector<ask<Message>> asks, Policy how,
            duration within = gather_within) {
  detail::check_patience(within);
  for (auto& x : asks) {
    if (!x.to)
      continue; // that is a result
    where.require_actor(x.to, "nobody can be asked by gather");
    if (x.name.empty())
      x.name = where.called(x.to);
  }
  auto all = start_gather<Answer>(where.system(), std::move(asks), how);
  where.run_until([&] { return all.got->has_ended(how); }, within);
  return all.end(how, caf::sec::request_timeout,
                 detail::nothing_within(within));
}

template <class Answer, class Message>
auto gather(sim& where, std::vector<ask<Message>> asks,
            duration within = gather_within) {
  return gather<Answer>(where, std::move(asks), on_error::run_on, within);
}

} // namespace steward::testkit
