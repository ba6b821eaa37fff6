#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace steward::testkit {

/// What the kit throws when something is not as it must be. Test frameworks
/// report it as it is; see also boost_test.hpp and its like.
class failure : public std::runtime_error {
public:
  /// `name` says what was violated, in a few words; `detail` how.
  failure(std::string name, const std::string& detail)
    : std::runtime_error(
      without_zeros(detail.empty() ? name : name + ": " + detail)),
      name_(std::move(name)), detail_(detail) {
  }

  const std::string& name() const noexcept {
    return name_;
  }

  /// How it was violated; may be empty. `what` has both.
  const std::string& detail() const noexcept {
    return detail_;
  }

  /// The first line of `what`, which can be long.
  std::string headline() const {
    std::string all = what();
    return all.substr(0, all.find('\n'));
  }

private:
  // `what` ends at the first one.
  static std::string without_zeros(const std::string& text) {
    std::string result;
    for (auto c : text)
      c == '\0' ? result.append("\\0") : result.append(1, c);
    return result;
  }

  std::string name_;
  std::string detail_;
};

/// Not what is tested is wrong, but how: an option, the environment, a file.
/// Nothing was found out.
class misuse : public failure {
public:
  using failure::failure;
};

} // namespace steward::testkit
