#include <steward/testkit/history.hpp>

#include <steward/testkit/failure.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <chrono>
#include <deque>
#include <istream>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <tuple>
#include <utility>

namespace steward::testkit {

namespace {

constexpr std::string_view begin_word = "begin";

constexpr std::array endings{ending::ok, ending::failed, ending::in_doubt};

// -- lines --------------------------------------------------------------------

void put_field(std::string& to, std::string_view text) {
  for (auto c : text)
    switch (c) {
      case '\t': to += "\\t"; break;
      case '\n': to += "\\n"; break;
      case '\r': to += "\\r"; break;
      case '\\': to += "\\\\"; break;
      default: to += c;
    }
}

std::optional<std::string> field_of(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    switch (++i < text.size() ? text[i] : '\0') {
      case 't': result += '\t'; break;
      case 'n': result += '\n'; break;
      case 'r': result += '\r'; break;
      case '\\': result += '\\'; break;
      default: return std::nullopt;
    }
  }
  return result;
}

std::string line_of(std::initializer_list<std::string_view> fields) {
  std::string result;
  for (auto x : fields) {
    if (!result.empty())
      result += '\t';
    put_field(result, x);
  }
  return result;
}

std::string begin_line(const operation& x, std::size_t number) {
  return line_of({begin_word, x.client, std::to_string(number),
                  std::to_string(x.invoked), x.what, x.key, x.arg});
}

std::string end_line(const operation& x, std::size_t number) {
  return line_of({to_string(x.end), x.client, std::to_string(number),
                  std::to_string(x.completed), x.result});
}

// Whether anybody said how it ended.
bool has_ended(const operation& x) {
  return x.end != ending::in_doubt || x.completed != stamp_max;
}

// Puts lines together to operations.
class reader {
public:
  // What is wrong with the line, if anything.
  std::string take(std::string_view line) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at <= line.size();) {
      auto tab = std::min(line.find('\t', at), line.size());
      auto field = field_of(line.substr(at, tab - at));
      if (!field)
        return "a backslash that means nothing";
      fields.push_back(std::move(*field));
      at = tab + 1;
    }
    if (fields.size() < 4)
      return "too few fields";
    auto number = number_in<std::size_t>(fields[2]);
    auto when = number_in<stamp>(fields[3]);
    if (!number || !when)
      return "not a number";
    if (fields[0] == begin_word)
      return begin(std::move(fields), *number, *when);
    for (auto x : endings)
      if (fields[0] == to_string(x))
        return end(fields, x, *number, *when);
    return "neither a begin nor an end";
  }

  std::vector<operation> all;

private:
  template <class T>
  static std::optional<T> number_in(const std::string& text) {
    T result{};
    auto* end = text.data() + text.size();
    auto [at, trouble] = std::from_chars(text.data(), end, result);
    if (trouble != std::errc{} || at != end)
      return std::nullopt;
    return result;
  }

  std::string begin(std::vector<std::string> fields, std::size_t number,
                    stamp when) {
    if (fields.size() != 7)
      return "a begin has 7 fields";
    if (!begun_.emplace(std::pair{fields[1], number}, all.size()).second)
      return "begun before: do two clients share a name?";
    all.push_back({std::move(fields[1]), std::move(fields[4]),
                   std::move(fields[5]), std::move(fields[6]), when});
    return {};
  }

  std::string end(const std::vector<std::string>& fields, ending how,
                  std::size_t number, stamp when) {
    if (fields.size() != 5)
      return "an end has 5 fields";
    auto i = begun_.find({fields[1], number});
    if (i == begun_.end())
      return "ended, but never begun";
    auto& x = all[i->second];
    if (has_ended(x))
      return "ended before";
    if (when < x.invoked)
      return "ended before it began";
    x.end = how;
    x.completed = when;
    x.result = fields[4];
    return {};
  }

  std::map<std::pair<std::string, std::size_t>, std::size_t> begun_;
};

} // namespace

std::string_view to_string(ending x) {
  switch (x) {
    case ending::ok: return "ok";
    case ending::failed: return "failed";
    case ending::in_doubt: break;
  }
  return "in_doubt";
}

std::vector<operation> history_until(std::span<const operation> what,
                                     stamp at) {
  std::vector<operation> result;
  for (const auto& x : what) {
    if (x.invoked > at)
      continue;
    result.push_back(x);
    if (x.completed > at) {
      auto& cut = result.back();
      cut.completed = stamp_max;
      cut.end = ending::in_doubt;
      cut.result.clear();
    }
  }
  return result;
}

stamp monotonic_stamp() {
  using std::chrono::nanoseconds;
  using std::chrono::steady_clock;
  return nanoseconds{steady_clock::now().time_since_epoch()}.count();
}

// -- recording ----------------------------------------------------------------

// One client's part. Its lock is contended only by who reads: taking it keeps
// the processor from moving the operation to the other side of the stamp.
struct history::log {
  explicit log(std::string_view of) : name(of) {
  }

  const std::string name;
  mutable std::mutex guard;
  std::vector<operation> all;
};

struct history::books {
  log& of(std::string_view name) {
    std::lock_guard lock{guard};
    for (auto& x : logs)
      if (x.name == name)
        return x;
    return logs.emplace_back(name);
  }

  clock now;
  sink lines;
  mutable std::mutex guard;
  std::deque<log> logs; // they stay where they are
};

history::history(clock now, sink lines) : books_(std::make_shared<books>()) {
  books_->now = std::move(now);
  books_->lines = std::move(lines);
}

history::client history::as(std::string_view name) {
  return {books_, books_->of(name)};
}

void history::add(operation x) {
  auto& to = books_->of(x.client);
  std::lock_guard lock{to.guard};
  to.all.push_back(std::move(x));
}

std::vector<operation> history::operations() const {
  std::vector<operation> result;
  std::lock_guard lock{books_->guard};
  for (const auto& x : books_->logs) {
    std::lock_guard also{x.guard};
    result.insert(result.end(), x.all.begin(), x.all.end());
  }
  std::stable_sort(
    result.begin(), result.end(), [](const operation& a, const operation& b) {
      return std::tie(a.invoked, a.client) < std::tie(b.invoked, b.client);
    });
  return result;
}

history::client::ticket history::client::invoke(std::string_view what,
                                                std::string_view key,
                                                std::string_view arg) {
  std::lock_guard lock{log_->guard};
  auto number = log_->all.size();
  log_->all.push_back({log_->name, std::string{what}, std::string{key},
                       std::string{arg}, books_->now()});
  if (books_->lines)
    books_->lines(begin_line(log_->all.back(), number));
  return number;
}

void history::client::complete(ticket which, std::string_view result) {
  end(which, ending::ok, result);
}

void history::client::fail(ticket which, std::string_view why) {
  end(which, ending::failed, why);
}

void history::client::in_doubt(ticket which, std::string_view why) {
  end(which, ending::in_doubt, why);
}

void history::client::end(ticket which, ending how, std::string_view result) {
  std::lock_guard lock{log_->guard};
  auto& x = log_->all.at(which);
  assert(!has_ended(x));
  x.completed = books_->now();
  x.end = how;
  x.result = result;
  if (books_->lines)
    books_->lines(end_line(x, which));
}

// -- text ---------------------------------------------------------------------

void write_history(std::ostream& to, std::span<const operation> what) {
  std::map<std::string, std::size_t> numbers;
  for (const auto& x : what) {
    auto number = numbers[x.client]++;
    to << begin_line(x, number) << '\n';
    if (has_ended(x))
      to << end_line(x, number) << '\n';
  }
}

std::vector<operation> read_history(std::istream& from) {
  reader all;
  if (!from)
    throw failure{"not a history", "it cannot be read"};
  std::size_t number = 1;
  for (std::string line; std::getline(from, line); ++number) {
    if (from.eof()) // no end of line: torn
      break;
    if (auto trouble = all.take(line); !trouble.empty())
      throw failure{"not a history",
                    "line " + std::to_string(number) + ": " + trouble};
  }
  if (from.bad())
    throw failure{"not a history", "it cannot be read to its end"};
  return std::move(all.all);
}

} // namespace steward::testkit
