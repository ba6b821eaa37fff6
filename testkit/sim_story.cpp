// What happens in a simulation, in words.
#include <steward/testkit/probe.hpp>
#include <steward/testkit/sim.hpp>

#include <algorithm>
#include <tuple>

namespace steward::testkit {

namespace {

// Of a longer mailbox a message from behind is not told by its text.
constexpr std::size_t letters_max = 64;

// Those of plain messages, urgent ones first.
template <class F>
void for_each_queue(caf::scheduled_actor& who, F f) {
  auto& queues = who.mailbox().queue().queues();
  f(std::get<caf::scheduled_actor::urgent_queue_index>(queues));
  f(std::get<caf::scheduled_actor::normal_queue_index>(queues));
}

// Until the actor has read another message.
bool is_set_aside(caf::scheduled_actor& who, const caf::mailbox_element* mail) {
  auto result = false;
  for_each_queue(who, [&](auto& queue) {
    queue.cache().peek_all(
      [&](const caf::mailbox_element& x) { result = result || &x == mail; });
  });
  return result;
}

} // namespace

void sim::look_at(caf::scheduled_actor& who, caf::mailbox_element* mail) {
  auto is_test = mail != nullptr
                   ? mail->content().match_elements<detail::speak>()
                   : std::find(probes_.begin(), probes_.end(), who.address())
                       != probes_.end(); // it starts
  if (is_test)
    return;
  if (options_.traced)
    tell(who, mail);
  if (twice_ && mail != nullptr && twice_(mail->content()))
    who.eq_impl(caf::make_message_id(), mail->sender, nullptr,
                mail->copy_content_to_message());
}

void sim::tell(caf::scheduled_actor& who, caf::mailbox_element* mail) {
  event next{steps_ + 1, now(),    {}, trace_.name_of(who.id(), who.name()),
             "starts",   deviates_};
  if (mail != nullptr) {
    for_each_queue(who, [&](auto& queue) {
      queue.peek_all([&](const caf::mailbox_element& x) {
        if (letters_.size() < letters_max)
          letters_.push_back({&x, sender_of(x), trace_.text_of(x.content())});
      });
    });
    next.from = sender_of(*mail);
    next.what = letters_.empty() ? trace_.text_of(mail->content())
                                 : letters_.front().what;
  }
  told_ = trace_.events().size();
  trace_.add(std::move(next));
}

// Which of them it was is known only now: who awaits an answer, or skips, sets
// aside what comes before. CAF leaves the address of the last one it looked at.
void sim::tell_what_was_read(caf::scheduled_actor& who) {
  const auto* read = who.current_mailbox_element(); // may be gone by now
  auto i = std::find_if(letters_.begin(), letters_.end(),
                        [&](const letter& x) { return x.which == read; });
  if (i == letters_.end())
    return trace_.correct(told_, {}, "one of many messages");
  if (is_set_aside(who, read))
    i->what += " (set aside)";
  trace_.correct(told_, std::move(i->from), std::move(i->what));
}

std::string sim::sender_of(const caf::mailbox_element& mail) const {
  if (mail.sender == nullptr)
    return {};
  auto* local = dynamic_cast<caf::local_actor*>(
    caf::actor_cast<caf::abstract_actor*>(mail.sender));
  return local == nullptr ? std::string{}
                          : trace_.name_of(local->id(), local->name());
}

} // namespace steward::testkit
