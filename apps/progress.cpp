#include <steward/apps/progress.hpp>

#include <steward/apps/output.hpp>
#include <steward/apps/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr auto draw_interval = 100ms;
constexpr std::size_t bar_width_min = 10;
constexpr std::size_t bar_width_max = 40;
constexpr double days_99 = 99.0 * 86'400;

bool is_capable_terminal() {
  const auto* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr
         && std::strcmp(term, "dumb") != 0;
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

std::string two_digits(std::uint64_t n) {
  return (n < 10 ? "0" : "") + std::to_string(n);
}

std::string clock_text(double seconds) {
  auto s = static_cast<std::uint64_t>(std::llround(std::min(seconds, days_99)));
  auto tail = two_digits(s / 60 % 60) + ':' + two_digits(s % 60);
  return s < 3600 ? tail.substr(s < 600 ? 1 : 0)
                  : std::to_string(s / 3600) + ':' + tail;
}

std::string bar(double share, std::size_t width) {
  auto inner = width - 2;
  auto full = static_cast<std::size_t>(share * static_cast<double>(inner));
  std::string result(inner, ' ');
  std::fill_n(result.begin(), full, '=');
  if (full < inner)
    result[full] = '>';
  return '[' + result + ']';
}

} // namespace

std::string progress_line(const progress_state& state, std::size_t width) {
  auto count = with_commas(state.done);
  // Rates and times from the first moments are noise.
  auto known = state.seconds >= 0.2 && state.done > 0;
  auto rate = !known ? std::string{}
                     : with_commas(static_cast<std::uint64_t>(
                         static_cast<double>(state.done) / state.seconds))
                         + "/s";
  auto join = [](std::initializer_list<std::string> parts) {
    std::string result;
    for (const auto& part : parts)
      if (!part.empty())
        result += (result.empty() ? "" : "  ") + part;
    return result;
  };
  if (state.share < 0) {
    for (const auto& line : {join({state.label, count, rate}), count})
      if (line.size() <= width)
        return line;
    return {};
  }
  auto share = std::min(state.share, 1.0);
  auto done = std::to_string(static_cast<int>(share * 100)) + " %";
  done.insert(0, 5 - std::min<std::size_t>(done.size(), 5), ' ');
  auto left = known && share > 0
                ? clock_text(state.seconds / share * (1 - share)) + " left"
                : std::string{};
  auto front = join({state.label, done});
  for (const auto& back : {join({count, rate, left}), join({rate, left})}) {
    auto used = front.size() + 2 + back.size() + 2;
    if (used + bar_width_min <= width)
      return join(
        {front, bar(share, std::min(bar_width_max, width - used)), back});
  }
  for (const auto& line : {join({front, rate, left}), join({front, left}),
                           join({done, left}), done})
    if (line.size() <= width)
      return line;
  return {};
}

progress_bar::progress_bar(std::string label, bool wanted)
  : label_(std::move(label)), enabled_(wanted && is_capable_terminal()) {
  update(0, -1);
}

progress_bar::~progress_bar() {
  hide();
}

void progress_bar::hide() {
  if (std::exchange(shown_, false))
    (void)write_all(STDERR_FILENO, "\r\x1b[K");
}

void progress_bar::update(std::uint64_t done, double share) {
  if (!enabled_)
    return;
  auto now = clock::now();
  if (now < next_draw_)
    return;
  next_draw_ = now + draw_interval;
  std::chrono::duration<double> seconds = now - start_;
  // One column less: the last one makes some terminals go to the next line.
  auto line = progress_line({label_, done, share, seconds.count()},
                            terminal_width() - 1);
  // A terminal that is gone is no reason to stop.
  enabled_ = write_all(STDERR_FILENO, "\r" + line + "\x1b[K") == 0;
  shown_ = true;
}

} // namespace steward
