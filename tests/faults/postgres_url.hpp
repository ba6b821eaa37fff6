#pragma once

#include <map>
#include <string>

namespace faults {

/// The options of a connection, by libpq's names.
using url_options = std::map<std::string, std::string>;

/// What a URL says; what it leaves out is not there. Throws
/// `std::runtime_error`.
url_options options_of(const std::string& url);

/// A URL that says just that.
std::string url_of(const url_options& options);

/// The same URL, but for these options.
std::string with(const std::string& url, const url_options& changed);

} // namespace faults
