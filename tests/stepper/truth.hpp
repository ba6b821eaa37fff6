#pragma once

#include <steward/core/slot.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/tests/stepper/atomic.hpp>
#include <steward/tests/stepper/explore.hpp>
#include <steward/tests/stepper/mailbox.hpp>
#include <steward/tests/stepper/noted.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

// What the programs about slots share: resources that notice what is done to
// them, and a time that is read in steps.

namespace stepper {

using namespace std::chrono_literals;

inline constexpr steward::time_point noon{12h};

/// A resource, and what really happens to it. Nobody else is asked.
class thing {
public:
  explicit thing(std::size_t holders_max) : holders_max_(holders_max) {
  }

  /// Somebody got a hold on it.
  void begin_use() {
    must(!closed_.get() || revoked_.get(), "I3: no use after close");
    auto users = ++users_.change();
    must(users <= holders_max_, "never more holders than may share");
    if (users == holders_max_)
      reached("as many as may share");
    ++uses_.change();
    if (!revoked_.get())
      touch();
  }

  /// The same user, right before giving it back.
  void end_use() {
    must(!closed_.get() || revoked_.get(), "I4: never closed while held");
    if (!revoked_.get())
      touch();
    --users_.change();
  }

  /// It is taken over the heads of its users.
  void revoke() {
    revoked_.change() = true;
  }

  void close() {
    must(!closed_.get(), "I3: closed once");
    closed_.change() = true;
    if (revoked_.get())
      return; // its users may still be at it
    must(users_.get() == 0, "I4: never closed while held");
    state_.write(-1);
  }

  bool closed() const {
    return closed_.get();
  }

  bool revoked() const {
    return revoked_.get();
  }

  std::size_t users() const {
    return users_.get();
  }

  /// How often it was lent so far.
  std::size_t uses() const {
    return uses_.get();
  }

private:
  // Who has it alone may write it; the compiler and the machine may rely on it.
  void touch() {
    if (holders_max_ == 1)
      state_.write(state_.read() + 1);
    else
      state_.read();
  }

  std::size_t holders_max_;
  ghost<std::size_t> users_;
  ghost<std::size_t> uses_;
  ghost<bool> closed_;
  ghost<bool> revoked_;
  plain<int> state_;
};

/// Stands still, but for who moves it on: that is a step, as is reading it.
class stepped_time final : public steward::timepiece {
public:
  steward::time_point now() const noexcept override {
    return noon + steward::duration{ticks_.load(std::memory_order_relaxed)};
  }

  steward::time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(steward::duration) noexcept override {
  }

  void pass(steward::duration d) {
    ticks_.fetch_add(d.count());
  }

private:
  atomic<std::int64_t> ticks_{0};
};

/// A time that nobody moves; reading it is no step.
class still_time final : public steward::timepiece {
public:
  steward::time_point now() const noexcept override {
    return noon;
  }

  steward::time_point stamp() const noexcept override {
    return noon;
  }

  void leave_out(steward::duration) noexcept override {
  }
};

inline std::string word_in_words(std::uint64_t raw) {
  static constexpr const char* phases[] = {"closed", "opening", "open",
                                           "closing"};
  steward::slot_word w{raw};
  return std::string{phases[static_cast<std::size_t>(w.in())]}
         + (w.attention() ? "!" : "") + " " + std::to_string(w.holders()) + "#"
         + std::to_string(w.generation());
}

inline std::string stamp_in_words(std::uint64_t raw) {
  auto since = static_cast<std::int64_t>(raw) - noon.time_since_epoch().count();
  return "noon + " + std::to_string(since);
}

/// Names the parts of a slot in what is printed of a run that broke.
inline void name_slot(run& r, const steward::slot& s, std::string what) {
  r.name(
    s, std::move(what),
    {{"word", word_in_words}, {"last_used", stamp_in_words}, {"id"}, {"tag"}});
}

} // namespace stepper
