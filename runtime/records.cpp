#include <steward/runtime/records.hpp>

#include <steward/actors/record_reader.hpp>
#include <steward/core/planted.hpp>

#include <algorithm>
#include <cstddef>
#include <future>
#include <optional>

namespace steward {

namespace {

using namespace std::chrono_literals;

// Persistence answers by the deadline; this is for its way here.
constexpr duration grace = 500ms;

constexpr const char* records_closed = "records are closed";

// Whatever the timepiece says.
std::chrono::nanoseconds bound_of(duration deadline) {
  auto patience = STEWARD_PLANTED(deadline_ignored) ? 1h : grace;
  return std::clamp<duration>(deadline, 0ns, 24h * 365) + patience;
}

// Bounded, wherever the promise went: it breaks when its actor ends.
template <class Answer>
std::optional<Answer> wait_for(waiting& waits, std::future<Answer> coming,
                               duration deadline, std::string& cause) {
  auto come = [&](std::chrono::nanoseconds d) {
    return coming.wait_for(d) == std::future_status::ready;
  };
  if (!waits.wait(come, bound_of(deadline))) {
    cause = persistence_is_silent;
    return std::nullopt;
  }
  try {
    return coming.get();
  } catch (const std::future_error&) {
    cause = records_closed;
    return std::nullopt;
  }
}

} // namespace

// -- construction -------------------------------------------------------------

records::records(actors all, std::shared_ptr<record_counters> counters,
                 const surroundings& around, std::string owner)
  : router_(std::move(all.router)), writers_(std::move(all.writers)),
    make_reader_(std::move(all.make_reader)), counters_(std::move(counters)),
    time_(around.time), waits_(around.waits), owner_(std::move(owner)),
    token_seed_(around.random()) {
}

records::~records() {
  if (reader_)
    cafx::send_anon(reader_, stop_reader{});
}

// -- verbs --------------------------------------------------------------------

record_answer records::get_or_create(record_request wanted,
                                     record_call_options options) {
  auto strict = wanted.strict;
  return write(create_record{draft(std::move(wanted)), strict}, options);
}

record_answer records::update(record_change wanted,
                              record_call_options options) {
  return write(update_record{std::move(wanted.name), wanted.version,
                             std::move(wanted.attributes),
                             std::move(wanted.journal), new_token()},
               options);
}

record_answer records::close(std::string name, close_reason reason,
                             record_call_options options) {
  return write(close_record{std::move(name), reason, time_->now()}, options);
}

std::vector<std::optional<record>> records::find(std::vector<std::string> names,
                                                 record_call_options options) {
  return ask_reader<records_found>(
           find_records_blocking{std::move(names), nullptr}, options)
    .rows;
}

record_page records::page(const record_query& what,
                          record_call_options options) {
  return ask_reader<page_found>(page_records_blocking{what, nullptr}, options)
    .page;
}

void records::note_opened(record_request opened, time_point at) {
  auto row = draft(std::move(opened));
  row.opened_at = at;
  cafx::send_anon(router_, note_record{create_record{std::move(row)}});
}

void records::note_undone(record_request asked, time_point at) {
  close_record undo{asked.name, close_reason::unhealthy, at, asked.token};
  note_opened(std::move(asked), at);
  cafx::send_anon(router_, note_record{std::move(undo)});
}

void records::note_closed(std::string name, close_reason reason,
                          time_point at) {
  cafx::send_anon(router_,
                  note_record{close_record{std::move(name), reason, at}});
}

template <class Message>
records_flushed records::ask_flushed(const record_call_options& options) {
  auto reply = std::make_shared<std::promise<records_flushed>>();
  auto coming = reply->get_future();
  cafx::send_anon(router_, Message{deadline_of(options), std::move(reply)});
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
  records::actors all;
  auto open = [url = options.url, wait = options.open_wait_max,
               how = around.open_store] { return how(url, wait); };
  auto start_writer = [&](std::unique_ptr<record_store> store) {
    persistence_parts parts;
    parts.store = std::move(store);
    parts.counters = counters;
    parts.time = around.time;
    parts.options = options.persistence;
    parts.options.seed += all.writers.size();
    parts.writer = all.writers.size();
    // In a simulation nothing hangs.
    auto may_hang = around.records_thread == run_on::own_thread;
    parts.desk = std::make_shared<record_desk>(
      parts.options.queue_max, counters, may_hang ? around.time : nullptr);
    auto desk = parts.desk;
    all.writers.push_back(
      {spawn_persistence(sys, std::move(parts), around.records_thread),
       std::move(desk)});
  };
  // All that may fail comes before the first actor.
  std::vector<std::unique_ptr<record_store>> stores;
  stores.push_back(open());
  auto writers = std::min(stores[0]->writers(), record_counters::writers_max);
  while (stores.size() < writers)
    stores.push_back(open());
  for (auto& store : stores)
    start_writer(std::move(store));
  all.router = spawn_record_router(sys, all.writers);
  all.make_reader = [&sys, open, thread = around.records_thread] {
    return spawn_record_reader(sys, open, thread);
  };
  return std::make_unique<records>(std::move(all), counters, around,
                                   options.owner);
}

// -- private ------------------------------------------------------------------

record_answer records::write(record_write what,
                             const record_call_options& options) {
  const auto& to = writer_for(name_of(what));
  auto left = to.desk->leave(std::move(what), deadline_of(options));
  if (left.refused)
    return std::move(*left.refused);
  to.tell_of(left);
  auto& place = left.place;
  auto come = [&](std::chrono::nanoseconds d) {
    return place.with->wait(place.number, d);
  };
  if (waits_->wait(come, bound_of(options.deadline)))
    return place.with->take(place.number);
  auto answer = unavailable(record_trouble::timed_out, persistence_is_silent);
  answer.may_exist = true; // it may be under way
  return answer;
}

template <class Answer, class Message>
Answer records::ask_reader(Message msg, const record_call_options& options) {
  msg.reply = std::make_shared<std::promise<Answer>>();
  auto coming = msg.reply->get_future();
  cafx::send_anon(reader(), std::move(msg));
  std::string cause;
  auto answer = wait_for(*waits_, std::move(coming), options.deadline, cause);
  if (answer)
    cause = answer->cause;
  if (!cause.empty())
    throw records_unreadable{cause};
  return std::move(*answer);
}

// Only who reads needs another thread and connection.
caf::actor records::reader() {
  std::lock_guard lock{reading_};
  if (!reader_)
    reader_ = make_reader_();
  return reader_;
}

const record_writer& records::writer_for(std::string_view name) const {
  return writers_[writer_of(name, writers_.size())];
}

record records::draft(record_request wanted) {
  record row;
  row.name = std::move(wanted.name);
  row.pool = std::move(wanted.pool);
  row.key = std::move(wanted.key);
  row.attributes = std::move(wanted.attributes);
  row.journal = std::move(wanted.journal);
  row.incarnation = wanted.incarnation;
  row.owner = owner_;
  row.creator = wanted.token ? *wanted.token : new_token();
  row.opened_at = time_->now();
  return row;
}

creator_token records::new_token() {
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
