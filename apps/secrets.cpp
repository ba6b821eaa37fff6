#include <steward/apps/secrets.hpp>

#include <steward/core/ascii.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace steward {
namespace {

// The end of who connects, if that is in `word` from `begin` on: host and port
// are no secret.
void erase_user_password(std::string& word, std::size_t begin) {
  auto colon = word.find(':', begin);
  auto host = word.rfind('@');
  if (colon == word.npos || word[begin] == '[')
    return;
  if (host != word.npos && host > colon) {
    word.erase(colon, host - colon);
    return;
  }
  auto end = std::min(word.find_first_of("/?", colon), word.size());
  auto is_port
    = std::all_of(word.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
                  word.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
  if (!is_port)
    word.erase(colon, end - colon);
}

// As a URL may spell it: p%61ssword.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    auto* hex = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size()
        && std::from_chars(hex, hex + 2, code, 16).ptr == hex + 2) {
      result += static_cast<char>(code);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

} // namespace

std::string without_password(std::string word) {
  auto begin = word.find("://");
  if (begin != word.npos)
    erase_user_password(word, begin + 3);
  else if (word.find("postgres") == 0 && word.find('@') != word.npos)
    erase_user_password(word, word.find(':') + 1);
  for (auto equals = word.find('='); equals != word.npos;
       equals = word.find('=', equals + 1)) {
    auto before = word.find_last_of("?&", equals);
    auto name = decoded(std::string_view{word}.substr(
      before == word.npos ? 0 : before + 1,
      equals - (before == word.npos ? 0 : before + 1)));
    if (name.find("pass") != name.npos)
      word.erase(equals + 1,
                 std::min(word.find('&', equals), word.size()) - equals - 1);
  }
  return word;
}

std::string without_passwords(std::string_view line) {
  std::string result;
  for (std::size_t at = 0; at <= line.size();) {
    auto end = std::min(line.find(' ', at), line.size());
    result += without_password(std::string{line.substr(at, end - at)});
    if (end < line.size())
      result += ' ';
    at = end + 1;
  }
  return result;
}

} // namespace steward
