#pragma once

#include <steward/testkit/failure.hpp>
#include <steward/testkit/history.hpp>
#include <steward/tests/model/commands.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace modelled {

/// A request as a jury knows it.
struct asked {
  command::acquire what;
  time_point deadline;
  testkit::history::client::ticket ticket;
  bool answered = false;
  bool widowed = false;

  /// Until when it may be in line, as far as its client can know.
  time_point counts_until = never;

  std::size_t came = 0;      ///< how often all had come to rest before
  std::size_t stood = 0;     ///< at which rest it first was in line; 0: never
  std::size_t rivals = 0;    ///< others of the key, with which it overlaps
  bool just_granted = false; ///< since the last rest

  bool waits() const noexcept {
    return !answered && !widowed;
  }
};

inline std::string name_of_request(std::size_t index) {
  return "request " + std::to_string(index + 1);
}

/// Watches who waits for whom. Answers take their time, so whether somebody was
/// overtaken can be told only where nobody has mail: who asked before one such
/// rest has arrived before all who ask after it. // I7
class line_watch {
public:
  line_watch(const pool_options& how, bool reversed)
    : options_(how), reversed_(reversed) {
  }

  /// The last of `all` has asked.
  void on_asked(std::vector<asked>& all, time_point now) const {
    auto& fresh = all.back();
    fresh.came = rests_;
    for (auto& r : all)
      if (&r != &fresh && now <= r.counts_until
          && r.what.key == fresh.what.key) {
        ++r.rivals;
        ++fresh.rivals;
      }
  }

  /// Whether the line can have been full when this one was refused: others do
  /// not come and go unseen.
  bool can_be_full(const asked& r) const {
    return r.rivals >= options_.waiters_max;
  }

  /// Throws `failure` if somebody was overtaken. `idle`: no opener runs, so
  /// that all who wait stand in line. How many do.
  std::size_t judge_at_rest(std::vector<asked>& all, bool idle) {
    ++rests_;
    std::size_t result = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& first = all[i];
      if (!first.waits())
        continue;
      for (std::size_t k = 0; k < all.size(); ++k)
        if (all[k].just_granted && overtook(first, all[k], idle))
          throw testkit::failure("I7", name_of_request(k) + " overtook "
                                         + name_of_request(i));
      if (!idle)
        continue;
      ++result;
      if (first.stood == 0)
        first.stood = rests_;
    }
    for (auto& r : all)
      r.just_granted = false;
    return result;
  }

private:
  // Equal params are served in order of arrival, whatever they wait for. Who
  // stands in line is passed by others only where nothing may be evicted.
  bool overtook(const asked& first, const asked& other, bool idle) const {
    if (first.what.key != other.what.key)
      return false;
    if (first.what.with == other.what.with)
      return reversed_ ? first.came > other.came : first.came < other.came;
    auto in_line = first.stood != 0 && first.stood <= other.came;
    return idle && in_line && options_.when_full == full_policy::evict_idle;
  }

  pool_options options_;
  bool reversed_;
  std::size_t rests_ = 0;
};

} // namespace modelled
