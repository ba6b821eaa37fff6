#include <steward/actors/record_router.hpp>

#include <steward/messages/errors.hpp>
#include <steward/messages/records.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr duration look_every = 100ms;

class router_state {
public:
  static constexpr const char* name = "steward.record_router";

  using self_ptr = caf::stateful_actor<router_state>*;

  router_state() = default;

  void start(self_ptr self, std::vector<record_writer> writers) {
    self_ = self;
    writers_ = std::move(writers);
  }

  void note(record_write write) {
    const auto& to = writer_for(write);
    to.tell_of(to.desk->leave_note(std::move(write)));
  }

  void request(record_write write, time_point deadline) {
    const auto& to = writer_for(write);
    if (to.leave(std::move(write), deadline,
                 cafx::take_question<record_answer>(self_)))
      watch();
  }

  // Looks at the desks now and then, as long as anything waits.
  void watch() {
    if (!std::exchange(watching_, true))
      cafx::send_later(self_, look_every, look_at_desks{});
  }

  void look() {
    auto any = false;
    for (auto& x : writers_)
      any = x.desk->answer_overdue() || any;
    watching_ = false;
    if (any)
      watch();
  }

  template <class Done>
  void flush(time_point deadline, Done done) {
    auto add = sum_of_all(std::move(done));
    for (auto& x : writers_) {
      auto left = x.desk->leave_mark(cafx::ask<records_flushed>(self_, add),
                                     deadline);
      if (left.refused)
        add({}); // gone: nothing waits
      x.tell_of(left);
      if (left.watch)
        watch();
    }
  }

  template <class Done>
  void stop(time_point deadline, Done done) {
    auto add = sum_of_all(std::move(done));
    for (auto& x : writers_)
      cafx::request(self_, x.persistence, stop_records{deadline})
        .then([add](const records_flushed& part) mutable { add(part); },
              [add](const caf::error&) mutable { add({}); });
  }

  void end_all() {
    for (auto& x : writers_)
      caf::anon_send_exit(x.persistence, caf::exit_reason::user_shutdown);
    end();
  }

  // Handles to actors with threads must not outlive us.
  void end() {
    writers_.clear();
    self_->quit();
  }

private:
  const record_writer& writer_for(const record_write& x) const {
    return writers_[writer_of(name_of(x), writers_.size())];
  }

  // Takes an answer of each writer, and calls `done` with them all.
  template <class Done>
  auto sum_of_all(Done done) {
    auto sum = std::make_shared<records_flushed>();
    auto left = std::make_shared<std::size_t>(writers_.size());
    return [=](const records_flushed& x) mutable {
      sum->pending += x.pending;
      if (sum->cause.empty())
        sum->cause = x.cause;
      if (--*left == 0)
        done(*sum);
    };
  }

  self_ptr self_ = nullptr;
  std::vector<record_writer> writers_;
  bool watching_ = false;
};

caf::behavior router(router_state::self_ptr self,
                     const std::vector<record_writer>& writers) {
  cafx::drop_unknown(self);
  auto* state = &cafx::state(self);
  state->start(self, writers);
  self->set_exit_handler([state](caf::exit_msg&) { state->end_all(); });
  using promise = caf::typed_response_promise<records_flushed>;
  return {
    [=](note_record& msg) { state->note(std::move(msg.write)); },
    [=](get_or_create& msg) {
      state->request(create_record{std::move(msg.draft), msg.strict},
                     msg.deadline);
    },
    [=](write_record& msg) {
      state->request(std::move(msg.write), msg.deadline);
    },
    [=](watch_desks) { state->watch(); },
    [=](look_at_desks) { state->look(); },
    [=](const flush_records& msg) {
      promise to = self->make_response_promise<records_flushed>();
      state->flush(msg.deadline,
                   [to](const records_flushed& x) mutable { to.deliver(x); });
      return to;
    },
    [=](const flush_records_blocking& msg) {
      state->flush(msg.deadline, [to = msg.reply](const records_flushed& x) {
        to->set_value(x);
      });
    },
    [=](const stop_records& msg) {
      promise to = self->make_response_promise<records_flushed>();
      state->stop(msg.deadline, [=](const records_flushed& x) mutable {
        to.deliver(x);
        state->end();
      });
      return to;
    },
    [=](const stop_records_blocking& msg) {
      state->stop(msg.deadline, [=, to = msg.reply](const records_flushed& x) {
        to->set_value(x);
        state->end();
      });
    },
  };
}

} // namespace

void record_writer::tell_of(const record_desk::left& x) const {
  if (x.first)
    cafx::send_anon(persistence, writes_left{});
}

bool record_writer::leave(record_write write, time_point deadline,
                          cafx::asker<record_answer> from) const {
  auto left = desk->leave(std::move(write), deadline, from);
  if (left.refused)
    from.answer(nullptr, std::move(*left.refused));
  tell_of(left);
  return left.watch;
}

std::size_t writer_of(std::string_view name, std::size_t writers) {
  return writers < 2 ? 0 : std::hash<std::string_view>{}(name) % writers;
}

caf::actor spawn_record_router(caf::actor_system& sys,
                               std::vector<record_writer> writers) {
  return sys.spawn(router, std::move(writers));
}

} // namespace steward
