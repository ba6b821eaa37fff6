#pragma once

#include <steward/core/record.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

  void add_request(ticket from, record draft, time_point now,
                   time_point deadline);

  void add_note(record_write write);

  void add_mark(ticket from, time_point deadline);

  /// Takes the first writes, `rows_max` at most. Requests for one name share a
  /// row, unless the name is closed in between.
  std::span<const record_write> next_batch(std::size_t rows_max);

  /// Ends the round.
  void settle(outcomes ended, news& out);

  /// Answers whoever waited until `now` or longer in vain, because of `cause`.
  void expire(time_point now, std::string_view cause, news& out);

  /// Answers all requests with `cause`. Notes and marks stay.
  void refuse_requests(std::string_view cause, news& out);

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

  /// No request and no mark has an earlier deadline.
  time_point next_deadline() const {
    return next_deadline_;
  }

private:
  enum class kind : unsigned char { request, note, mark };

  static constexpr std::size_t no_row = static_cast<std::size_t>(-1);

  struct item {
    kind what;
    bool shared = false;
    ticket from = 0;
    time_point since{};
    time_point deadline = never;
    record_write write{};
    std::size_t row = no_row; // during a round
  };

  void add(item x);
  void answer(const item& x, const record_answer& outcome, news& out);

  std::deque<item> items_;
  std::size_t marks_ = 0;
  time_point next_deadline_ = never;
  std::vector<record_write> rows_; // during a round
  std::size_t taken_ = 0;          // items of the round, from the front
};

} // namespace steward
