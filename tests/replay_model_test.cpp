#include <boost/test/unit_test.hpp>

#include <steward/tests/replay_model.hpp>

#include <steward/apps/log_reader.hpp>

#include <cstdio>
#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#ifndef STEWARD_TRACES
#  define STEWARD_TRACES ""
#endif

using namespace steward;
using namespace std::chrono_literals;
using test::replay_model;

namespace {

// Every figure that does not depend on the machine, as one text.
std::string figures(const replay_result& x) {
  std::ostringstream out;
  out << "requests " << x.requests << ", opened " << x.opened << ", reused "
      << x.reused << ", rejected " << x.rejected;
  for (std::size_t i = 0; i < close_reason_count; ++i)
    if (x.closed[i] > 0)
      out << ", " << close_reason_names[i] << ' ' << x.closed[i];
  out << ", peak_open " << x.peak_open << ", virtual_time "
      << x.virtual_time.count() << (x.stopped ? ", stopped" : "");
  return out.str();
}

replay_options options_with(duration idle_timeout) {
  replay_options result;
  result.pool.name = "replay";
  result.pool.idle_timeout = idle_timeout;
  return result;
}

std::vector<timed_request> at_seconds(std::vector<int> seconds) {
  std::vector<timed_request> result;
  for (auto s : seconds)
    result.push_back({time_point{std::chrono::seconds{s}}, "a", ""});
  return result;
}

struct random_case {
  std::vector<timed_request> requests;
  replay_options options;
  std::string text;
};

template <class T>
T pick(std::mt19937& random, std::initializer_list<T> from) {
  return *(from.begin() + random() % from.size());
}

// Small times and few keys, so that ties, full keys and ticks at the instant of
// a request or a return are common and not an accident.
random_case make_case(unsigned seed) {
  static const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f",
                                                 "g", "h", "i", "j", "k", "l"};
  std::mt19937 random{seed};
  random_case result;
  auto& pool = result.options.pool;
  pool.name = "replay";
  pool.tick = pick<duration>(random, {1s, 1s, 700ms, 2s, 5s});
  pool.idle_timeout = pick<duration>(random, {off, pool.tick, 3 * pool.tick, 5s,
                                              7500ms, 20s, 60s});
  pool.max_lifetime = pick<duration>(random, {off, off, pool.tick, 6s, 31s});
  pool.per_key_max = pick<std::size_t>(random, {1, 2, 3, 8});
  pool.total_max = pick<std::size_t>(random, {unlimited, unlimited, 1, 2, 5});
  pool.when_full = pick(random, {full_policy::evict_idle,
                                 full_policy::evict_idle, full_policy::reject});
  result.options.hold = pick<duration>(random, {0s, 0s, 1s, 2s, 2500ms, 9s});
  result.options.threads = 1 + random() % 2;
  auto keys = 1 + random() % names.size();
  auto params = 1 + random() % 3;
  auto gap_ms_max = pick<unsigned>(random, {300, 1500, 6000});
  auto whole_seconds = random() % 2 == 0;
  time_point now{1'431'857'103s + std::chrono::milliseconds{random() % 1000}};
  for (auto n = 1 + random() % 150; n > 0; --n) {
    duration gap = std::chrono::milliseconds{random() % gap_ms_max};
    if (whole_seconds)
      gap = std::chrono::floor<std::chrono::seconds>(gap);
    // Now and then a silence that outlasts every timeout.
    now += random() % 40 == 0 ? 90s + gap : gap;
    result.requests.push_back({now, names[random() % keys],
                               random() % params == 0 ? names[0] : names[1]});
  }
  pool.idle_timeout = std::max(pool.idle_timeout, pool.tick);
  pool.max_lifetime = std::max(pool.max_lifetime, pool.tick);
  pool.linger = std::max<duration>(pool.tick, 10s);
  std::ostringstream text;
  text << "seed " << seed << ": tick " << pool.tick.count() << ", idle "
       << pool.idle_timeout.count() << ", lifetime "
       << pool.max_lifetime.count() << ", per key " << pool.per_key_max
       << ", total " << pool.total_max << ", " << to_string(pool.when_full)
       << ", hold " << result.options.hold.count() << ", "
       << result.requests.size() << " requests";
  result.text = text.str();
  return result;
}

bool differs(const random_case& x) {
  return figures(replay(x.requests, x.options))
         != figures(replay_model::run(x.requests, x.options));
}

// A case that differs, without the requests that it does not need for that.
random_case shrunk(random_case x) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = x.requests.size(); i-- > 0 && x.requests.size() > 1;) {
      auto less = x;
      less.requests.erase(less.requests.begin()
                          + static_cast<std::ptrdiff_t>(i));
      if (differs(less)) {
        x = std::move(less);
        smaller = true;
      }
    }
  }
  return x;
}

// What a person needs to follow it by hand.
std::string story(const random_case& x) {
  std::ostringstream out;
  out << x.text << "; shrunk to";
  for (const auto& r : x.requests)
    out << "\n  " << (r.at - x.requests.front().at).count() << " ns: key "
        << r.key << ", params " << r.params;
  out << "\n  replay: " << figures(replay(x.requests, x.options))
      << "\n  model:  " << figures(replay_model::run(x.requests, x.options));
  return out.str();
}

struct trace_row {
  const char* name;
  log_order order;
  params_source params;
  replay_options options;
  std::string expected;
};

std::vector<trace_row> trace_rows() {
  // The log does not begin with its earliest line.
  std::string sorted = ", virtual_time 298859000000000";
  std::string clamped = ", virtual_time 298856000000000";
  auto two_per_agent = options_with(30min);
  two_per_agent.pool.per_key_max = 2;
  auto held = options_with(1h);
  held.pool.per_key_max = 4;
  held.pool.when_full = full_policy::reject;
  held.hold = 20s;
  return {
    {"sorted", log_order::sort, params_source::none, options_with(1h),
     "requests 10000, opened 2577, reused 7423, rejected 0, idle 2552, "
     "drained 25, peak_open 68"
       + sorted},
    {"clamped", log_order::clamp, params_source::none, options_with(1h),
     "requests 10000, opened 2746, reused 7254, rejected 0, idle 2721, "
     "drained 25, peak_open 79"
       + clamped},
    {"two per agent", log_order::clamp, params_source::agent, two_per_agent,
     "requests 10000, opened 3235, reused 6765, rejected 0, idle 3168, "
     "evicted 40, drained 27, peak_open 61"
       + clamped},
    {"held", log_order::sort, params_source::none, held,
     "requests 10000, opened 4627, reused 3562, rejected 1811, idle 4558, "
     "drained 69, peak_open 133"
       + sorted},
  };
}

// Calls `f(row, log)` for each row, or says that there is no trace.
template <class F>
void for_each_trace_row(F f) {
  auto path = std::filesystem::path{STEWARD_TRACES} / "access-2015.log";
  if (!std::filesystem::exists(path)) {
    BOOST_TEST_MESSAGE("skipped: there is no " << path);
    std::puts("skipped: there is no trace access-2015.log");
    return;
  }
  for (const auto& row : trace_rows()) {
    log_options options;
    options.order = row.order;
    options.params = row.params;
    BOOST_TEST_CONTEXT("row: " << row.name) {
      auto log = read_log(path.string(), options);
      BOOST_TEST(log.bad == 0u);
      BOOST_TEST(log.late == 9448u);
      BOOST_TEST(log.keys == 1753u);
      f(row, log);
    }
  }
}

} // namespace

// -- the model by itself ------------------------------------------------------

BOOST_AUTO_TEST_CASE(model_closes_at_the_first_tick_that_finds_it_idle) {
  // Idle for 5 s at the tick at 5, which is before the request at 5.
  auto result = replay_model::run(at_seconds({0, 5}), options_with(5s));
  BOOST_TEST(figures(result)
             == "requests 2, opened 2, reused 0, rejected 0, idle 1, drained "
                "1, peak_open 1, virtual_time 5000000000");
  result = replay_model::run(at_seconds({0, 4, 8}), options_with(5s));
  BOOST_TEST(result.opened == 1u);
  // The return at 3 is before the tick at 3 and starts the idle time.
  auto options = options_with(5s);
  options.hold = 3s;
  BOOST_TEST(replay_model::run(at_seconds({0, 7}), options).opened == 1u);
  BOOST_TEST(replay_model::run(at_seconds({0, 8}), options).opened == 2u);
}

BOOST_AUTO_TEST_CASE(model_gives_the_figures_of_the_trace) {
  for_each_trace_row([](const trace_row& row, const request_log& log) {
    auto result = replay_model::run(log.requests, row.options);
    BOOST_TEST(figures(result) == row.expected);
  });
}

// -- the replay against it ----------------------------------------------------

BOOST_AUTO_TEST_CASE(replay_gives_the_figures_of_the_trace) {
  for_each_trace_row([](const trace_row& row, const request_log& log) {
    BOOST_TEST(figures(replay(log.requests, row.options)) == row.expected);
  });
}

BOOST_AUTO_TEST_CASE(replay_and_model_agree_on_random_logs) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    auto x = make_case(seed);
    if (differs(x))
      BOOST_FAIL(story(shrunk(x)));
  }
}

BOOST_AUTO_TEST_CASE(random_logs_meet_every_decision) {
  // Otherwise the comparison above would prove less than it seems to.
  replay_result sum;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    auto x = make_case(seed);
    auto result = replay_model::run(x.requests, x.options);
    sum.rejected += result.rejected;
    sum.reused += result.reused;
    for (std::size_t i = 0; i < close_reason_count; ++i)
      sum.closed[i] += result.closed[i];
    BOOST_REQUIRE(result.opened + result.reused + result.rejected
                  == x.requests.size());
  }
  BOOST_TEST(sum.rejected > 100u);
  BOOST_TEST(sum.reused > 100u);
  for (auto reason : {close_reason::idle, close_reason::lifetime,
                      close_reason::evicted, close_reason::drained})
    BOOST_TEST(sum.closed[static_cast<std::size_t>(reason)] > 100u);
}

BOOST_AUTO_TEST_CASE(replay_is_the_same_with_any_number_of_threads) {
  auto x = make_case(7);
  x.options.threads = 1;
  auto expected = figures(replay(x.requests, x.options));
  for (auto threads : {1u, 2u, 3u, 4u, 8u}) {
    x.options.threads = threads;
    BOOST_TEST(figures(replay(x.requests, x.options)) == expected);
  }
}
