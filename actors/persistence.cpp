#include <steward/actors/persistence.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/planted.hpp>
#include <steward/core/record_queue.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace steward {

namespace {

// So many times in a row may the database be locked before anybody hears of it.
constexpr unsigned busy_max = 5;

// The shell around record_queue: messages in, transactions and answers out.
class persistence_state {
public:
  static constexpr const char* name = "steward.persistence";

  using self_ptr = caf::stateful_actor<persistence_state>*;
  using stop_promise = caf::typed_response_promise<records_flushed>;

  persistence_state() = default;

  persistence_state(const persistence_state&) = delete;
  persistence_state& operator=(const persistence_state&) = delete;

  // However we end, nobody waits for us.
  ~persistence_state() {
    if (parts_.desk)
      give_up("records are closed");
  }

  void start(self_ptr self, persistence_parts parts) {
    self_ = self;
    parts_ = std::move(parts);
    random_.seed(parts_.options.seed);
    log_ = &logger_of("persistence");
    waiters().speak_for(self->ctrl());
    // Who comes while we wait for a server counts, and who cannot wait any
    // longer is answered meanwhile. // I6
    parts_.store->on_wait([this] {
      take_left();
      expire();
    });
    SPDLOG_LOGGER_INFO(log_, "started where={}", parts_.store->where());
  }

  // -- messages ---------------------------------------------------------------

  // One message for all that was left.
  void take_left() {
    add_left();
    publish_size();
    if (queue_.empty())
      return;
    if (phase_ == phase::idle)
      schedule();
    else if (phase_ == phase::backing_off)
      arm_expiry();
  }

  void stop(stop_promise from, time_point deadline) {
    take_left(); // which came before
    stops_.push_back(std::move(from));
    stop_at_ = std::min(stop_at_, deadline);
    ++generation_;
    write_round();
  }

  // Those who were answered together ask again one by one. Who comes just too
  // late waits for a whole commit: so as long as more come, they come along.
  void look_again() {
    if (phase_ != phase::scheduled)
      return;
    take_left();
    if (queue_.size() > seen_ && queue_.size() < parts_.options.batch_max)
      schedule();
    else
      write_round();
  }

  void retry(const retry_now& msg) {
    if (msg.generation != generation_ || phase_ != phase::backing_off)
      return;
    // Under a clock that stands still, time passes by waiting.
    now_min_ = std::max(now_min_, msg.at);
    if (msg.at >= retry_at_)
      return write_round();
    expire();
    arm_expiry();
  }

  // One more round, then the end.
  void end_at_once() {
    stop_at_ = now();
    write_round();
  }

private:
  enum class phase : unsigned char {
    idle,        // nothing waits
    scheduled,   // flush_now is in the mailbox
    writing,     // a round is under way
    backing_off, // retry_now comes later
    ended,
  };

  // -- time -------------------------------------------------------------------

  time_point now() const {
    return std::max(parts_.time->now(), now_min_);
  }

  void send_retry(time_point at) {
    auto delay = std::max(at - now(), duration::zero());
    cafx::send_later(self_, delay, retry_now{generation_, at});
  }

  // Delayed messages cannot be taken back and keep the actor: none is later
  // than the next try, which is `backoff.cap` away at most.
  void arm_expiry() {
    auto at = queue_.next_deadline();
    if (at >= retry_at_ || at == expiry_at_)
      return;
    expiry_at_ = at;
    send_retry(at);
  }

  // -- rounds -----------------------------------------------------------------

  void add_left() {
    for (auto& x : parts_.desk->take())
      add(std::move(x));
    waiters().announce();
  }

  void add(record_desk::item x) {
    if (!x.write)
      return queue_.add_mark(waiters().add(std::move(x.from), x.deadline),
                             x.deadline);
    if (std::holds_alternative<std::monostate>(x.from))
      return queue_.add_note(std::move(*x.write), now());
    if (!stops_.empty())
      return waiters().refuse(x.from, record_trouble::closing,
                              "records are being closed");
    queue_.add_request(waiters().add(std::move(x.from), x.deadline),
                       std::move(*x.write), now(), x.deadline);
  }

  // Writes when all is done that is in the mailbox now.
  void schedule() {
    phase_ = phase::scheduled;
    seen_ = queue_.size();
    cafx::send(self_, self_, flush_now{});
  }

  void expire() {
    if (STEWARD_PLANTED(deadline_ignored))
      return;
    record_queue::news news;
    queue_.expire(now(), cause_, news, trouble_);
    tell(news);
    publish_size();
  }

  void write_round() {
    if (phase_ == phase::ended)
      return;
    phase_ = phase::writing;
    take_left();
    expire();
    auto rows = queue_.next_batch(parts_.options.batch_max,
                                  parts_.options.batch_bytes_max);
    record_queue::outcomes outcomes(rows.size());
    auto wrote = !rows.empty();
    auto failure = write(rows, outcomes);
    count(rows, outcomes);
    record_queue::news news;
    auto unknown = failure && failure->reaction() == reaction::unknown_outcome;
    queue_.settle(std::move(outcomes), news, unknown);
    if (failure)
      failed(*failure);
    else if (wrote)
      succeeded();
    if (failure && !heals(failure->reaction()))
      queue_.refuse_requests(failure->what(), news);
    tell(news);
    publish_size();
    plan_next(failure);
  }

  std::optional<store_failure> write(std::span<const record_write> rows,
                                     record_queue::outcomes& outcomes) {
    if (rows.empty())
      return std::nullopt;
    try {
      write_some(rows, outcomes, 0);
      return std::nullopt;
    } catch (const store_failure& x) {
      if (STEWARD_PLANTED(ack_before_commit))
        promise_all(rows, outcomes);
      return x;
    } catch (const std::exception& x) {
      return store_failure{store_errc::misuse, x.what()};
    }
  }

  // What must never be done: that is how a bug is planted.
  static void promise_all(std::span<const record_write> rows,
                          record_queue::outcomes& outcomes) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto* create = std::get_if<create_record>(&rows[i]);
      if (create == nullptr || outcomes[i])
        continue;
      outcomes[i].emplace().verdict = record_verdict::created;
      outcomes[i]->row = create->draft;
    }
  }

  // A bad row fails alone: it is found by halving. Earlier rows go first, so
  // that what was written before another failure stays in order.
  void write_some(std::span<const record_write> rows,
                  record_queue::outcomes& outcomes, std::size_t first) {
    try {
      auto answers = parts_.store->write(rows, lock_wait());
      ++parts_.counters->batches;
      for (std::size_t i = 0; i < rows.size(); ++i)
        outcomes[first + i] = std::move(answers[i]);
    } catch (const store_failure& x) {
      if (x.reaction() != reaction::bisect)
        throw;
      if (rows.size() == 1)
        return fail_row(outcomes[first], x);
      auto half = rows.size() / 2;
      write_some(rows.first(half), outcomes, first);
      write_some(rows.subspan(half), outcomes, first + half);
    }
  }

  void fail_row(std::optional<record_answer>& outcome,
                const store_failure& why) {
    ++parts_.counters->failed;
    parts_.counters->set_last_error(why.what());
    SPDLOG_LOGGER_WARN(log_, "bad_row cause=\"{}\"", why.what());
    outcome = unavailable(record_trouble::bad_row, why.what());
  }

  duration lock_wait() const {
    auto left = std::min(queue_.next_deadline(), stop_at_) - now();
    return std::clamp(left, duration::zero(), parts_.options.lock_wait_max);
  }

  void plan_next(const std::optional<store_failure>& failure) {
    auto stopping = !stops_.empty() || stop_at_ != never;
    if (stopping && (queue_.empty() || now() >= stop_at_))
      return end(cause_.empty() ? "records are being closed" : cause_);
    if (queue_.empty()) {
      phase_ = phase::idle;
    } else if (failure) {
      phase_ = phase::backing_off;
      back_off(*failure);
    } else {
      schedule();
    }
  }

  void succeeded() {
    if (warned_)
      SPDLOG_LOGGER_WARN(log_, "recovered failures={}", failures_);
    warned_ = false;
    failures_ = 0;
    cause_.clear();
    trouble_ = record_trouble::timed_out;
  }

  void failed(const store_failure& x) {
    auto& counters = *parts_.counters;
    ++counters.retries;
    counters.unknown += x.reaction() == reaction::unknown_outcome;
    ++failures_;
    counters.set_last_error(x.what());
    auto where = parts_.store->where();
    auto locked = x.code() == store_errc::busy && where.starts_with("sqlite:");
    cause_ = locked ? "database is locked by another process (" + where + ")"
                    : x.what();
    trouble_ = x.code() == store_errc::full ? record_trouble::storage_full
                                            : record_trouble::timed_out;
    // Once: the rest would fill the disk. A lock that somebody holds for a
    // moment is daily business.
    auto worth_it = x.code() != store_errc::busy || failures_ >= busy_max;
    if (worth_it && !std::exchange(warned_, true))
      SPDLOG_LOGGER_WARN(log_, "failed code={} waiting={} cause=\"{}\"",
                         to_string(x.code()), queue_.size(), x.what());
  }

  // What needs space or help is not made better by haste.
  void back_off(const store_failure& x) {
    auto& options = parts_.options;
    auto soon = heals(x.reaction()) && x.code() != store_errc::full;
    auto failures = soon ? failures_ : ~0U;
    // One more go before the first deadline rather than just after it.
    auto last = std::min(queue_.next_deadline(), stop_at_);
    if (last - now() > options.lock_wait_max)
      last -= options.lock_wait_max;
    ++generation_;
    retry_at_ = next_attempt(options.backoff, failures, random_(), now(), last);
    expiry_at_ = never;
    send_retry(retry_at_);
    arm_expiry();
  }

  // Says how many notes are lost.
  std::size_t give_up(const std::string& cause) {
    parts_.desk->close();
    add_left();
    record_queue::news news;
    auto lost = queue_.give_up(cause, news);
    parts_.counters->failed += lost;
    tell(news);
    publish_size();
    return lost;
  }

  // Answers everybody and ends.
  void end(const std::string& cause) {
    phase_ = phase::ended;
    auto lost = give_up(cause);
    parts_.store.reset(); // closed before anybody hears of it
    if (lost > 0)
      SPDLOG_LOGGER_ERROR(log_, "stopped lost={} cause=\"{}\"", lost, cause);
    else
      SPDLOG_LOGGER_INFO(log_, "stopped lost=0");
    for (auto& from : stops_)
      from.deliver(records_flushed{lost, lost > 0 ? cause : ""});
    stops_.clear();
    self_->quit();
  }

  // -- answers ----------------------------------------------------------------

  void tell(record_queue::news& news) {
    for (auto& x : news.answers) {
      if (x.shared && x.answer.verdict != record_verdict::unavailable
          && x.answer.verdict != record_verdict::created)
        ++parts_.counters->conflicts;
      waiters().answer(x.to, std::move(x.answer));
    }
    for (auto& x : news.marks)
      waiters().answer(x.to,
                       records_flushed{x.pending, x.pending > 0 ? cause_ : ""});
    waiters().announce();
  }

  record_waiters& waiters() {
    return parts_.desk->waiters();
  }

  void count(std::span<const record_write> rows,
             const record_queue::outcomes& outcomes) {
    auto& counters = *parts_.counters;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!outcomes[i])
        continue;
      auto creates = std::holds_alternative<create_record>(rows[i]);
      auto closes = std::holds_alternative<close_record>(rows[i]);
      auto existed = outcomes[i]->verdict == record_verdict::existed
                     || outcomes[i]->verdict == record_verdict::conflict;
      counters.written += outcomes[i]->verdict == record_verdict::created;
      counters.closed += closes && existed;
      counters.conflicts += creates && existed;
      counters.lost_races += outcomes[i]->lost_race;
    }
  }

  void publish_size() {
    parts_.desk->set_waiting(queue_.size());
    parts_.counters->set_oldest(parts_.writer, queue_.oldest());
  }

  self_ptr self_ = nullptr;
  persistence_parts parts_;
  spdlog::logger* log_ = nullptr;
  std::mt19937_64 random_;
  record_queue queue_;
  std::vector<stop_promise> stops_;
  time_point stop_at_ = never;
  phase phase_ = phase::idle;
  unsigned failures_ = 0;                              // in a row
  std::string cause_;                                  // of the last of them
  record_trouble trouble_ = record_trouble::timed_out; // which it makes
  std::size_t seen_ = 0; // waiting when flush_now was sent
  bool warned_ = false;  // of this row of failures
  std::size_t generation_ = 0;
  time_point retry_at_{};
  time_point expiry_at_ = never;
  time_point now_min_ = time_point::min();
};

caf::behavior persistence(persistence_state::self_ptr self,
                          const std::shared_ptr<persistence_parts>& parts) {
  cafx::drop_unknown(self);
  auto* state = &cafx::state(self);
  state->start(self, std::move(*parts));
  self->set_exit_handler([state](caf::exit_msg&) { state->end_at_once(); });
  return {
    [state](writes_left) { state->take_left(); },
    [state](flush_now) { state->look_again(); },
    [state](const retry_now& msg) { state->retry(msg); },
    [=](const stop_records& msg) {
      auto promise = self->make_response_promise<records_flushed>();
      state->stop(promise, msg.deadline);
      return promise;
    },
  };
}

} // namespace

caf::actor spawn_persistence(caf::actor_system& sys, persistence_parts parts,
                             run_on thread) {
  auto shared = std::make_shared<persistence_parts>(std::move(parts));
  if (thread == run_on::own_thread)
    return sys.spawn<caf::detached>(persistence, shared);
  return sys.spawn(persistence, shared);
}

} // namespace steward
