#pragma once

#include <steward/core/database_error.hpp>
#include <steward/core/node.hpp>
#include <steward/core/record.hpp>
#include <steward/core/record_query.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace steward {

/// What went wrong with a record store. A closed list; the text of
/// `store_failure` says what happened, its `reaction` what can be done.
enum class store_errc : unsigned char {
  busy,           ///< locked by somebody else: nothing was written, try again
  full,           ///< no space left: nothing was written, try again later
  read_only,      ///< the database, its file or directory cannot be written
  cannot_open,    ///< no such directory, no permission, no such database, ...
  not_a_database, ///< the file is something else; it was not touched
  newer_schema,   ///< written by a newer steward; it was not touched
  damaged,        ///< the database is malformed
  io,             ///< reading or writing failed; a commit may or may not stand
  bad_row,        ///< this row can never be written
  misuse,         ///< a defect of steward or of the URL
};

std::string_view to_string(store_errc x);

/// Whether the same call can succeed later without anybody's help.
constexpr bool transient(store_errc x) {
  return x == store_errc::busy || x == store_errc::full || x == store_errc::io;
}

/// What can be done about it where nothing more is known.
constexpr reaction reaction_to(store_errc x) {
  if (x == store_errc::io)
    return reaction::unknown_outcome;
  if (x == store_errc::bad_row)
    return reaction::bisect;
  return transient(x) ? reaction::retry : reaction::fail;
}

/// Thrown by stores. `what()` is one line without passwords: what, where, the
/// database's code.
class store_failure : public std::runtime_error {
public:
  store_failure(store_errc code, const std::string& what)
    : store_failure(code, what, reaction_to(code)) {
  }

  store_failure(store_errc code, const std::string& what,
                steward::reaction to_do)
    : std::runtime_error(what), code_(code), reaction_(to_do) {
  }

  store_errc code() const noexcept {
    return code_;
  }

  steward::reaction reaction() const noexcept {
    return reaction_;
  }

private:
  store_errc code_;
  steward::reaction reaction_;
};

/// What somebody wants of a database of records.
enum class store_use : unsigned char {
  keep, ///< to write; tables are made where there are none
  tend, ///< to write, where there are records: none are made
  look, ///< only to read: nothing is made or changed, an older schema is read
        ///< as it is, and the right to write is not needed
};

/// Whose records are taken over by whom.
struct adoption {
  std::int64_t from = 0; ///< the node that is gone
  std::int64_t to = 0;
  std::string pool = {};      ///< any if empty
  bool surely_dead = false;   ///< else only if its lease is over
  std::size_t rows_max = 100; ///< as of a page, and so are the bytes
};

/// What a purge came to.
struct purged_records {
  std::size_t gone = 0;
  /// What it had to leave, as somebody else has it locked. Known only when fewer
  /// are gone than might be.
  std::size_t locked = 0;
};

/// Where records are kept. One thread at a time; every call blocks at most for
/// `wait_max` on somebody else's lock, and for the store's own limits on a
/// server, then throws. All throw `store_failure`.
class record_store {
public:
  virtual ~record_store() = default;

  // -- records ----------------------------------------------------------------

  /// Writes all of `batch`, in order, in one transaction and returns after it
  /// is durable. The n-th answer belongs to the n-th write; that of a
  /// `close_record` is `existed` if there is such a row, else `unavailable`.
  /// Throws: see the reaction for what may have been written.
  virtual std::vector<record_answer>
  write(std::span<const record_write> batch, duration wait_max) = 0;

  /// Reads rows by name in a fresh snapshot, in the order asked for; no more than
  /// a page may have, but one. Who gets fewer than he asked for asks again for
  /// the rest.
  virtual std::vector<std::optional<record>>
  find(std::span<const std::string> names, duration wait_max) = 0;

  /// Reads the next page of what `what` describes, by id.
  virtual record_page read_page(const record_query& what, duration wait_max)
    = 0;

  /// The same where none may be missing: throws if one cannot be read. Only
  /// after an empty one there are no more.
  std::vector<record> page(const record_query& what, duration wait_max);

  /// Removes rows that were closed before `before`, `rows_max` at most. They are
  /// gone then, and their names free.
  virtual purged_records purge(time_point before, std::size_t rows_max,
                               duration wait_max)
    = 0;

  /// Looks for damage of the database and for what its schema lacks, but not
  /// into single rows. One line each; none if all is well.
  virtual std::vector<std::string> verify(duration wait_max) = 0;

  /// Reads all rows of one owner by id; of everybody if `owner` is empty.
  std::vector<record> list(const std::string& owner, duration wait_max);

  // -- who watches over them --------------------------------------------------

  /// A new node with a lease of `ttl`. `x.id` and `x.expired` are ignored.
  virtual std::int64_t join(const node& x, duration ttl, duration wait_max) = 0;

  /// Renews the lease; false if it was over, and then for ever.
  virtual bool beat(std::int64_t id, duration ttl, duration wait_max) = 0;

  /// Ends the lease, whoever lives. Forgets the node, unless open records still
  /// carry it: those may be adopted.
  virtual void leave(std::int64_t id, duration wait_max) = 0;

  /// All nodes that are known.
  virtual std::vector<node> nodes(duration wait_max) = 0;

  /// What open records carry for a node that is not known: it was forgotten as
  /// its lease was over, just before they came.
  virtual std::vector<std::int64_t> strays(duration wait_max) = 0;

  /// Takes open records of a node that is gone, in one statement: each goes to
  /// one taker. Those that cannot be read are taken, too.
  virtual record_page adopt(const adoption& what, duration wait_max) = 0;

  // -- queries ----------------------------------------------------------------

  /// Where the records are, without passwords: for logs and errors.
  virtual std::string where() const = 0;

  /// How many connections write well beside each other. Default: 1.
  virtual std::size_t writers() const {
    return 1;
  }

  /// Calls `fun` now and then while a call waits for a server. What it throws
  /// ends the call, and nobody knows how it would have ended.
  virtual void on_wait(std::function<void()>) {
  }
};

/// Opens the store that `url` names, `sqlite:PATH` or `postgresql://...`, and
/// brings its schema up to date. Throws `store_failure`; a file that cannot be
/// used is left as is.
std::unique_ptr<record_store> open_record_store(const std::string& url,
                                                duration wait_max);

/// The same for some use; only `store_use::keep` makes records where none are,
/// for the others that is a `store_failure`, too.
std::unique_ptr<record_store>
open_records_for(store_use use, const std::string& url, duration wait_max);

} // namespace steward
