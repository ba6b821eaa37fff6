#pragma once

#include <steward/core/refusal.hpp>
#include <steward/messages/caf.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace steward {

/// An error with one line for people: what happened, to whom, what is allowed.
/// Control characters in `text` are spelled out.
caf::error make_error(errc code, std::string_view text);

/// The same, with its figures.
caf::error make_error(errc code, std::string_view text, rejection figures);

/// The code, if `err` is one of ours.
std::optional<errc> code_of(const caf::error& err);

/// The figures, if `err` is a rejection.
std::optional<rejection> rejection_of(const caf::error& err);

/// One line for people and logs: `key_full: key "a" has 8 of 8 ...`. Also for
/// errors that are not ours.
std::string describe(const caf::error& err);

} // namespace steward

STEWARD_MESSAGE(steward::rejection)
