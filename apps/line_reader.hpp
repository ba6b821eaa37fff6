#pragma once

#include <steward/apps/byte_source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace steward {

/// One line without its end (`\n` or `\r\n`). The text is valid until the next
/// call of the reader.
struct text_line {
  std::string_view text;
  std::uint64_t number = 0; ///< the first line of the input is 1
  bool too_long = false;    ///< only the front of it is in `text`
};

/// Cuts the bytes of a source into lines, in a buffer of bounded size. A line
/// can be joined with those behind it, and let go again. One thread.
class line_reader {
public:
  /// @param bytes_max longest line, and longest sum of joined lines
  line_reader(byte_source& source, std::size_t bytes_max);

  /// The line behind the last one; nothing at the end of the input.
  std::optional<text_line> next();

  /// The last line and those joined to it so far and one more, with the line
  /// ends between them; nothing if there is none or that is too long.
  std::optional<std::string_view> join();

  /// Undoes every `join` since `next`: the lines come again one by one.
  void unjoin();

private:
  std::optional<std::size_t> find_line_end();
  bool refill();
  std::string_view view(std::size_t end) const;
  void skip_line();

  byte_source& source_;
  std::size_t bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;     // the current line
  std::size_t first_end_ = 0; // behind its first line, line end included
  std::size_t pos_ = 0;       // behind all of it
  std::size_t end_ = 0;       // of the bytes in the buffer
  std::uint64_t first_number_ = 0;
  std::uint64_t number_ = 0;
  bool source_done_ = false;
};

} // namespace steward
