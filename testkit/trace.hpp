#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace steward::testkit {

/// One step of a simulation, in words.
struct event {
  std::uint64_t step = 0;
  time_point at;
  std::string from; ///< empty: nobody, or the test
  std::string to;   ///< whose step it was; empty: a timer
  std::string what;
  bool deviates = false; ///< out of plain order
};

/// What happened in a simulation, and how it is told.
class trace {
public:
  using teller = std::function<std::string(const void*)>;

  trace();

  /// Has messages of one type told by `how`.
  void describe(std::type_index type, teller how);

  /// Calls an actor so.
  void call(std::uint64_t id, std::string name);

  /// What an actor was called; null if nothing.
  const std::string* called(std::uint64_t id) const;

  /// `name` and `id`, or as the actor is called.
  std::string name_of(std::uint64_t id, const char* name) const;

  /// A message in words, whole. What nobody can print is its type.
  std::string text_of(const cafx::content& what) const;

  /// The same, fit for a report.
  std::string shown(const cafx::content& what) const;

  /// What happens next.
  void add(event what) {
    events_.push_back(std::move(what));
  }

  /// That the event `i` was another message than it was taken for.
  void correct(std::size_t i, std::string from, std::string what) {
    events_[i].from = std::move(from);
    events_[i].what = std::move(what);
  }

  const std::vector<event>& events() const noexcept {
    return events_;
  }

private:
  std::string text_of(const cafx::content& what, std::size_t i) const;
  std::string text_or_why_not(const cafx::content& what, std::size_t i) const;
  const teller* teller_of(const cafx::content& what, std::size_t i) const;

  std::unordered_map<std::type_index, teller> tellers_;
  std::map<std::uint64_t, std::string> names_;
  std::vector<event> events_;
};

/// So many bytes of a message are shown in a report.
inline constexpr std::size_t shown_max = 200;

/// `text` fit for a report: one line without control characters, and if there
/// are more than `max` bytes, the first ones and how many there are.
std::string shown(std::string_view text, std::size_t max = shown_max);

/// A digest of the types in a message, the same with every compiler.
std::uint64_t type_digest(const cafx::content& what);

/// The name of a type as one would write it, without namespaces: `acquire`,
/// `vector<string>`.
std::string short_type_name(const std::type_info& type);

} // namespace steward::testkit
