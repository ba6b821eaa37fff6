#include <steward/tests/stepper/explore.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

namespace stepper {

namespace {

// Runs that broke, as they stood: their threads never ended, so what is on
// their stacks never goes away.
std::vector<std::unique_ptr<run>>& broken_runs() {
  static auto& result = *new std::vector<std::unique_ptr<run>>;
  return result;
}

// One character per choice: the number of the thread, or its letter if its
// operation fails for no reason.
std::string to_text(const std::vector<choice>& choices) {
  std::string result;
  for (const auto& x : choices)
    result += static_cast<char>((x.fails ? 'a' : '0') + x.thread);
  return result;
}

class script final : public chooser {
public:
  explicit script(std::string_view choices) : left_(choices) {
  }

  choice pick(const crossroads& at) override {
    choice result;
    if (!left_.empty()) {
      auto c = left_.front();
      left_.remove_prefix(1);
      result.fails = c >= 'a';
      result.thread = static_cast<std::size_t>(c - (result.fails ? 'a' : '0'));
    } else {
      result.thread = contains(at.ready, at.running)
                        ? at.running
                        : static_cast<std::size_t>(std::countr_zero(at.ready));
    }
    if (result.thread >= threads_max || !contains(at.ready, result.thread)
        || (result.fails && !contains(at.may_fail, result.thread)))
      throw std::logic_error("the choices are not of this program");
    return result;
  }

  void took(const footprint&) override {
  }

private:
  std::string_view left_;
};

// Executes one run and writes down what came of it; whether it went well.
bool execute(chooser& by, watch_list& watched, const set_up& make,
             findings& to) {
  auto r = std::make_unique<run>(watched);
  make(*r);
  auto good = r->execute(by);
  to.steps_most = std::max(to.steps_most, r->choices().size());
  to.reached.insert(r->reached().begin(), r->reached().end());
  if (good) {
    if (auto end = r->end_in_words(); !end.empty())
      to.ends.insert(std::move(end));
  } else {
    to.failure = r->failure();
    to.choices = to_text(r->choices());
    broken_runs().push_back(std::move(r));
  }
  return good;
}

findings explore_all(const bounds& within, const set_up& make) {
  watch_list watched;
  findings result;
  search by{within.how, within.preemptions_max};
  while (by.next()) {
    if (result.runs == within.runs_max)
      return result;
    auto good = execute(by, watched, make, result);
    ++result.runs;
    result.redundant += by.redundant();
    if (!good)
      return result;
    // A check looked at something new: what was left out before may matter.
    if (std::exchange(watched.grew, false) && within.how == method::reduced) {
      by = search{within.how, within.preemptions_max};
      result = {};
    }
  }
  result.complete = true;
  return result;
}

// The same failure with fewer preemptions, if it is soon found.
void simplify(findings& x, const set_up& make) {
  for (std::size_t n = 0; n < 4; ++n) {
    auto simple = explore_all({method::bounded, n, 20'000}, make);
    if (simple.failure.empty())
      continue;
    x.failure = simple.failure;
    x.choices = simple.choices;
    return;
  }
}

std::string name_of(const bounds& within) {
  switch (within.how) {
    case method::all: return "exhaustive";
    case method::reduced: return "exhaustive, reduced";
    case method::bounded:
      return "all with at most " + std::to_string(within.preemptions_max)
             + (within.preemptions_max == 1 ? " preemption" : " preemptions");
  }
  return {};
}

void report(std::string_view name, const bounds& within, const findings& x,
            std::chrono::steady_clock::time_point begin) {
  if (name.empty())
    return;
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::steady_clock::now() - begin);
  std::printf(
    "steps: %.*s: %zu interleavings, %s; %zu steps at most; %lld ms\n",
    static_cast<int>(name.size()), name.data(), x.runs - x.redundant,
    !x.failure.empty() ? "one of which breaks it"
    : x.complete       ? name_of(within).c_str()
                       : "and then given up",
    x.steps_most, static_cast<long long>(took.count()));
  std::fflush(stdout);
}

} // namespace

findings replay(std::string_view choices, const set_up& make) {
  watch_list watched;
  findings result;
  script by{choices};
  auto r = std::make_unique<run>(watched, true);
  make(*r);
  if (!r->execute(by)) {
    result.failure = r->failure();
  }
  result.runs = 1;
  result.steps_most = r->choices().size();
  result.choices = to_text(r->choices());
  for (const auto& line : r->trace())
    result.trace += line + "\n";
  if (result.failure.empty())
    result.ends.insert(r->end_in_words());
  else
    broken_runs().push_back(std::move(r));
  return result;
}

findings explore(std::string_view name, const bounds& within,
                 const set_up& make) {
  if (const char* wanted = std::getenv("STEWARD_STEPS")) {
    std::string_view text{wanted};
    if (auto at = text.rfind('='); text.substr(0, at) == name) {
      auto result = replay(text.substr(at + 1), make);
      std::printf("%s%s\n", result.trace.c_str(), result.failure.c_str());
      return result;
    }
  }
  auto begin = std::chrono::steady_clock::now();
  auto result = explore_all(within, make);
  report(name, within, result, begin);
  if (!result.failure.empty()) {
    simplify(result, make);
    result.trace = replay(result.choices, make).trace;
    result.trace += "broken: " + result.failure
                    + "\nagain with STEWARD_STEPS=\"" + std::string{name} + "="
                    + result.choices + "\"\n";
  }
  return result;
}

} // namespace stepper
