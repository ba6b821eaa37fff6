#pragma once

#include <exception>
#include <string>

namespace steward::testkit {

/// What was thrown, for people: its type and what it says.
std::string text_of_exception(const std::exception_ptr& what);

} // namespace steward::testkit
