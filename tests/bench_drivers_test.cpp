#include <boost/test/unit_test.hpp>

#include <steward/apps/bench/child.hpp>
#include <steward/apps/bench/key_sources.hpp>
#include <steward/tests/command_runner.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

using namespace steward::bench;
using nlohmann::json;

#ifndef STEWARD_PEERS
#  define STEWARD_PEERS ""
#endif

namespace {

struct driver {
  std::string name;
  std::vector<std::string> words;
  bool has_actors;
};

// Peers are there only if benchmarks are built.
std::vector<driver> all_drivers() {
  std::vector<driver> result{
    {"steward", {steward::test::command_path(), "bench", "--driver"}, true}};
  std::string folder = STEWARD_PEERS;
  if (folder.empty()) {
    BOOST_TEST_MESSAGE("no benchmarks, no peers");
    return result;
  }
  result.push_back({"sharded_map", {folder + "/peer_sharded_map"}, false});
  result.push_back({"one_mutex", {folder + "/peer_one_mutex"}, false});
  result.push_back({"caf_per_key", {folder + "/peer_caf_per_key"}, true});
  return result;
}

child_outcome run(const driver& who, const std::string& words) {
  static const std::atomic<bool> never{false};
  auto all = who.words;
  for (auto& word : split_words(words))
    all.push_back(std::move(word));
  return run_child(all, never, std::chrono::seconds{60});
}

json measured(const driver& who, const std::string& words) {
  BOOST_TEST_CONTEXT(who.name << ' ' << words) {
    auto x = run(who, words);
    BOOST_REQUIRE_MESSAGE(x.status == 0, x.status << ": " << x.err);
    BOOST_TEST(x.err == "");
    BOOST_TEST(x.out.find('\n') + 1 == x.out.size());
    auto result = json::parse(x.out);
    BOOST_TEST(result.at("driver") == who.name);
    BOOST_TEST(result.at("operations") > 0);
    BOOST_TEST(result.at("rate") > 0);
    BOOST_TEST(result.at("peak_rss_bytes") > 1'000'000);
    BOOST_TEST(result.at("stopped") == false);
    for (const auto* name : {"bytes_per_key", "hit_rate", "expire_all_ms",
                             "tick_idle_us", "longest_wait_ns", "jain"})
      BOOST_TEST(result.contains(name), name);
    return result;
  }
  return {};
}

void check_times(const json& x) {
  BOOST_TEST(x.at("p50_ns") > 0);
  BOOST_TEST(x.at("p50_ns") <= x.at("p90_ns"));
  BOOST_TEST(x.at("p90_ns") <= x.at("p99_ns"));
  BOOST_TEST(x.at("p99_ns") <= x.at("p999_ns"));
  BOOST_TEST(x.at("p999_ns") <= x.at("max_ns"));
}

std::vector<std::string> origins_of(const driver& who) {
  if (who.has_actors)
    return {"threads", "actors"};
  return {"threads"};
}

// The share of the client's draws that a cache of `room` keys has, which lets
// the least recently used one go.
double hits_of_exact_lru(const run_options& run) {
  const std::atomic<bool> goes_on{false};
  zipf_keys keys{run, zipf{run.keys, zipf_keys::exponent, goes_on}, 0};
  std::list<std::string> by_use;
  std::unordered_map<std::string, std::list<std::string>::iterator> places;
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < *run.operations; ++i) {
    std::string key{keys().key.view()};
    if (auto at = places.find(key); at != places.end()) {
      ++hits;
      by_use.splice(by_use.end(), by_use, at->second);
      continue;
    }
    if (places.size() == *run.total) {
      places.erase(by_use.front());
      by_use.pop_front();
    }
    places[key] = by_use.insert(by_use.end(), key);
  }
  return static_cast<double>(hits) / static_cast<double>(*run.operations);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_driver_has_help_and_complains_in_its_own_name) {
  for (const auto& who : all_drivers()) {
    auto help = run(who, "--help");
    BOOST_TEST(help.out.starts_with(who.name + ": one run"), help.out);
    auto wrong = run(who, "W9");
    BOOST_TEST(wrong.err.starts_with(who.name + ": WORKLOAD is \"W9\""),
               wrong.err);
  }
}

BOOST_AUTO_TEST_CASE(every_driver_does_w1_and_finds_nearly_always_a_resource) {
  for (const auto& who : all_drivers())
    for (const auto& from : origins_of(who)) {
      auto x = measured(who, "W1 --keys 10 --operations 2000 --from " + from);
      BOOST_TEST(x.at("operations") == 2'000);
      BOOST_TEST(x.at("from") == from);
      BOOST_TEST(x.at("refused") == 0);
      // At most one for each key and client.
      BOOST_TEST(x.at("hit_rate") >= 1 - 20.0 / 2'000);
      BOOST_TEST(x.at("jain") == 1.0);
      check_times(x);
    }
}

BOOST_AUTO_TEST_CASE(every_driver_opens_for_every_borrow_of_w3) {
  for (const auto& who : all_drivers())
    for (const auto& from : origins_of(who)) {
      auto x = measured(who, "W3 --keys 50 --operations 1000 --from " + from);
      BOOST_TEST(x.at("hit_rate") == 0.0);
      check_times(x);
    }
}

BOOST_AUTO_TEST_CASE(every_driver_expires_all_of_w4) {
  for (const auto& who : all_drivers())
    for (const auto& from : origins_of(who)) {
      auto x = measured(who, "W4 --keys 500 --from " + from);
      BOOST_TEST(x.at("operations") == 500);
      BOOST_TEST(x.at("expire_all_ms") > 0);
      BOOST_TEST(x.at("tick_idle_us") > 0);
    }
}

BOOST_AUTO_TEST_CASE(every_driver_hands_over_in_w5_without_an_error) {
  for (const auto& who : all_drivers())
    for (const auto& from : origins_of(who)) {
      auto x = measured(who, "W5 --clients 4 --operations 2000 --from " + from);
      BOOST_TEST(x.at("operations") <= 2'000);
      BOOST_TEST(x.at("jain") > 0);
      BOOST_TEST(x.at("jain") <= 1.0);
      BOOST_TEST(x.at("longest_wait_ns") == x.at("max_ns"));
    }
}

BOOST_AUTO_TEST_CASE(w2_hits_as_often_as_an_exact_lru_or_nearly) {
  auto run_of = defaults_of(workload::w2);
  run_of.keys = 2'000;
  run_of.total = 200;
  run_of.operations = 10'000;
  run_of.seed = 7;
  auto exact = hits_of_exact_lru(run_of);
  BOOST_TEST(exact > 0.3);
  for (const auto& who : all_drivers())
    for (const auto& from : origins_of(who)) {
      auto x = measured(who, "W2 --clients 1 --keys 2000 --total 200 "
                             "--operations 10000 --seed 7 --from "
                               + from);
      auto hits = x.at("hit_rate").get<double>();
      if (who.name == "one_mutex")
        BOOST_TEST(hits == exact, boost::test_tools::tolerance(1e-9));
      else // in stripes, or by a clock of 4 ms
        BOOST_TEST(std::abs(hits - exact) < 0.05, who.name << ' ' << hits);
    }
}

BOOST_AUTO_TEST_CASE(
  runs_of_some_time_count_and_time_operations_with_and_without_a_pace) {
  for (const auto& who : all_drivers()) {
    auto x = measured(who, "W1 --keys 10 --seconds 0.2 --clients 1");
    BOOST_TEST(x.at("jain").is_null());
    check_times(x);
    auto paced = measured(who, "W1 --keys 10 --seconds 0.2 --pace 1000");
    BOOST_TEST(paced.at("pace") == 1'000.0);
    check_times(paced);
  }
}

BOOST_AUTO_TEST_CASE(a_driver_says_in_one_line_what_it_cannot_do) {
  for (const auto& who : all_drivers()) {
    auto unusable = run(who, "W1 --clients 0");
    BOOST_TEST(unusable.status == 2);
    BOOST_TEST(unusable.out == "");
    BOOST_TEST(unusable.err.find("--clients is \"0\"") != std::string::npos);
    if (who.has_actors)
      continue;
    auto cannot = run(who, "W1 --from actors --operations 1");
    BOOST_TEST(cannot.status == 3);
    BOOST_TEST(cannot.out == "");
    BOOST_TEST(cannot.err.find("has no --from actors") != std::string::npos);
  }
}
