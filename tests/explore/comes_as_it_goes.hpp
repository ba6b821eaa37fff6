#pragma once

#include <steward/testkit.hpp>

namespace explored {

/// Who comes just as the supervisor leaves or falls asleep is served at once,
/// and no key ever has two supervisors. // I8
void comes_as_it_goes(steward::testkit::world& w);

} // namespace explored
