#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/opener.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/time.hpp>
#include <steward/testkit/failure.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace steward::testkit {

/// What a fake opener opens.
struct fake_resource {
  std::uint64_t id = 0;
  std::string key;
  std::string params;
  std::shared_ptr<const void> counted = {}; ///< as long as it is in memory
};

/// What must hold of what is opened, as the test knows it.
struct truth_limits {
  std::size_t per_key_max = static_cast<std::size_t>(-1);
  std::size_t total_max = static_cast<std::size_t>(-1);
  std::size_t holders_max = 1;
  duration idle_timeout{0};    ///< 0: closing for idleness is not judged
  duration max_lifetime = off; ///< `off`: nor is closing for age
};

/// What really happened to resources, told by openers and by who uses them and
/// never by the pool. Whatever breaks an invariant is reported at once. All
/// functions: any thread.
class truth {
public:
  /// `report` hears of each violation; it must not throw. `now` tells the time.
  truth(truth_limits most, std::function<void(failure)> report,
        std::function<time_point()> now);

  // -- openers ----------------------------------------------------------------

  void opening(std::uint64_t id, const std::string& key); // I1, I2, I3

  /// What a resource keeps as long as it is in memory.
  std::shared_ptr<const void> counted() const {
    return counted_;
  }

  void open_failed(std::uint64_t id);
  void closing(std::uint64_t id, close_reason why); // I3, I4, I5
  void closed(std::uint64_t id);

  // -- users ------------------------------------------------------------------

  /// Somebody has a lease of it. // I3
  void use_begins(std::uint64_t id, const std::string& who);

  /// And is about to give it back, or dies.
  void use_ends(std::uint64_t id, const std::string& who);

  /// Its user says that it is broken: nobody may get it any more.
  void gives_up(std::uint64_t id);

  /// A shutdown may close what is used from now on.
  void allow_revoking();

  // -- queries ----------------------------------------------------------------

  std::size_t open_now() const;
  std::size_t open_now(const std::string& key) const;
  std::size_t in_use() const;
  std::uint64_t opened() const;
  std::uint64_t failed() const;
  std::uint64_t closed() const;
  std::uint64_t closed(close_reason why) const;

  /// How many resources are in memory, closed ones included.
  std::size_t in_memory() const {
    return static_cast<std::size_t>(counted_.use_count() - 1);
  }

  /// What is open and not closing, unused, and was so for `idle_timeout` at the
  /// time `tick`, or was `max_lifetime` old; empty if nothing is. For openers that
  /// take no time.
  std::string overdue(time_point tick) const; // I5

private:
  struct life {
    std::string key;
    std::vector<std::string> users;
    time_point begun; // when its opener was called
    time_point last_used;
    bool open = true;
    bool broken = false;
  };

  void wrong(const char* invariant, const std::string& text);
  std::size_t count(const std::string& key) const;

  mutable std::mutex guard_;
  truth_limits most_;
  std::function<void(failure)> report_;
  std::function<time_point()> now_;
  std::shared_ptr<const int> counted_ = std::make_shared<int>();
  std::map<std::uint64_t, life> lives_;
  std::map<std::string, std::size_t> open_by_key_;
  std::size_t open_ = 0;
  std::size_t in_use_ = 0;
  std::uint64_t opened_ = 0;
  std::uint64_t failed_ = 0;
  std::array<std::uint64_t, close_reason_count> closed_{};
  bool revoking_ = false;
};

/// What a fake opener does; all of it may be null.
struct opener_script {
  std::function<bool(const open_request&)> fails = {};
  std::function<duration(const open_request&)> open_takes = {};
  std::function<duration()> close_takes = {};
  std::function<bool(const fake_resource&)> healthy = {};
};

/// Opens nothing, tells the truth about it, and fails or dawdles as told. Its
/// work is done by opener workers; see also `fake_inline_opener`.
class fake_opener {
public:
  explicit fake_opener(std::shared_ptr<truth> book, opener_script script = {})
    : book_(std::move(book)),
      script_(std::make_shared<opener_script>(std::move(script))) {
  }

  fake_resource open(const open_request& what);
  void close(fake_resource& what, close_reason why);
  bool check(fake_resource& what);

private:
  std::shared_ptr<truth> book_;
  std::shared_ptr<opener_script> script_;
};

/// The same, run by the supervisor itself.
class fake_inline_opener : public fake_opener {
public:
  using fake_opener::fake_opener;
  static constexpr bool blocks = false;
};

} // namespace steward::testkit
