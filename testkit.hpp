#pragma once

// All that a test of actors needs. Each header stands for itself, too; the
// adapters of test frameworks are apart: <steward/testkit/boost_test.hpp>.
#include <steward/testkit/explore.hpp>
#include <steward/testkit/failure.hpp>
#include <steward/testkit/fake_opener.hpp>
#include <steward/testkit/faulty_store.hpp>
#include <steward/testkit/gather.hpp>
#include <steward/testkit/gather_simulated.hpp>
#include <steward/testkit/history_check.hpp>
#include <steward/testkit/probe.hpp>
#include <steward/testkit/report.hpp>
#include <steward/testkit/sim.hpp>
#include <steward/testkit/simulated.hpp>
#include <steward/testkit/world.hpp>
