#pragma once

#include <steward/core/record.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward {

/// What waits to be written, in order of arrival: requests, which somebody
/// wants answered by a deadline, notes, which nobody does, and marks, which
/// want to know when all before them is done. Pure; one thread.
///
/// One round is `next_batch`, the write, `settle`. What the write left open
/// stays where it was.
class record_queue {
public:
  /// Names who is to be told.
  using ticket = std::uint64_t;

  /// A request has its answer.
  struct answered {
    ticket to;
    record_answer answer;
    bool shared; ///< by the row of an earlier request for the same name
  };

  /// A mark is reached, or its deadline is: then `pending` writes before it
  /// are not done.
  struct reached {
    ticket to;
    std::size_t pending;
  };

  /// Whom to tell what, in order.
  struct news {
    std::vector<answered> answers;
    std::vector<reached> marks;
  };

  /// How the write of a batch ended, row by row: none if it is still open.
  using outcomes = std::vector<std::optional<record_answer>>;

  // -- events -----------------------------------------------------------------

  void add_request(ticket from, record_write write, time_point now,
                   time_point deadline);

  void add_note(record_write write, time_point now);

  void add_mark(ticket from, time_point deadline);

  /// Takes the first writes, `rows_max` and `bytes_max` at most, but one in any
  /// case. They are sorted by name, those of one name in order of arrival.
  /// Requests to create one name share a row, unless it is changed in between.
  std::span<const record_write> next_batch(std::size_t rows_max,
                                           std::size_t bytes_max
                                           = static_cast<std::size_t>(-1));

  /// Ends the round. What has no outcome may be in the database all the same if
  /// nobody knows how the write ended: `unknown`.
  void settle(outcomes ended, news& out, bool unknown = false);

  /// Answers whoever waited until `now` or longer in vain, because of `cause`.
  /// May be called during a round, too.
  void expire(time_point now, std::string_view cause, news& out,
              record_trouble why = record_trouble::timed_out);

  /// Answers all requests with `cause`. Notes and marks stay.
  void refuse_requests(std::string_view cause, news& out,
                       record_trouble why = record_trouble::failed);

  /// Answers everybody and drops everything; says how many notes that are.
  std::size_t give_up(std::string_view cause, news& out);

  // -- queries ----------------------------------------------------------------

  /// How many requests and notes wait.
  std::size_t size() const {
    return items_.size() - marks_;
  }

  bool empty() const {
    return items_.empty();
  }

  /// Since when the first of them waits; `never` if none does.
  time_point oldest() const {
    return items_.empty() ? never : items_.front().since;
  }

  /// No request and no mark has an earlier deadline.
  time_point next_deadline() const {
    return next_deadline_;
  }

private:
  // Who is gone was answered during the round that may write it.
  enum class kind : unsigned char { request, note, mark, gone };

  static constexpr std::size_t no_row = static_cast<std::size_t>(-1);

  struct item {
    kind what;
    bool shared = false;
    bool may_exist = false; // a round that wrote it ended nobody knows how
    ticket from = 0;
    time_point since{};
    time_point deadline = never;
    record_write write{};
    std::size_t row = no_row; // during a round
  };

  // Its name, and where it stands among the items.
  using candidate = std::pair<std::string_view, std::size_t>;

  void add(item x);
  void take_sorted(std::vector<candidate> order);
  void answer(const item& x, record_answer outcome, news& out);
  void leave(item& x, std::size_t writes_before, record_answer why, news& out);

  std::deque<item> items_;
  std::size_t marks_ = 0;
  time_point next_deadline_ = never;
  std::vector<record_write> rows_; // during a round
  std::size_t taken_ = 0;          // items of the round, from the front
};

} // namespace steward
