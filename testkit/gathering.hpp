#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/errors.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// What all forms of `gather` have in common: what shall become of an error, and
// the book of who has answered.

namespace steward::testkit {

// -- what becomes of an error -------------------------------------------------

/// To `gather`: it is a result like others. All results come, in their order.
struct return_exceptions_t {};
inline constexpr return_exceptions_t return_exceptions{};

namespace on_error {

/// To `gather`: the first error is the result. The others run on, and nobody
/// waits for them. The default.
struct run_on_t {};
inline constexpr run_on_t run_on{};

template <class What>
struct cancel_t {
  What what;
};

/// To `gather`: the first error is the result, and each who has not answered is
/// sent `what` or, if that can be called with its number, `what` is called. If
/// that throws, it is part of the result, and the next one is called.
template <class What>
cancel_t<std::decay_t<What>> cancel(What&& what) {
  return {std::forward<What>(what)};
}

} // namespace on_error

namespace detail {

template <class T>
inline constexpr bool is_cancel = false;
template <class What>
inline constexpr bool is_cancel<on_error::cancel_t<What>> = true;

template <class T>
inline constexpr bool cancels_by_call = false;
template <class What>
inline constexpr bool cancels_by_call<
  on_error::cancel_t<What>> = std::invocable<What&, std::size_t>;

template <class T>
inline constexpr bool cancels_by_message = is_cancel<T> && !cancels_by_call<T>;

} // namespace detail

/// One of the above.
template <class T>
concept gather_policy = std::same_as<T, return_exceptions_t> || std::same_as<
  T, on_error::run_on_t> || detail::is_cancel<T>;

// -- who has answered ---------------------------------------------------------

/// The results of many who were asked at once, as far as they have come, and
/// who is missing, by name. What comes after the first error is kept, too. Any
/// thread.
template <class T>
class gathering {
public:
  using result = caf::expected<T>;

  /// One result is expected of each.
  explicit gathering(std::vector<std::string> names)
    : names_(std::move(names)), results_(names_.size()),
      missing_(names_.size()) {
  }

  // -- events -----------------------------------------------------------------

  /// The `i`-th has come to its end. Ignored if it had before.
  void put(std::size_t i, result x) {
    std::lock_guard lock{guard_};
    if (over_ || results_[i])
      return;
    if (!x && !first_error_)
      first_error_ = x.error();
    results_[i].emplace(std::move(x));
    --missing_;
    changed_.notify_all();
  }

  /// Nobody waits any longer, for the reason `why`: who is missing has failed
  /// with `code` and says so by name.
  void give_up(caf::sec code, const std::string& why) {
    std::lock_guard lock{guard_};
    over_ = true;
    if (!first_error_ && missing_ > 0)
      first_error_ = caf::make_error(code, why + ": " + missing_text());
    changed_.notify_all();
    gave_up_ = {code, why};
  }

  /// `text` comes before the error that is the result, if that is one.
  void add_error(const std::string& text) {
    std::lock_guard lock{guard_};
    auto before = first_error_ ? "; before that: " + describe(*first_error_)
                               : std::string{};
    first_error_ = caf::make_error(caf::sec::runtime_error, text + before);
  }

  /// Waits for the end, for `within` at most; whether it has come.
  template <gather_policy Policy>
  bool wait(duration within, const Policy& how) {
    std::unique_lock lock{guard_};
    // More than that overflows the system's clock.
    auto patience = std::min<std::chrono::nanoseconds>(
      within, std::chrono::hours{24 * 365});
    return changed_.wait_for(lock, patience, [&] { return is_over(how); });
  }

  /// All results in their order, or the first error, as the policy wants it.
  /// To be asked once. @pre it has come to its end, or was given up.
  template <gather_policy Policy>
  auto take(const Policy&) {
    std::lock_guard lock{guard_};
    if constexpr (std::same_as<Policy, return_exceptions_t>)
      return take_all();
    else
      return take_values();
  }

  // -- queries ----------------------------------------------------------------

  /// Whether there is what a caller with this policy waits for.
  template <gather_policy Policy>
  bool has_ended(const Policy& how) const {
    std::lock_guard lock{guard_};
    return is_over(how);
  }

  /// Who has not come to its end, by number.
  std::vector<std::size_t> missing() const {
    std::lock_guard lock{guard_};
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (!results_[i])
        all.push_back(i);
    return all;
  }

  /// The same by name, for people.
  std::string missing_names() const {
    std::lock_guard lock{guard_};
    return missing_text();
  }

  const std::string& name(std::size_t i) const noexcept {
    return names_[i];
  }

  std::size_t size() const noexcept {
    return names_.size();
  }

  /// What the `i`-th said so far. Nothing after `take` gave it away.
  std::optional<result> peek(std::size_t i) const {
    std::lock_guard lock{guard_};
    return results_[i];
  }

private:
  template <class Policy>
  bool is_over(const Policy&) const {
    if (over_ || missing_ == 0)
      return true;
    return !std::same_as<Policy, return_exceptions_t> && first_error_;
  }

  std::string missing_text() const {
    std::string all;
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (!results_[i])
        all += (all.empty() ? "" : ", ") + names_[i];
    return all;
  }

  std::vector<result> take_all() {
    std::vector<result> all;
    all.reserve(results_.size());
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (results_[i])
        all.push_back(std::move(*results_[i]));
      else
        all.push_back(
          caf::make_error(gave_up_.first, gave_up_.second + ": " + names_[i]));
    return all;
  }

  caf::expected<std::vector<T>> take_values() {
    if (first_error_)
      return *first_error_;
    std::vector<T> all;
    all.reserve(results_.size());
    for (auto& x : results_)
      if constexpr (std::same_as<T, caf::unit_t>)
        all.push_back(caf::unit);
      else
        all.push_back(std::move(**x));
    return all;
  }

  const std::vector<std::string> names_;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::vector<std::optional<result>> results_;
  std::size_t missing_;
  std::optional<caf::error> first_error_;
  std::pair<caf::sec, std::string> gave_up_{caf::sec::request_timeout, ""};
  bool over_ = false; // given up
};

} // namespace steward::testkit
