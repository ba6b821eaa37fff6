#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace steward {

/// `1234567` -> `1,234,567`.
std::string with_commas(std::uint64_t n);

/// The share of `part` in `whole` as `12.3 %`; never 0 or 100 unless it is.
std::string percent(std::uint64_t part, std::uint64_t whole);

/// `text` with blanks before it, or behind it, up to `width` bytes.
std::string right(std::string text, std::size_t width);
std::string left(std::string text, std::size_t width);

/// What a user gave, on one line and fit for a terminal, at most 80 bytes.
std::string printable(std::string_view text);

/// `text` in lines of at most `width` bytes where its words allow, each behind
/// `indent` spaces and with a line end. Line ends in `text` stay.
std::string wrapped(std::string_view text, std::size_t indent,
                    std::size_t width = 80);

} // namespace steward
