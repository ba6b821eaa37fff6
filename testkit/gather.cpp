#include <steward/testkit/gather.hpp>

#include <steward/runtime/surroundings.hpp>
#include <steward/testkit/internal/signed_text.hpp>
#include <steward/testkit/internal/thrown.hpp>

namespace steward::testkit::detail {

void check_patience(duration within) {
  if (within < duration::zero())
    throw misuse("bad duration", "gather is told to wait for "
                                   + signed_text(within)
                                   + "; allowed: 0s or more");
}

void check_has_threads(caf::actor_system& sys) {
  if (caf::get_or(sys.config(), surroundings::simulated_option, false))
    throw misuse("a thread that waits for a simulation",
                 "nobody runs it meanwhile; gather with the sim, not with its "
                 "system");
}

std::string text_of_what_is_thrown() {
  return text_of_exception(std::current_exception());
}

std::vector<std::string> names_of_calls(std::size_t n) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < n; ++i)
    all.push_back("call #" + std::to_string(i));
  return all;
}

std::string nothing_within(duration d) {
  return "no answer within " + to_text(d);
}

std::string name_of_asked(std::size_t i, const caf::actor& who,
                          const std::string& name) {
  auto result = "#" + std::to_string(i) + " ";
  if (!who)
    return result + (name.empty() ? "nobody" : name + " (nobody)");
  auto* real = caf::actor_cast<caf::abstract_actor*>(who);
  auto* local = dynamic_cast<caf::local_actor*>(real);
  if (!name.empty())
    result += name;
  else if (local != nullptr
           && !local->getf(caf::abstract_actor::is_terminated_flag))
    result += local->name(); // may be part of the state, which dies with it
  else
    result += "somebody";
  return result + " (actor " + std::to_string(who.id()) + ")";
}

caf::error error_by_name(const caf::error& e, bool was_there,
                         const std::string& name) {
  if (!was_there) // of which CAF says only that an argument is invalid
    return caf::make_error(caf::sec::invalid_argument,
                           name + " cannot be asked");
  if (e != caf::sec::request_receiver_down)
    return e;
  return caf::make_error(caf::sec::request_receiver_down,
                         name + " is down and has not answered");
}

// -- who will never answer -------------------------------------------------------------------

#if STEWARD_CAF_1

// 1.x answers for those that die: `sec::broken_promise`, and knows when a
// request is over.
struct answer_watch::entry {};

answer_watch::answer_watch(std::size_t) {
}

void answer_watch::begin(std::size_t, const caf::actor&, const caf::actor_addr&,
                         caf::message_id) {
}

void answer_watch::limit(caf::actor_system&, duration) {
}

void answer_watch::end(std::size_t) {
}

void answer_watch::end_all() {
}

#else

namespace {

// Which response of which actor.
struct response_token {
  static constexpr std::size_t token_type = 0x67617468; // unlike CAF's own

  caf::actor_addr asker;
  caf::message_id id;

  friend bool operator==(const response_token& a, const response_token& b) {
    return a.asker == b.asker && a.id == b.id;
  }
};

void answer(const response_token& to, const caf::error& what,
            caf::execution_unit* host) {
  if (auto asker = caf::actor_cast<caf::strong_actor_ptr>(to.asker))
    asker->enqueue(nullptr, to.id, caf::make_message(what), host);
}

// As CAF does for what is in the mailbox of who dies, for what is out of it.
class bouncer final : public caf::attachable {
public:
  explicit bouncer(response_token to) : to_(std::move(to)) {
  }

  void actor_exited(const caf::error&, caf::execution_unit* host) override {
    answer(to_, caf::make_error(caf::sec::request_receiver_down), host);
  }

  bool matches(const token& what) override {
    return what.subtype == response_token::token_type
           && *static_cast<const response_token*>(what.ptr) == to_;
  }

private:
  response_token to_;
};

struct time_is_over {};

} // namespace

} // namespace steward::testkit::detail

STEWARD_MESSAGE(steward::testkit::detail::time_is_over)

namespace steward::testkit::detail {

struct answer_watch::entry {
  caf::actor_addr whom;
  response_token what;
};

answer_watch::answer_watch(std::size_t n) : all_(n) {
}

void answer_watch::begin(std::size_t i, const caf::actor& who,
                         const caf::actor_addr& asker, caf::message_id id) {
  if (!who)
    return;
  all_[i] = {who.address(), {asker, id}};
  caf::actor_cast<caf::abstract_actor*>(who)->attach(
    std::make_unique<bouncer>(all_[i].what));
}

// CAF's own timeout of a request goes on when there is an answer; an actor can
// be ended.
void answer_watch::limit(
  caf::actor_system& sys, duration within,
  const std::function<std::string(std::size_t)>& name_of) {
  std::vector<std::pair<response_token, caf::error>> late;
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (all_[i].what.asker)
      late.emplace_back(all_[i].what, caf::make_error(caf::sec::request_timeout,
                                                      nothing_within(within)
                                                        + ": " + name_of(i)));
  timer_ = sys.spawn<caf::hidden>(
    [](caf::event_based_actor* self, duration after,
       const decltype(late)& all) -> caf::behavior {
      cafx::send_later(self, after, time_is_over{});
      return {[self, all](time_is_over) {
        for (const auto& [to, error] : all)
          answer(to, error, self->context());
        self->quit();
      }};
    },
    within, std::move(late));
}

void answer_watch::end(std::size_t i) {
  auto whom = std::exchange(all_[i].whom, {});
  if (auto who = caf::actor_cast<caf::strong_actor_ptr>(whom))
    who->get()->detach(all_[i].what);
}

void answer_watch::end_all() {
  for (std::size_t i = 0; i < all_.size(); ++i)
    end(i);
  if (timer_)
    caf::anon_send_exit(std::exchange(timer_, {}), caf::exit_reason::kill);
}

#endif

answer_watch::~answer_watch() {
  end_all();
}

} // namespace steward::testkit::detail
