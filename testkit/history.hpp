#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What clients did, and when: the evidence that history_check.hpp judges. Free
// of CAF, so that any program can record its part.

namespace steward::testkit {

/// When something happened: a step number, nanoseconds, whatever the clock of a
/// history counts. Equal stamps leave the order open.
using stamp = std::int64_t;

/// Later than everything.
inline constexpr stamp stamp_max = std::numeric_limits<stamp>::max();

/// How an operation ended, as far as its client knows.
enum class ending : unsigned char {
  ok,       ///< it took effect, once, between its two stamps
  failed,   ///< it had no effect and never will have one
  in_doubt, ///< it takes effect at any time after its first stamp, or never
};

std::string_view to_string(ending x);

/// One call of one client on the object named `key`.
struct operation {
  std::string client;
  std::string what; ///< `acquire`, `get_or_create`, ...
  std::string key;
  std::string arg;
  stamp invoked = 0;
  stamp completed = stamp_max; ///< when the client was told, or gave up
  ending end = ending::in_doubt;
  std::string result = {}; ///< of what is ok; else why it is not

  friend bool operator==(const operation&, const operation&) = default;
};

/// What was known at the time `at`: what ended later is in doubt, what began
/// later is not there.
std::vector<operation> history_until(std::span<const operation> what, stamp at);

/// Nanoseconds of CLOCK_MONOTONIC, the same for all processes of a machine.
stamp monotonic_stamp();

/// Records what clients do. Any thread; clients do not wait for each other, so
/// that recording hides no race. Who is invoked and never ended is in doubt.
class history {
public:
  using clock = std::function<stamp()>;
  using sink = std::function<void(const std::string& line)>;

  class client;

  /// Stamps by the machine's monotonic clock.
  history() : history(monotonic_stamp) {
  }

  /// Stamps by `now`: in a simulation, its step number. `lines`, if any, gets
  /// each line of text as it is recorded, before the operation may begin: what
  /// a process that is killed leaves behind. Both are called by any client, at
  /// once.
  explicit history(clock now, sink lines = {});

  /// Who records under this name; the same as before if there is one.
  client as(std::string_view name);

  /// Adds what was recorded elsewhere, or stamped by hand.
  void add(operation x);

  /// All there is, by time of invocation. May be asked at any time.
  std::vector<operation> operations() const;

private:
  struct log;
  struct books;

  std::shared_ptr<books> books_;
};

/// Who records. May be copied, and outlives its history.
class history::client {
public:
  /// Names one operation of this client.
  using ticket = std::size_t;

  /// To be called before the operation begins.
  ticket invoke(std::string_view what, std::string_view key,
                std::string_view arg = {});

  /// To be called after it ended. @pre each of these once for a ticket.
  void complete(ticket which, std::string_view result = {});
  void fail(ticket which, std::string_view why = {});
  void in_doubt(ticket which, std::string_view why = {});

private:
  friend class history;

  client(std::shared_ptr<books> all, log& mine)
    : books_(std::move(all)), log_(&mine) {
  }

  void end(ticket which, ending how, std::string_view result);

  std::shared_ptr<books> books_;
  log* log_;
};

/// Writes operations as lines of text: fields between tabs, a line when one
/// begins and a line when it ends.
void write_history(std::ostream& to, std::span<const operation> what);

/// Reads what `write_history` or a sink wrote. A last line without its end is
/// left out: whoever wrote it was killed. Throws `failure`, which names the line,
/// for all else that is not a history.
std::vector<operation> read_history(std::istream& from);

} // namespace steward::testkit
