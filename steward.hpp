#pragma once

// All that a user of the library needs. Each header stands for itself, too.
#include <steward/core/duration_text.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/errors.hpp>
#include <steward/runtime/config.hpp>
#include <steward/runtime/lease.hpp>
#include <steward/runtime/logging.hpp>
#include <steward/runtime/pool.hpp>
#include <steward/runtime/records.hpp>
#include <steward/runtime/replay.hpp>
#include <steward/runtime/runtime.hpp>
#include <steward/version.hpp>
