#pragma once

#include <steward/actors/persistence.hpp>
#include <steward/actors/record_router.hpp>
#include <steward/core/record.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/messages/errors.hpp>
#include <steward/messages/records.hpp>
#include <steward/runtime/surroundings.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward {

/// Which record somebody wants.
struct record_request {
  std::string name; ///< unique in the database, 1 to 1024 bytes
  std::string pool = {};
  std::string key = {};
  std::string attributes = {}; ///< free text
  bool strict = false;      ///< other attributes under this name are a conflict
  std::string journal = {}; ///< how to take the resource back after a crash
  std::int64_t incarnation = 0; ///< see `record`
  /// Give the same one to ask the same again, also after a crash: whoever
  /// created the row is told so again. Else each call has one of its own.
  std::optional<creator_token> token = {};
};

/// Which change somebody wants: only of the version that was seen.
struct record_change {
  std::string name;
  std::int64_t version = 1;
  std::optional<std::string> attributes = {};
  std::optional<std::string> journal = {};
};

struct record_call_options {
  /// When to give up, counted from the call.
  duration deadline = std::chrono::seconds{2};
};

/// With what the records of a run are opened.
struct records_options {
  std::string url;   ///< where they are kept: `sqlite:PATH`, `postgresql://...`
  std::string owner; ///< names this run of this program in its rows

  /// Longest wait for others who use the database while it is opened.
  duration open_wait_max = std::chrono::seconds{5};

  persistence_options persistence{};
};

/// Thrown where records cannot be read. One line.
class records_unreadable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// How users and pools reach the records: every name once, the same row for all
/// who ask, in this and in other processes. All functions: any thread.
///
/// Holds a handle to persistence, so it must go before the actor system does.
class records {
public:
  using callback = std::function<void(const record_answer&)>;

  /// The actors behind records.
  struct actors {
    caf::actor router;                       ///< takes all messages
    std::vector<record_writer> writers;      ///< by `writer_of`
    std::function<caf::actor()> make_reader; ///< when it is first needed
  };

  /// `owner` names this run of this program in the rows it creates. `around`
  /// gives time, randomness and the way to wait.
  records(actors all, std::shared_ptr<record_counters> counters,
          const surroundings& around, std::string owner);

  /// Ends the reader; the others end by `stop`.
  ~records();

  records(const records&) = delete;
  records& operator=(const records&) = delete;

  // -- verbs ------------------------------------------------------------------

  /// Returns the record of this name, made if there is none, after it is
  /// durable. Blocks until the deadline and half a second at most, even if
  /// persistence is gone; then the answer is `unavailable`. Not for actors.
  record_answer get_or_create(record_request wanted,
                              record_call_options options = {});

  /// The same for the actor `self`: returns at once and calls `done` in `self`
  /// exactly once, as long as it lives, by the deadline give or take 50 ms; half a
  /// second later where the disk of an SQLite file hangs.
  template <class Self>
  void get_or_create(Self* self, record_request wanted, callback done,
                     record_call_options options = {}) {
    auto strict = wanted.strict;
    record_write write = create_record{draft(std::move(wanted)), strict};
    const auto& to = writer_for(name_of(write));
    if (to.leave(std::move(write), deadline_of(options),
                 cafx::ask<record_answer>(self, std::move(done))))
      cafx::send_anon(router_, watch_desks{});
  }

  /// Changes a record that still has this version: `existed` with the row as it
  /// is then, or `conflict` with what somebody else made of it. Blocks as above.
  record_answer update(record_change wanted, record_call_options options = {});

  /// Closes a record, and returns after it is durable. Blocks as above.
  record_answer close(std::string name, close_reason reason,
                      record_call_options options = {});

  /// Reads records by name, beside all writes, on a connection of their own.
  /// Blocks as above; throws `records_unreadable` if they cannot be read.
  std::vector<std::optional<record>> find(std::vector<std::string> names,
                                          record_call_options options = {});

  /// The same for a page, by id. A row that cannot be read is named in it, and
  /// hides no other.
  record_page page(const record_query& what, record_call_options options = {});

  /// "This resource is open." Written behind, never answered, kept until it is
  /// durable or `stop` gives up.
  void note_opened(record_request opened, time_point at);

  /// "This resource is closed." The same.
  void note_closed(std::string name, close_reason reason, time_point at);

  /// "Nobody knows whether this request was written; it shall not be open." It
  /// is written again, which settles it, and what carries its token is closed.
  /// @pre It has a token.
  void note_undone(record_request asked, time_point at);

  /// Blocks until all that was noted before is durable or has failed for good,
  /// until the deadline at most. Not for actors.
  records_flushed flush(record_call_options options = {});

  /// Writes what is left until the deadline, closes the database and ends
  /// persistence. Says how many writes are lost. Not for actors.
  records_flushed stop(record_call_options options = {});

  /// One that nobody else has, for who has to know it before the answer.
  creator_token new_token();

  // -- queries ----------------------------------------------------------------

  const record_counters& counters() const {
    return *counters_;
  }

  /// The same for who may outlive these records.
  std::shared_ptr<const record_counters> shared_counters() const {
    return counters_;
  }

  /// Takes the messages of messages/records.hpp.
  const caf::actor& actor() const {
    return router_;
  }

  const std::string& owner() const {
    return owner_;
  }

private:
  record draft(record_request wanted);
  time_point deadline_of(const record_call_options& options) const;

  caf::actor reader();
  record_answer write(record_write what, const record_call_options& options);
  const record_writer& writer_for(std::string_view name) const;

  template <class Message>
  records_flushed ask_flushed(const record_call_options& options);

  template <class Answer, class Message>
  Answer ask_reader(Message msg, const record_call_options& options);

  caf::actor router_;
  std::vector<record_writer> writers_;
  std::function<caf::actor()> make_reader_;
  std::mutex reading_; // of `reader_`
  caf::actor reader_;
  std::shared_ptr<record_counters> counters_;
  std::shared_ptr<const timepiece> time_;
  std::shared_ptr<waiting> waits_;
  std::string owner_;
  std::uint64_t token_seed_;
  std::atomic<std::uint64_t> tokens_{0};
};

/// Opens the records and starts persistence. Throws `store_failure` if they
/// cannot be used.
std::unique_ptr<records>
open_records(caf::actor_system& sys, const records_options& options,
             const surroundings& around = surroundings::machine());

} // namespace steward
