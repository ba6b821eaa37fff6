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
  if (auto* create = std::get_if<create_record>(&x))
    create->draft.creator[0] ^= std::byte{1};
}

} // namespace

// -- events -------------------------------------------------------------------

void record_queue::add(item x) {
  next_deadline_ = std::min(next_deadline_, x.deadline);
  items_.push_back(std::move(x));
}

void record_queue::add_request(ticket from, record draft, time_point now,
                               time_point deadline) {
  item x{kind::request};
  x.from = from;
  x.since = now;
  x.deadline = deadline;
  x.write = create_record{std::move(draft)};
  add(std::move(x));
}

void record_queue::add_note(record_write write) {
  item x{kind::note};
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

std::span<const record_write> record_queue::next_batch(std::size_t rows_max) {
  rows_.clear();
  rows_.reserve(std::min(rows_max, items_.size()));
  // Which row a later request for the same name can share. The keys point into
  // rows_, which does not move any more.
  std::unordered_map<std::string_view, std::size_t> shared_row;
  for (taken_ = 0; taken_ < items_.size(); ++taken_) {
    auto& x = items_[taken_];
    if (x.what == kind::mark)
      continue;
    std::string_view name = name_of(x.write);
    if (STEWARD_PLANTED(names_share_rows))
      name = name.substr(0, 1);
    auto open = shared_row.find(name);
    if (x.what == kind::request && open != shared_row.end()) {
      x.shared = true;
      x.row = open->second;
      continue;
    }
    if (rows_.size() == rows_max)
      break;
    if (open != shared_row.end())
      shared_row.erase(open);
    x.shared = false;
    x.row = rows_.size();
    rows_.push_back(std::move(x.write));
    if (x.what == kind::request)
      shared_row.emplace(
        std::string_view{name_of(rows_.back())}.substr(0, name.size()), x.row);
  }
  return rows_;
}

void record_queue::settle(outcomes ended, news& out) {
  ended.resize(rows_.size());
  std::size_t kept = 0;
  std::size_t writes_kept = 0;
  for (std::size_t i = 0; i < taken_; ++i) {
    auto& x = items_[i];
    auto is_mark = x.what == kind::mark;
    if (is_mark && writes_kept == 0) {
      out.marks.push_back({x.from, 0});
      --marks_;
      continue;
    }
    if (!is_mark && ended[x.row]) {
      answer(x, *ended[x.row], out);
      continue;
    }
    if (STEWARD_PLANTED(notes_dropped) && x.what == kind::note)
      continue;
    if (!is_mark) {
      ++writes_kept;
      if (!x.shared)
        x.write = std::move(rows_[x.row]);
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

void record_queue::answer(const item& x, const record_answer& outcome,
                          news& out) {
  if (x.what != kind::request)
    return;
  out.answers.push_back({x.from, outcome, x.shared});
  if (STEWARD_PLANTED(conflict_is_error)
      && outcome.verdict == record_verdict::existed)
    out.answers.back().answer = unavailable(record_trouble::failed,
                                            "UNIQUE constraint failed");
  if (!x.shared || outcome.verdict == record_verdict::unavailable)
    return;
  // Who shares a row is its creator only if the row carries that token, which
  // it does after a commit whose answer was lost.
  auto& mine = std::get<create_record>(x.write).draft.creator;
  auto& given = out.answers.back().answer;
  given.lost_race = false;
  given.verdict = given.row.creator == mine ? record_verdict::created
                                            : record_verdict::existed;
}

void record_queue::expire(time_point now, std::string_view cause, news& out) {
  if (now < next_deadline_)
    return;
  std::size_t writes_before = 0;
  next_deadline_ = never;
  std::erase_if(items_, [&](auto& x) {
    auto is_mark = x.what == kind::mark;
    if (x.deadline > now) {
      next_deadline_ = std::min(next_deadline_, x.deadline);
      writes_before += is_mark ? 0 : 1;
      return false;
    }
    if (is_mark) {
      out.marks.push_back({x.from, writes_before});
      --marks_;
    } else {
      answer(x,
             unavailable(record_trouble::timed_out,
                         gave_up_after(cause, now - x.since)),
             out);
    }
    return true;
  });
}

void record_queue::refuse_requests(std::string_view cause, news& out) {
  std::erase_if(items_, [&](auto& x) {
    if (x.what == kind::request)
      answer(x, unavailable(record_trouble::failed, std::string{cause}), out);
    return x.what == kind::request;
  });
}

std::size_t record_queue::give_up(std::string_view cause, news& out) {
  refuse_requests(cause, out);
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
