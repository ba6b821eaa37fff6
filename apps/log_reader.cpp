#include <steward/apps/log_reader.hpp>

#include <steward/apps/line_reader.hpp>
#include <steward/apps/log_line.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <unordered_map>

namespace steward {

class text_store {
public:
  text_store() {
    (void)id_of({});
  }

  // The number of `text`; that of the empty text is 0.
  std::uint32_t id_of(std::string_view text) {
    if (auto i = ids_.find(text); i != ids_.end())
      return i->second;
    if (texts_.size() > std::numeric_limits<std::uint32_t>::max())
      throw std::bad_alloc{};
    auto id = static_cast<std::uint32_t>(texts_.size());
    auto copy = keep(text);
    ids_.emplace(copy, id);
    texts_.push_back(copy);
    return id;
  }

  std::string_view text(std::uint32_t id) const {
    return texts_[id];
  }

  // Frees what is only needed to find more texts.
  void freeze() {
    ids_ = {};
    texts_ = {};
  }

private:
  std::string_view keep(std::string_view text) {
    if (text.empty())
      return {};
    auto* bytes = static_cast<char*>(arena_.allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  std::pmr::monotonic_buffer_resource arena_{64 * 1024};
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::vector<std::string_view> texts_;
};

request_log::request_log() = default;
request_log::request_log(request_log&&) noexcept = default;
request_log& request_log::operator=(request_log&&) noexcept = default;
request_log::~request_log() = default;

namespace {

constexpr std::size_t bad_lines_kept = 5;
constexpr std::size_t excerpt_bytes = 48;
constexpr std::uint64_t lines_per_report = 16 * 1024;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// The front of a line, fit for a terminal.
std::string excerpt(std::string_view line) {
  std::string result;
  for (auto c : line.substr(0, excerpt_bytes))
    result += c >= ' ' && c <= '~' ? c : '?';
  if (line.size() > excerpt_bytes)
    result += "...";
  return result;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// A request while it is sorted: a third of the size of the real one.
struct compact_request {
  time_point at;
  std::uint32_t key;
  std::uint32_t params;
};

class reader {
public:
  reader(byte_source& source, const log_options& options)
    : source_(source), options_(options),
      lines_(source, options.line_bytes_max) {
    result_.texts = std::make_unique<text_store>();
  }

  request_log run() {
    result_.compressed = source_.compressed();
    if (auto first = first_line()) {
      choose_format(first->text);
      if (result_.format == log_format::csv)
        read_csv();
      else
        read_clf(*first);
    }
    result_.stopped = source_.stopped();
    if (!result_.stopped)
      check_usable();
    finish();
    return std::move(result_);
  }

private:
  // The first line with something in it.
  std::optional<text_line> first_line() {
    auto line = lines_.next();
    if (line && line->text.starts_with(byte_order_mark))
      line->text.remove_prefix(byte_order_mark.size());
    while (line && is_blank(line->text))
      line = lines_.next();
    return line;
  }

  void choose_format(std::string_view line) {
    auto layout = options_.format == log_format::clf
                    ? std::nullopt
                    : csv_layout::from_header(line);
    if (!layout) {
      if (options_.format == log_format::csv)
        throw unusable_input{source_.where()
                             + ": the first line is not a CSV header with the "
                               "columns time,key[,params]: "
                             + excerpt(line)};
      result_.format = log_format::clf;
      return;
    }
    if (options_.params == params_source::agent)
      throw unusable_input{source_.where()
                           + ": is CSV; the user agent can only be taken from "
                             "the combined log format"};
    if (options_.params == params_source::none)
      layout->params.reset();
    layout_ = *layout;
    result_.format = log_format::csv;
  }

  void read_clf(const text_line& first) {
    auto agent = options_.params == params_source::agent;
    for (auto line = std::optional{first}; line; line = lines_.next()) {
      if (is_blank(line->text))
        continue;
      log_line parsed;
      line_fault fault = line->too_long ? "the line is too long"
                                        : parse_clf(line->text, agent, parsed);
      take(line->number, line->text, fault, parsed);
    }
  }

  void read_csv() {
    csv_record record;
    while (auto line = lines_.next()) {
      if (is_blank(line->text))
        continue;
      log_line parsed;
      line_fault fault = line->too_long ? "the line is too long"
                                        : split_csv(record, *line);
      if (fault == nullptr)
        fault = layout_.parse(record, parsed);
      take(line->number, line->text, fault, parsed);
    }
  }

  // A quoted field may go over several lines. If the quotes do not come out
  // even, only the first line is bad: a stray quote must not eat the log.
  line_fault split_csv(csv_record& record, text_line& line) {
    auto outcome = record.split(line.text);
    if (outcome == csv_record::outcome::complete)
      return nullptr;
    auto size = line.text.size();
    while (outcome == csv_record::outcome::open_quote) {
      auto longer = lines_.join();
      if (!longer)
        break;
      line.text = *longer;
      outcome = record.split(line.text);
    }
    if (outcome == csv_record::outcome::complete)
      return nullptr;
    lines_.unjoin();
    line.text = line.text.substr(0, size);
    return outcome == csv_record::outcome::malformed
             ? "something stands behind a closing quote"
             : "a quote is never closed";
  }

  void take(std::uint64_t number, std::string_view text, line_fault fault,
            const log_line& parsed) {
    if (++result_.lines % lines_per_report == 0 && options_.progress)
      options_.progress({source_.position(), source_.size(), result_.lines});
    if (fault != nullptr) {
      if (++result_.bad <= bad_lines_kept)
        result_.bad_lines.push_back({number, fault, excerpt(text)});
      return;
    }
    auto at = parsed.at;
    if (at < latest_) {
      ++result_.late;
      if (options_.order == log_order::clamp)
        at = latest_;
    }
    latest_ = std::max(latest_, at);
    requests_.push_back({at, result_.texts->id_of(parsed.key),
                         result_.texts->id_of(parsed.params)});
  }

  void check_usable() const {
    const auto& where = source_.where();
    if (result_.lines == 0)
      throw unusable_input{where + ": there is no request in it"};
    if (result_.bad > result_.lines - result_.bad) {
      const auto& first = result_.bad_lines.front();
      auto what = where + ": " + std::to_string(result_.bad) + " of "
                  + std::to_string(result_.lines)
                  + " lines cannot be parsed as "
                  + std::string{to_string(result_.format)} + "; line "
                  + std::to_string(first.number) + ": " + first.reason;
      if (result_.format == log_format::clf
          && options_.format == log_format::automatic)
        what += " (CSV must begin with the header time,key[,params])";
      throw unusable_input{what};
    }
  }

  void finish() {
    // Clamped times are in order already.
    if (result_.late > 0 && options_.order == log_order::sort)
      std::stable_sort(requests_.begin(), requests_.end(),
                       [](const auto& a, const auto& b) {
                         return a.at < b.at;
                       });
    std::vector<bool> is_key;
    result_.requests.reserve(requests_.size());
    for (const auto& x : requests_) {
      if (is_key.size() <= x.key)
        is_key.resize(x.key + 1);
      if (!is_key[x.key]) {
        is_key[x.key] = true;
        ++result_.keys;
      }
      result_.requests.push_back(
        {x.at, result_.texts->text(x.key), result_.texts->text(x.params)});
    }
    result_.texts->freeze();
  }

  byte_source& source_;
  const log_options& options_;
  line_reader lines_;
  csv_layout layout_;
  request_log result_;
  std::vector<compact_request> requests_;
  time_point latest_ = time_point::min();
};

} // namespace

request_log read_log(const std::string& path, const log_options& options) {
  byte_source source{path, options.stop};
  return reader{source, options}.run();
}

} // namespace steward
