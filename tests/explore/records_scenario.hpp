#pragma once

// Several programs that want records of the same names from one database, which
// fails now and then.

#include <steward/runtime/records.hpp>
#include <steward/testkit.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace explored {

using namespace steward;
using namespace steward::testkit;
using namespace std::chrono_literals;

/// Everything of one run.
class records_scenario {
public:
  struct options {
    unsigned programs = 2;
    unsigned clients = 2; ///< of each program
    unsigned rounds = 3;
    unsigned names = 2;
    duration deadline = 1h;
    bool notes = true;  ///< each round also notes something of its own
    bool strict = true; ///< nothing may be unavailable
  };

  static options draw(world& w);

  records_scenario(world& w, options how);

private:
  friend struct records_client;

  // What was promised to somebody.
  struct promise {
    std::string name;
    std::int64_t id;
  };

  void shut_down();
  void judge_rows();

  world& world_;
  options how_;
  std::shared_ptr<record_store> database_;
  std::shared_ptr<history> history_;
  std::shared_ptr<std::vector<promise>> promised_;
  std::shared_ptr<std::uint64_t> asked_;
  std::shared_ptr<std::uint64_t> answered_;
  std::shared_ptr<std::uint64_t> noted_;
  std::vector<std::unique_ptr<records>> programs_;
};

/// All of it with the faults that a seed draws, for `explore`.
void any_records(world& w);

} // namespace explored
