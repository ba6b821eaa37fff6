#include <steward/testkit/fake_opener.hpp>

#include <steward/core/duration_text.hpp>
#include <steward/testkit/internal/signed_text.hpp>
#include <steward/testkit/simulated.hpp>

#include <algorithm>
#include <stdexcept>

namespace steward::testkit {

truth::truth(truth_limits most, std::function<void(failure)> report,
             std::function<time_point()> now)
  : most_(most), report_(std::move(report)), now_(std::move(now)) {
}

void truth::wrong(const char* invariant, const std::string& text) {
  report_(failure{invariant, text});
}

std::size_t truth::count(const std::string& key) const {
  auto i = open_by_key_.find(key);
  return i == open_by_key_.end() ? 0 : i->second;
}

// -- openers ------------------------------------------------------------------

void truth::opening(std::uint64_t id, const std::string& key) {
  std::lock_guard lock{guard_};
  ++opened_;
  ++open_;
  auto of_key = ++open_by_key_[key];
  if (!lives_.emplace(id, life{key, {}, now_(), now_(), true, false}).second)
    wrong("I3", "resource " + std::to_string(id) + " was opened twice");
  if (of_key > most_.per_key_max)
    wrong("I1", "key \"" + key + "\" has " + std::to_string(of_key)
                  + " resources; per_key_max is "
                  + std::to_string(most_.per_key_max));
  if (open_ > most_.total_max)
    wrong("I2", std::to_string(open_) + " resources; total_max is "
                  + std::to_string(most_.total_max));
}

void truth::open_failed(std::uint64_t id) {
  std::lock_guard lock{guard_};
  auto i = lives_.find(id);
  --opened_;
  ++failed_;
  --open_;
  --open_by_key_[i->second.key];
  lives_.erase(i);
}

void truth::closing(std::uint64_t id, close_reason why) {
  std::lock_guard lock{guard_};
  auto i = lives_.find(id);
  auto name = "resource " + std::to_string(id);
  if (i == lives_.end() || !i->second.open)
    return wrong("I3", name + " was closed (" + std::string{to_string(why)}
                         + ") and was not open");
  auto& x = i->second;
  if (!x.users.empty() && !revoking_)
    wrong("I4", name + " was closed (" + std::string{to_string(why)}
                  + ") while " + x.users.front() + " used it");
  if (auto idle = now_() - x.last_used;
      why == close_reason::idle && idle < most_.idle_timeout)
    wrong("I5", name + " was closed as idle after "
                  + signed_text(idle) // a clock may go back
                  + "; idle_timeout is " + to_text(most_.idle_timeout));
  // It is no older than this: the opener took its time.
  if (auto age = now_() - x.begun; why == close_reason::lifetime
                                   && most_.max_lifetime != off
                                   && age < most_.max_lifetime)
    wrong("I5", name + " was closed as old after " + signed_text(age)
                  + "; max_lifetime is " + to_text(most_.max_lifetime));
  in_use_ -= x.users.size();
  x.users.clear();
  x.open = false;
  ++closed_[static_cast<std::size_t>(why)];
}

void truth::closed(std::uint64_t id) {
  std::lock_guard lock{guard_};
  --open_;
  --open_by_key_[lives_.find(id)->second.key];
}

// -- users --------------------------------------------------------------------

void truth::use_begins(std::uint64_t id, const std::string& who) {
  std::lock_guard lock{guard_};
  auto i = lives_.find(id);
  auto name = "resource " + std::to_string(id);
  if (i == lives_.end() || !i->second.open)
    return wrong("I3", who + " got " + name + ", which is not open");
  if (i->second.broken)
    wrong("I3", who + " got " + name + ", which is broken");
  auto& users = i->second.users;
  if (users.size() >= most_.holders_max)
    wrong("I3",
          who + " got " + name + ", which " + users.front() + " is using");
  users.push_back(who);
  ++in_use_;
}

void truth::use_ends(std::uint64_t id, const std::string& who) {
  std::lock_guard lock{guard_};
  auto i = lives_.find(id);
  if (i == lives_.end())
    return;
  auto& users = i->second.users;
  auto user = std::find(users.begin(), users.end(), who);
  if (user == users.end()) // revoked
    return;
  users.erase(user);
  --in_use_;
  i->second.last_used = now_();
}

void truth::gives_up(std::uint64_t id) {
  std::lock_guard lock{guard_};
  if (auto i = lives_.find(id); i != lives_.end())
    i->second.broken = true;
}

void truth::allow_revoking() {
  std::lock_guard lock{guard_};
  revoking_ = true;
}

// -- queries ------------------------------------------------------------------

std::size_t truth::open_now() const {
  std::lock_guard lock{guard_};
  return open_;
}

std::size_t truth::open_now(const std::string& key) const {
  std::lock_guard lock{guard_};
  return count(key);
}

std::size_t truth::in_use() const {
  std::lock_guard lock{guard_};
  return in_use_;
}

std::uint64_t truth::opened() const {
  std::lock_guard lock{guard_};
  return opened_;
}

std::uint64_t truth::failed() const {
  std::lock_guard lock{guard_};
  return failed_;
}

std::uint64_t truth::closed() const {
  std::lock_guard lock{guard_};
  std::uint64_t result = 0;
  for (auto n : closed_)
    result += n;
  return result;
}

std::uint64_t truth::closed(close_reason why) const {
  std::lock_guard lock{guard_};
  return closed_[static_cast<std::size_t>(why)];
}

std::string truth::overdue(time_point tick) const {
  std::lock_guard lock{guard_};
  for (const auto& [id, x] : lives_) {
    if (!x.open || !x.users.empty())
      continue;
    auto name = "resource " + std::to_string(id);
    if (later(x.last_used, most_.idle_timeout) <= tick)
      return name + " was idle for " + to_text(tick - x.last_used)
             + " at the last tick; idle_timeout is "
             + to_text(most_.idle_timeout);
    // Who used it at that tick kept it.
    if (later(x.begun, most_.max_lifetime) <= tick && x.last_used < tick)
      return name + " was " + to_text(tick - x.begun)
             + " old at the last tick; max_lifetime is "
             + to_text(most_.max_lifetime);
  }
  return {};
}

// -- openers ------------------------------------------------------------------

fake_resource fake_opener::open(const open_request& what) {
  book_->opening(what.id, std::string{what.key});
  if (script_->open_takes)
    take_time(script_->open_takes(what));
  if (script_->fails && script_->fails(what)) {
    book_->open_failed(what.id);
    throw std::runtime_error("a planted failure of the opener");
  }
  return {what.id, std::string{what.key}, std::string{what.params},
          book_->counted()};
}

void fake_opener::close(fake_resource& what, close_reason why) {
  if (script_->close_takes)
    take_time(script_->close_takes());
  book_->closing(what.id, why);
  when_time_is_over([book = book_, id = what.id] { book->closed(id); });
}

bool fake_opener::check(fake_resource& what) {
  return !script_->healthy || script_->healthy(what);
}

} // namespace steward::testkit
