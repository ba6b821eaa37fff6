#pragma once

#include "record_fixtures.hpp"

#include <steward/runtime/records.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace record_test {

/// So many threads ask for all of so many names at once; each name is created
/// once and has one id. `named(std::size_t)` makes the request for a name.
template <class Named>
void race_for_names(steward::records& all, std::size_t threads_max,
                    std::size_t names_max, Named named) {
  using steward::record_verdict;
  std::mutex mutex;
  std::map<std::string, std::int64_t> ids;
  std::map<std::string, int> created;
  std::vector<std::string> wrong;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < threads_max; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < names_max; ++i) {
        auto x = all.get_or_create(named(i), {30s});
        std::lock_guard guard{mutex};
        auto known = ids.emplace(x.row.name, x.row.id).first;
        created[x.row.name] += x.verdict == record_verdict::created;
        if (x.verdict == record_verdict::unavailable)
          wrong.push_back(x.cause);
        else if (known->second != x.row.id)
          wrong.push_back("two ids of " + x.row.name);
      }
    });
  for (auto& thread : threads)
    thread.join();
  BOOST_TEST(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
  BOOST_TEST(ids.size() == names_max);
  for (auto& [name, count] : created)
    BOOST_TEST(count == 1, name << " was created " << count << " times");
  BOOST_TEST(all.counters().written == names_max);
}

} // namespace record_test
