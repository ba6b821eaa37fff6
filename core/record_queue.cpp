#include <steward/core/record_queue.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/core/planted.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

namespace steward {

namespace {

std::string gave_up_after(std::string_view cause, duration waited) {
  using std::chrono::milliseconds;
  auto rounded = std::chrono::round<milliseconds>(waited);
  std::string text{cause.empty() ? "the queue of records is slow" : cause};
  return text + ", gave up after "
         + to_text(std::max(rounded, milliseconds{0}));
}

// What must never be done: that is how a bug is planted.
void forget_token(record_write& x) {
  // unreached: nobody plants it in a shipped build
  if (auto* create = std::get_if<create_record>(&x))
    create->draft.creator[0] ^= std::byte{1};
}

} // namespace

// -- events -------------------------------------------------------------------

void record_queue::add(item x) {
  next_deadline_ = std::min(next_deadline_, x.deadline);
  items_.push_back(std::move(x));
}

void record_queue::add_request(ticket from, record_write write, time_point now,
                               time_point deadline) {
  item x{kind::request};
  x.from = from;
  x.since = now;
  x.deadline = deadline;
  x.write = std::move(write);
  add(std::move(x));
}

void record_queue::add_note(record_write write, time_point now) {
  item x{kind::note};
  x.since = now;
  x.write = std::move(write);
  add(std::move(x));
}

void record_queue::add_mark(ticket from, time_point deadline) {
  item x{kind::mark};
  x.from = from;
  x.deadline = deadline;
  ++marks_;
  add(std::move(x));
}

std::span<const record_write> record_queue::next_batch(std::size_t rows_max,
                                                       std::size_t bytes_max) {
  std::vector<candidate> order;
  order.reserve(std::min(rows_max, items_.size()));
  std::size_t bytes = 0;
  // Which row a later request for the same name can share.
  std::unordered_map<std::string_view, std::size_t> shared_row;
  for (taken_ = 0; taken_ < items_.size(); ++taken_) {
    auto& x = items_[taken_];
    if (x.what == kind::mark)
      continue;
    std::string_view name = name_of(x.write);
    if (STEWARD_PLANTED(names_share_rows))
      name = name.substr(0, 1);
    auto creates = x.what == kind::request
                   && std::holds_alternative<create_record>(x.write);
    auto open = shared_row.find(name);
    if (creates && open != shared_row.end()) {
      x.shared = true;
      x.row = open->second;
      continue;
    }
    bytes += size_of(x.write);
    if (order.size() == rows_max || (!order.empty() && bytes > bytes_max))
      break;
    if (open != shared_row.end())
      shared_row.erase(open);
    x.shared = false;
    x.row = order.size();
    order.push_back({name_of(x.write), taken_});
    if (creates)
      shared_row.emplace(name, x.row);
  }
  take_sorted(std::move(order));
  return rows_;
}

// Two batches that take the same locks in another order wait for each other;
// and a sorted batch touches each page of an index once.
void record_queue::take_sorted(std::vector<candidate> order) {
  if (!STEWARD_PLANTED(unsorted_batch))
    std::sort(order.begin(), order.end());
  std::vector<std::size_t> now_at(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    now_at[items_[order[i].second].row] = i;
  for (std::size_t i = 0; i < taken_; ++i)
    if (items_[i].what != kind::mark)
      items_[i].row = now_at[items_[i].row];
  rows_.clear();
  rows_.reserve(order.size());
  for (auto [name, at] : order)
    rows_.push_back(std::move(items_[at].write));
}

void record_queue::settle(outcomes ended, news& out, bool unknown) {
  ended.resize(rows_.size());
  std::vector<std::size_t> users(rows_.size());
  for (std::size_t i = 0; i < taken_; ++i)
    if (items_[i].what != kind::mark && items_[i].what != kind::gone)
      ++users[items_[i].row];
  std::size_t kept = 0;
  std::size_t writes_kept = 0;
  for (std::size_t i = 0; i < taken_; ++i) {
    auto& x = items_[i];
    if (x.what == kind::gone)
      continue;
    auto is_mark = x.what == kind::mark;
    if (is_mark && writes_kept == 0) {
      out.marks.push_back({x.from, 0});
      --marks_;
      continue;
    }
    if (!is_mark && ended[x.row]) {
      // The last one of a row may have it all.
      auto& outcome = *ended[x.row];
      answer(x, --users[x.row] == 0 ? std::move(outcome) : outcome, out);
      continue;
    }
    if (STEWARD_PLANTED(notes_dropped) && x.what == kind::note)
      continue;
    if (!is_mark) {
      ++writes_kept;
      if (!x.shared)
        x.write = std::move(rows_[x.row]);
      x.may_exist = x.may_exist || unknown;
      if (STEWARD_PLANTED(new_token_on_retry))
        forget_token(x.write);
    }
    if (kept != i)
      items_[kept] = std::move(x);
    ++kept;
  }
  auto at = [this](std::size_t i) {
    return items_.begin() + static_cast<std::ptrdiff_t>(i);
  };
  items_.erase(at(kept), at(taken_));
  rows_.clear();
  taken_ = 0;
  if (items_.empty())
    next_deadline_ = never;
}

void record_queue::answer(const item& x, record_answer outcome, news& out) {
  if (x.what != kind::request)
    return;
  // Who shares a row is its creator only if the row carries that token, which
  // it does after a commit whose answer was lost.
  if (x.shared && outcome.verdict != record_verdict::unavailable)
    outcome = answer_to(std::get<create_record>(x.write),
                        std::move(outcome.row));
  if (STEWARD_PLANTED(conflict_is_error)
      && outcome.verdict == record_verdict::existed)
    outcome = unavailable(record_trouble::failed, "UNIQUE constraint failed");
  // An update that lost against itself, perhaps.
  if (outcome.verdict == record_verdict::unavailable
      || outcome.verdict == record_verdict::conflict)
    outcome.may_exist = x.may_exist;
  out.answers.push_back({x.from, std::move(outcome), x.shared});
}

// Answers who cannot wait any longer.
void record_queue::leave(item& x, std::size_t writes_before, record_answer why,
                         news& out) {
  if (x.what != kind::mark)
    return answer(x, std::move(why), out);
  out.marks.push_back({x.from, writes_before});
  --marks_;
}

void record_queue::expire(time_point now, std::string_view cause, news& out,
                          record_trouble why) {
  if (now < next_deadline_)
    return;
  std::size_t writes_before = 0;
  next_deadline_ = never;
  // Those of the round stay in their places, as it will write them anyway.
  for (std::size_t i = 0; i < items_.size(); ++i) {
    auto& x = items_[i];
    if (x.what == kind::gone)
      continue;
    if (x.deadline > now) {
      next_deadline_ = std::min(next_deadline_, x.deadline);
      writes_before += x.what == kind::mark ? 0 : 1;
      continue;
    }
    x.may_exist = x.may_exist || i < taken_;
    leave(x, writes_before,
          unavailable(why, gave_up_after(cause, now - x.since)), out);
    x.what = kind::gone;
  }
  auto next = items_.begin() + static_cast<std::ptrdiff_t>(taken_);
  items_.erase(std::remove_if(next, items_.end(),
                              [](auto& x) { return x.what == kind::gone; }),
               items_.end());
}

void record_queue::refuse_requests(std::string_view cause, news& out,
                                   record_trouble why) {
  std::erase_if(items_, [&](auto& x) {
    if (x.what == kind::request)
      answer(x, unavailable(why, std::string{cause}), out);
    return x.what == kind::request;
  });
}

std::size_t record_queue::give_up(std::string_view cause, news& out) {
  refuse_requests(cause, out, record_trouble::closing);
  std::size_t notes = 0;
  for (auto& x : items_) {
    if (x.what == kind::mark)
      out.marks.push_back({x.from, notes});
    else
      ++notes;
  }
  items_.clear();
  marks_ = 0;
  next_deadline_ = never;
  return notes;
}

} // namespace steward
