#include <steward/runtime/records.hpp>

#include <algorithm>
#include <cstddef>
#include <future>
#include <optional>

namespace steward {

namespace {

using namespace std::chrono_literals;

// Persistence answers by the deadline; this is for its way here.
constexpr duration grace = 500ms;

// Bounded whatever the timepiece says and wherever the promise went: it breaks
// when persistence ends.
template <class Answer>
std::optional<Answer> wait_for(waiting& waits, std::future<Answer> coming,
                               duration deadline, std::string& cause) {
  auto bound = std::clamp<duration>(deadline, 0ns, 24h * 365) + grace;
  auto come = [&](std::chrono::nanoseconds d) {
    return coming.wait_for(d) == std::future_status::ready;
  };
  if (!waits.wait(come, bound)) {
    cause = "persistence does not answer";
    return std::nullopt;
  }
  try {
    return coming.get();
  } catch (const std::future_error&) {
    cause = "records are closed";
    return std::nullopt;
  }
}

} // namespace

// -- construction -------------------------------------------------------------

records::records(caf::actor persistence,
                 std::shared_ptr<record_counters> counters,
                 const surroundings& around, std::string owner)
  : persistence_(std::move(persistence)), counters_(std::move(counters)),
    time_(around.time), waits_(around.waits), owner_(std::move(owner)),
    token_seed_(around.random()) {
}

// -- verbs --------------------------------------------------------------------

record_answer records::get_or_create(record_request wanted,
                                     record_call_options options) {
  auto reply = std::make_shared<std::promise<record_answer>>();
  auto coming = reply->get_future();
  cafx::send_anon(persistence_, get_or_create_blocking{draft(std::move(wanted)),
                                                       deadline_of(options),
                                                       std::move(reply)});
  std::string cause;
  if (auto answer = wait_for(*waits_, std::move(coming), options.deadline,
                             cause))
    return std::move(*answer);
  record_answer answer;
  answer.cause = std::move(cause);
  return answer;
}

void records::note_opened(record_request opened, time_point at) {
  auto row = draft(std::move(opened));
  row.opened_at = at;
  cafx::send_anon(persistence_, note_record{create_record{std::move(row)}});
}

void records::note_closed(std::string name, close_reason reason,
                          time_point at) {
  cafx::send_anon(persistence_,
                  note_record{close_record{std::move(name), reason, at}});
}

template <class Message>
records_flushed records::ask_flushed(const record_call_options& options) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  cafx::send_anon(persistence_,
                  Message{deadline_of(options), std::move(reply)});
  std::string cause;
  if (auto answer = wait_for(*waits_, std::move(coming), options.deadline,
                             cause))
    return std::move(*answer);
  return {counters_->queued, std::move(cause)};
}

records_flushed records::flush(record_call_options options) {
  return ask_flushed<flush_records_blocking>(options);
}

records_flushed records::stop(record_call_options options) {
  return ask_flushed<stop_records_blocking>(options);
}

// -- construction of all of it -----------------------------------------------

std::unique_ptr<records> open_records(caf::actor_system& sys,
                                      const records_options& options,
                                      const surroundings& around) {
  auto counters = std::make_shared<record_counters>();
  persistence_parts parts;
  parts.store = around.open_store(options.url, options.open_wait_max);
  parts.counters = counters;
  parts.time = around.time;
  parts.options = options.persistence;
  return std::make_unique<records>(spawn_persistence(sys, std::move(parts),
                                                     around.records_thread),
                                   counters, around, options.owner);
}

// -- private ------------------------------------------------------------------

record_answer records::unavailable(const caf::error& err) {
  record_answer answer;
  answer.cause = "records are closed: " + describe(err);
  return answer;
}

record records::draft(record_request wanted) {
  record row;
  row.name = std::move(wanted.name);
  row.pool = std::move(wanted.pool);
  row.key = std::move(wanted.key);
  row.attributes = std::move(wanted.attributes);
  row.owner = owner_;
  row.creator = next_token();
  row.opened_at = time_->now();
  return row;
}

creator_token records::next_token() {
  auto number = tokens_.fetch_add(1, std::memory_order_relaxed);
  creator_token token;
  for (std::size_t i = 0; i < 8; ++i) {
    token[i] = static_cast<std::byte>(token_seed_ >> (i * 8) & 0xff);
    token[i + 8] = static_cast<std::byte>(number >> (i * 8) & 0xff);
  }
  return token;
}

time_point records::deadline_of(const record_call_options& options) const {
  return later(time_->now(), options.deadline);
}

} // namespace steward
