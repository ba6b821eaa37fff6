#include <steward/apps/log_line.hpp>

#include <steward/core/ascii.hpp>
#include <steward/core/refusal.hpp>

#include <array>
#include <cstdint>
#include <cstring>

namespace steward {
namespace {

// So far from the end of the time line that adding any timeout stays on it.
constexpr std::int64_t second_max = 7'258'118'400; // the year 2200

// Two digits as a number; 100 if they are none, which is out of every range.
constexpr int two(const char* p) {
  return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0')
                                          : 100;
}

struct calendar_time {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanosecond = 0;
  int zone_minutes = 0;
};

std::optional<time_point> point(std::int64_t second, std::int64_t nanosecond) {
  if (second < 0 || second >= second_max)
    return std::nullopt;
  return time_point{duration{second * 1'000'000'000 + nanosecond}};
}

std::optional<time_point> point(const calendar_time& t) {
  using namespace std::chrono;
  auto date = year{t.year} / t.month / t.day;
  // Second 60 is a leap second: the same point as second 0 of the next minute.
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60)
    return std::nullopt;
  std::int64_t days = sys_days{date}.time_since_epoch().count();
  auto minutes = (days * 24 + t.hour) * 60 + t.minute - t.zone_minutes;
  return point(minutes * 60 + t.second, t.nanosecond);
}

// Takes `.` and digits from the front of `text` if there is a `.`.
bool take_fraction(std::string_view& text, std::int64_t& nanosecond) {
  nanosecond = 0;
  if (text.empty() || text.front() != '.')
    return true;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front()))
    return false;
  std::int64_t unit = 100'000'000;
  while (!text.empty() && is_digit(text.front())) {
    nanosecond += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return true;
}

// Sign, hours and minutes at `p`, with as many bytes between as `gap`.
std::optional<int> zone_minutes(const char* p, std::size_t gap) {
  auto hours = two(p + 1);
  auto minutes = two(p + 3 + gap);
  if ((*p != '+' && *p != '-') || hours > 23 || minutes > 59)
    return std::nullopt;
  auto all = hours * 60 + minutes;
  return *p == '-' ? -all : all;
}

int month_number(const char* p) {
  static constexpr std::array<char[4], 12> names = {"Jan", "Feb", "Mar", "Apr",
                                                    "May", "Jun", "Jul", "Aug",
                                                    "Sep", "Oct", "Nov", "Dec"};
  for (int i = 0; i < 12; ++i)
    if (std::memcmp(p, names[static_cast<std::size_t>(i)], 3) == 0)
      return i + 1;
  return 0;
}

// The end of the quoted text that starts behind `from`, one of the quotes at
// `from`: the first `"` that no backslash escapes.
std::size_t closing_quote(std::string_view line, std::size_t from) {
  for (auto i = line.find('"', from); i != std::string_view::npos;
       i = line.find('"', i + 1)) {
    auto first = i;
    while (first > from && line[first - 1] == '\\')
      --first;
    if ((i - first) % 2 == 0)
      return i;
  }
  return std::string_view::npos;
}

// Takes ` "..."` from the front of `rest`.
bool take_quoted(std::string_view& rest, std::string_view& text) {
  if (rest.size() < 3 || rest[0] != ' ' || rest[1] != '"')
    return false;
  auto end = closing_quote(rest, 2);
  if (end == std::string_view::npos)
    return false;
  text = rest.substr(2, end - 2);
  rest.remove_prefix(end + 1);
  return true;
}

// Takes the agent, the last field, of which servers cut off the end when the
// line gets too long for them: what is there of it still tells users apart.
bool take_agent(std::string_view& rest, std::string_view& text) {
  if (take_quoted(rest, text))
    return true;
  if (!rest.starts_with(" \""))
    return false;
  text = rest.substr(2);
  rest = {};
  return true;
}

// Takes ` ` and digits, or ` -`, from the front of `rest`. Of `width` digits
// unless that is 0.
bool take_number(std::string_view& rest, std::size_t width) {
  if (rest.size() < 2 || rest[0] != ' ')
    return false;
  std::size_t n = 1;
  while (n < rest.size() && is_digit(rest[n]))
    ++n;
  if (n == 1 && rest[1] == '-')
    n = 2;
  else if (n == 1 || (width != 0 && n != width + 1))
    return false;
  rest.remove_prefix(n);
  return rest.empty() || rest.front() == ' ';
}

line_fault check_key(std::string_view key) {
  if (key.empty())
    return "the key is empty";
  if (key.size() > key_size_max)
    return "the key is longer than 256 bytes";
  if (std::memchr(key.data(), '\0', key.size()) != nullptr)
    return "a NUL byte in the key";
  return nullptr;
}

line_fault check_params(std::string_view params) {
  if (!params.empty()
      && std::memchr(params.data(), '\0', params.size()) != nullptr)
    return "a NUL byte in the params";
  return nullptr;
}

// Between the address and the time stand `ident user`. Some users have spaces
// in their names; but a host name in front (vhost_combined) also makes a third
// field, and would become everybody's key, so ident must then be `-`.
bool is_ident_and_user(std::string_view text) {
  auto space = text.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == text.size())
    return false;
  auto more = text.find(' ', space + 1) != std::string_view::npos;
  return !more || text.substr(0, space) == "-";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

} // namespace

std::optional<time_point> parse_clf_time(std::string_view text) {
  // dd/Mmm/yyyy:hh:mm:ss[.fraction] +hhmm
  if (text.size() < 26)
    return std::nullopt;
  const auto* p = text.data();
  if (p[2] != '/' || p[6] != '/' || p[11] != ':' || p[14] != ':'
      || p[17] != ':')
    return std::nullopt;
  auto century = two(p + 7);
  auto year = two(p + 9);
  if (century > 99 || year > 99)
    return std::nullopt;
  calendar_time t{century * 100 + year, month_number(p + 3), two(p),
                  two(p + 12),          two(p + 15),         two(p + 18)};
  auto rest = text.substr(20);
  if (!take_fraction(rest, t.nanosecond) || rest.size() != 6 || rest[0] != ' ')
    return std::nullopt;
  auto zone = zone_minutes(rest.data() + 1, 0);
  if (!zone)
    return std::nullopt;
  t.zone_minutes = *zone;
  return point(t);
}

static std::optional<time_point> parse_rfc3339(std::string_view text) {
  // yyyy-mm-ddThh:mm:ss[.fraction]Z, or +hh:mm for Z
  const auto* p = text.data();
  if (text.size() < 20 || p[7] != '-' || p[13] != ':' || p[16] != ':'
      || (p[10] != 'T' && p[10] != 't' && p[10] != ' '))
    return std::nullopt;
  auto century = two(p);
  auto year = two(p + 2);
  if (century > 99 || year > 99)
    return std::nullopt;
  calendar_time t{century * 100 + year, two(p + 5),  two(p + 8),
                  two(p + 11),          two(p + 14), two(p + 17)};
  auto rest = text.substr(19);
  if (!take_fraction(rest, t.nanosecond))
    return std::nullopt;
  if (rest == "Z" || rest == "z")
    return point(t);
  if (rest.size() != 6 || rest[3] != ':')
    return std::nullopt;
  auto zone = zone_minutes(rest.data(), 1);
  if (!zone)
    return std::nullopt;
  t.zone_minutes = *zone;
  return point(t);
}

std::optional<time_point> parse_csv_time(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 4 && text[4] == '-')
    return parse_rfc3339(text);
  std::int64_t second = 0;
  std::size_t digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    // Past the limit it only has to stay there.
    if (second < second_max)
      second = second * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  std::int64_t nanosecond = 0;
  if (digits == 0 || !take_fraction(text, nanosecond) || !text.empty())
    return std::nullopt;
  return point(second, nanosecond);
}

line_fault parse_clf(std::string_view line, bool agent, log_line& out) {
  auto space = line.find(' ');
  if (space == std::string_view::npos || space == 0)
    return "no client address in front";
  auto key = line.substr(0, space);
  if (auto fault = check_key(key))
    return fault;
  for (auto c : key)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      return "a control character in the client address";
  // A user's name may have a bracket in it, so the first need not be the one.
  std::optional<time_point> at;
  auto open = line.find(" [", space);
  std::size_t close = 0;
  auto first_open = open;
  for (; open != std::string_view::npos; open = line.find(" [", open + 1)) {
    close = line.find(']', open);
    if (close == std::string_view::npos)
      break;
    at = parse_clf_time(line.substr(open + 2, close - open - 2));
    if (at)
      break;
  }
  if (first_open == std::string_view::npos)
    return "no [time]";
  if (!at)
    return "the time is not as in [17/May/2015:10:05:03 +0000]";
  if (open == space
      || !is_ident_and_user(line.substr(space + 1, open - space - 1)))
    return "between client address and [time] there is not `ident user`";
  auto rest = line.substr(close + 1);
  std::string_view text;
  if (!take_quoted(rest, text))
    return "no \"request\" behind the time";
  if (!take_number(rest, 3))
    return "no status behind the request";
  if (!take_number(rest, 0))
    return "no size behind the status";
  out.at = *at;
  out.key = key;
  out.params = {};
  if (!agent)
    return nullptr;
  if (!take_quoted(rest, text) || !take_agent(rest, out.params))
    return "no user agent (that needs the combined format)";
  return check_params(out.params);
}

csv_record::outcome csv_record::split(std::string_view text) {
  fields_.clear();
  unquoted_.clear();
  // No field is longer than its source, so views into it stay valid.
  unquoted_.reserve(text.size());
  for (;;) {
    if (text.empty() || text.front() != '"') {
      auto comma = text.find(',');
      fields_.push_back(text.substr(0, comma));
      if (comma == std::string_view::npos)
        return outcome::complete;
      text.remove_prefix(comma + 1);
      continue;
    }
    text.remove_prefix(1);
    auto start = unquoted_.size();
    for (;;) {
      auto quote = text.find('"');
      if (quote == std::string_view::npos)
        return outcome::open_quote;
      unquoted_ += text.substr(0, quote);
      text.remove_prefix(quote + 1);
      if (text.empty() || text.front() != '"')
        break;
      unquoted_ += '"';
      text.remove_prefix(1);
    }
    fields_.push_back(std::string_view{unquoted_}.substr(start));
    if (text.empty())
      return outcome::complete;
    if (text.front() != ',')
      return outcome::malformed;
    text.remove_prefix(1);
  }
}

std::optional<csv_layout> csv_layout::from_header(std::string_view line) {
  csv_record record;
  if (record.split(line) != csv_record::outcome::complete)
    return std::nullopt;
  std::array<std::optional<std::size_t>, 3> found;
  static constexpr std::array<std::string_view, 3> names = {"time", "key",
                                                            "params"};
  for (std::size_t i = 0; i < record.fields().size(); ++i)
    for (std::size_t n = 0; n < names.size(); ++n)
      if (lower(trimmed(record.fields()[i])) == names[n]) {
        if (found[n])
          return std::nullopt;
        found[n] = i;
      }
  if (!found[0] || !found[1])
    return std::nullopt;
  return csv_layout{*found[0], *found[1], found[2]};
}

line_fault csv_layout::parse(const csv_record& record, log_line& out) const {
  const auto& fields = record.fields();
  if (fields.size() <= time || fields.size() <= key
      || (params && fields.size() <= *params))
    return "fewer columns than the header";
  auto at = parse_csv_time(fields[time]);
  if (!at)
    return "the time is neither seconds since 1970 nor RFC 3339 with a zone, "
           "or after 2199";
  if (auto fault = check_key(fields[key]))
    return fault;
  out.at = *at;
  out.key = fields[key];
  out.params = params ? fields[*params] : std::string_view{};
  return check_params(out.params);
}

} // namespace steward
