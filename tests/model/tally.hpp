#pragma once

#include <steward/tests/model/observation.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace modelled {

/// How often what was seen, in all cases together: a campaign that never gets
/// somewhere proves nothing there.
class tally {
public:
  void add(std::string_view what, std::size_t n = 1) {
    seen_[std::string{what}] += n;
  }

  /// From now on it is another case.
  void begin_case() {
    add("cases");
    in_this_case_.clear();
  }

  /// Counts cases and not how often.
  void add_once(std::string_view what) {
    if (in_this_case_.insert(std::string{what}).second)
      add(what);
  }

  void add(const observation& x) {
    for (const auto& [request, what] : x.answers)
      add(kind_of(what));
    for (const auto& c : x.closed)
      add(to_string(c.why));
  }

  /// In how many cases of a hundred, where it is counted so.
  std::size_t percent(std::string_view what) const {
    auto of = [this](std::string_view x) {
      auto i = seen_.find(std::string{x});
      return i == seen_.end() ? 0 : i->second;
    };
    return of("cases") == 0 ? 0 : of(what) * 100 / of("cases");
  }

  /// What of all this was never seen.
  std::string missing(const std::vector<std::string_view>& wanted) const {
    std::string result;
    for (auto what : wanted)
      if (!seen_.contains(std::string{what}))
        result += std::string{what} + " ";
    return result;
  }

  std::string text() const {
    std::string result;
    for (const auto& [what, n] : seen_)
      result += what + " " + std::to_string(n) + ", ";
    return result;
  }

  /// Of "resource 3, fresh" that it is fresh, of a refusal its code.
  static std::string kind_of(const std::string& answer) {
    if (answer.starts_with("resource"))
      return answer.substr(answer.rfind(' ') + 1);
    return answer.substr(0, answer.find_first_of(" :"));
  }

private:
  std::map<std::string, std::size_t> seen_;
  std::set<std::string> in_this_case_;
};

} // namespace modelled
