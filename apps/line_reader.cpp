#include <steward/apps/line_reader.hpp>

#include <cstring>

namespace steward {
namespace {

constexpr std::size_t chunk_size = 256 * 1024;

} // namespace

line_reader::line_reader(byte_source& source, std::size_t bytes_max)
  : source_(source), bytes_max_(bytes_max), buffer_(bytes_max + chunk_size) {
}

std::optional<text_line> line_reader::next() {
  begin_ = pos_;
  auto end = find_line_end();
  if (!end && end_ == begin_)
    return std::nullopt;
  ++number_;
  if (!end) {
    // The front is kept where it is for the caller, the rest is not.
    text_line result{view(begin_ + bytes_max_), number_, true};
    skip_line();
    return result;
  }
  pos_ = *end;
  first_end_ = pos_;
  first_number_ = number_;
  return text_line{view(pos_), number_, false};
}

std::optional<std::string_view> line_reader::join() {
  auto end = find_line_end();
  if (!end || *end - begin_ > bytes_max_ + 2)
    return std::nullopt;
  pos_ = *end;
  ++number_;
  return view(pos_);
}

void line_reader::unjoin() {
  pos_ = first_end_;
  number_ = first_number_;
}

// Behind the end of the line that starts at `pos_`. Nothing if no byte is left,
// or if the text from `begin_` on would be longer than allowed.
std::optional<std::size_t> line_reader::find_line_end() {
  auto scanned = pos_;
  for (;;) {
    const char* from = buffer_.data() + scanned;
    if (const void* hit = std::memchr(from, '\n', end_ - scanned)) {
      auto end = static_cast<std::size_t>(static_cast<const char*>(hit)
                                          - buffer_.data())
                 + 1;
      if (view(end).size() > bytes_max_)
        return std::nullopt;
      return end;
    }
    // A `\r` is only known to be part of the line end once `\n` follows.
    if (end_ - begin_ > bytes_max_ + 1)
      return std::nullopt;
    auto ahead = end_ - pos_;
    if (!refill()) {
      if (ahead == 0 || view(end_).size() > bytes_max_)
        return std::nullopt;
      return end_;
    }
    scanned = pos_ + ahead;
  }
}

// Moves what is still needed to the front and reads behind it.
bool line_reader::refill() {
  if (source_done_)
    return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  first_end_ -= begin_;
  pos_ -= begin_;
  end_ -= begin_;
  begin_ = 0;
  auto n = source_.read(std::span{buffer_}.subspan(end_));
  end_ += n;
  source_done_ = n == 0;
  return n > 0;
}

std::string_view line_reader::view(std::size_t end) const {
  std::string_view text{buffer_.data() + begin_, end - begin_};
  for (auto c : {'\n', '\r'})
    if (!text.empty() && text.back() == c)
      text.remove_suffix(1);
  return text;
}

// Drops bytes up to the end of the line, all but those of its front.
void line_reader::skip_line() {
  auto kept = begin_ + bytes_max_;
  pos_ = kept;
  for (;;) {
    if (const void* hit = std::memchr(buffer_.data() + pos_, '\n',
                                      end_ - pos_)) {
      pos_ = static_cast<std::size_t>(static_cast<const char*>(hit)
                                      - buffer_.data())
             + 1;
      return;
    }
    pos_ = end_ = kept;
    auto room = std::span{buffer_}.subspan(kept);
    auto n = source_done_ ? 0 : source_.read(room);
    end_ += n;
    if (n == 0) {
      source_done_ = true;
      return;
    }
  }
}

} // namespace steward
