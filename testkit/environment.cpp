#include <steward/testkit/internal/environment.hpp>

#include <steward/testkit/failure.hpp>
#include <steward/testkit/schedule.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace steward::testkit {

namespace {

std::optional<std::string> text_of(const char* variable) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional<std::string>{text};
}

std::string only() {
  return text_of("STEWARD_TESTKIT_ONLY").value_or("");
}

std::optional<std::uint64_t> number_of(const char* variable) {
  auto text = text_of(variable).value_or("");
  if (text.empty())
    return std::nullopt;
  std::uint64_t result = 0;
  const auto* last = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), last, result);
  if (error != std::errc{} || end != last)
    throw misuse("bad environment", std::string{variable} + " is \"" + text
                                      + "\"; allowed: a number");
  return result;
}

// Null if there is none; an empty one is that of `fifo`.
std::optional<std::vector<std::uint16_t>> schedule_of(const char* variable) {
  auto text = text_of(variable);
  if (!text)
    return std::nullopt;
  try {
    return parse_schedule(*text);
  } catch (const std::invalid_argument& x) {
    throw misuse("bad environment", variable + (": " + std::string{x.what()}));
  }
}

// The campaigns that this program has had. Which it will have, nobody knows
// before its end: a slip in a name would pass for a test without a failure.
class roll_call {
public:
  roll_call() = default;
  roll_call(const roll_call&) = delete;
  roll_call& operator=(const roll_call&) = delete;

  ~roll_call() {
    auto wanted = only();
    if (wanted.empty() || names_.empty() || names_.count(wanted) != 0)
      return;
    std::string all;
    for (const auto& x : names_)
      all += (all.empty() ? "" : ", ") + x;
    std::fprintf(stderr,
                 "bad environment: STEWARD_TESTKIT_ONLY is \"%s\"; no campaign "
                 "that came by has that name, but %s\n",
                 wanted.c_str(), all.c_str());
    std::fflush(nullptr);
    std::_Exit(2);
  }

  void add(const std::string& name) {
    std::lock_guard lock{guard_};
    names_.insert(name);
  }

private:
  std::mutex guard_;
  std::set<std::string> names_;
};

} // namespace

std::optional<std::uint64_t> seeds_wanted() {
  return number_of("STEWARD_TESTKIT_SEEDS");
}

std::optional<run_wanted> single_run_wanted() {
  auto seed = number_of("STEWARD_TESTKIT_SEED");
  auto listed = schedule_of("STEWARD_TESTKIT_SCHEDULE");
  if (seed)
    return run_wanted{*seed, std::move(listed)};
  if (listed)
    throw misuse("bad environment",
                 "STEWARD_TESTKIT_SCHEDULE needs STEWARD_TESTKIT_SEED");
  return std::nullopt;
}

bool is_wanted(const std::string& campaign) {
  static roll_call seen;
  seen.add(campaign);
  auto wanted = only();
  return wanted.empty() || wanted == campaign;
}

std::string shell_word(const std::string& word) {
  auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0
           || std::string_view{"_-./,:=+@%"}.find(static_cast<char>(c))
                != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain))
    return word;
  std::string result = "'";
  for (auto c : word)
    result += c == '\'' ? "'\\''" : std::string{c};
  return result + "'";
}

const std::string& command_line() {
  static const std::string result = [] {
    std::ifstream in{"/proc/self/cmdline", std::ios::binary};
    std::string all{std::istreambuf_iterator<char>{in}, {}};
    if (!all.empty() && all.back() == '\0')
      all.pop_back();
    if (all.empty())
      return std::string{"<this test>"};
    std::string line;
    std::istringstream words{all};
    for (std::string word; std::getline(words, word, '\0');)
      line += (line.empty() ? "" : " ") + shell_word(word);
    return line;
  }();
  return result;
}

} // namespace steward::testkit
