#include <steward/actors/record_router.hpp>

#include <steward/messages/errors.hpp>
#include <steward/messages/records.hpp>

#include <memory>
#include <utility>

namespace steward {

namespace {

class router_state {
public:
  static constexpr const char* name = "steward.record_router";

  using self_ptr = caf::stateful_actor<router_state>*;

  router_state() = default;

  void start(self_ptr self, std::vector<caf::actor> writers) {
    self_ = self;
    writers_ = std::move(writers);
  }

  const caf::actor& writer_for(const std::string& row) const {
    return writers_[writer_of(row, writers_.size())];
  }

  // Asks all, and answers when the last one has answered.
  template <class Message, class Done>
  void ask_all(time_point deadline, Done done) {
    auto sum = std::make_shared<records_flushed>();
    auto left = std::make_shared<std::size_t>(writers_.size());
    auto add = [=](const records_flushed& x) mutable {
      sum->pending += x.pending;
      if (sum->cause.empty())
        sum->cause = x.cause;
      if (--*left == 0)
        done(*sum);
    };
    for (auto& writer : writers_)
      cafx::request(self_, writer, Message{deadline})
        .then([add](const records_flushed& x) mutable { add(x); },
              [add](const caf::error&) mutable {
                add({});
              }); // gone: nothing waits
  }

  void end_all() {
    for (auto& writer : writers_)
      caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    end();
  }

  // Handles to actors with threads must not outlive us.
  void end() {
    writers_.clear();
    self_->quit();
  }

private:
  self_ptr self_ = nullptr;
  std::vector<caf::actor> writers_;
};

caf::behavior router(router_state::self_ptr self,
                     const std::vector<caf::actor>& writers) {
  cafx::drop_unknown(self);
  auto* state = &cafx::state(self);
  state->start(self, writers);
  self->set_exit_handler([state](caf::exit_msg&) { state->end_all(); });
  return {
    [=](note_record& msg) {
      auto& to = state->writer_for(name_of(msg.write));
      cafx::send(self, to, std::move(msg));
    },
    [=](get_or_create& msg) {
      auto& to = state->writer_for(msg.draft.name);
      return cafx::delegate(self, to, std::move(msg));
    },
    [=](write_record& msg) {
      auto& to = state->writer_for(name_of(msg.write));
      return cafx::delegate(self, to, std::move(msg));
    },
    [=](const flush_records& msg) {
      auto promise = self->make_response_promise<records_flushed>();
      state->ask_all<flush_records>(
        msg.deadline,
        [promise](const records_flushed& x) mutable { promise.deliver(x); });
      return promise;
    },
    [=](const flush_records_blocking& msg) {
      state->ask_all<flush_records>(msg.deadline,
                                    [to = msg.reply](const records_flushed& x) {
                                      to->set_value(x);
                                    });
    },
    [=](const stop_records& msg) {
      auto promise = self->make_response_promise<records_flushed>();
      state->ask_all<stop_records>(msg.deadline,
                                   [=](const records_flushed& x) mutable {
                                     promise.deliver(x);
                                     state->end();
                                   });
      return promise;
    },
    [=](const stop_records_blocking& msg) {
      state->ask_all<stop_records>(msg.deadline, [=, to = msg.reply](auto& x) {
        to->set_value(x);
        state->end();
      });
    },
  };
}

} // namespace

std::size_t writer_of(std::string_view name, std::size_t writers) {
  return writers < 2 ? 0 : std::hash<std::string_view>{}(name) % writers;
}

caf::actor spawn_record_router(caf::actor_system& sys,
                               std::vector<caf::actor> writers) {
  return sys.spawn(router, std::move(writers));
}

} // namespace steward
