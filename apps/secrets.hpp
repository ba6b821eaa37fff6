#pragma once

#include <string>
#include <string_view>

namespace steward {

/// A word in which somebody named a database, fit to be shown: without what is,
/// or may be meant as, a password. Rather takes out too much.
std::string without_password(std::string word);

/// The same for each word of a line.
std::string without_passwords(std::string_view line);

} // namespace steward
