#pragma once

#include <steward/tests/model/observation.hpp>

#include <cstddef>
#include <map>
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

  void add(const observation& x) {
    for (const auto& [request, what] : x.answers)
      add(kind_of(what));
    for (const auto& c : x.closed)
      add(to_string(c.why));
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

private:
  // Of "resource 3, fresh" that it is fresh, of a refusal its code.
  static std::string kind_of(const std::string& answer) {
    if (answer.starts_with("resource"))
      return answer.substr(answer.rfind(' ') + 1);
    return answer.substr(0, answer.find_first_of(" :"));
  }

  std::map<std::string, std::size_t> seen_;
};

} // namespace modelled
