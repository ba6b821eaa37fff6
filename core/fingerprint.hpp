#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace steward {

/// Stands for a text of any length. Equal texts have equal fingerprints, in
/// every process and every version; different ones have different ones, unless
/// somebody looks for a collision.
using fingerprint = std::array<std::byte, 16>;

/// Two lanes of FNV-1a with different starts, each mixed by the finalizer of
/// SplitMix64. Stored in databases: must never change.
fingerprint fingerprint_of(std::string_view text);

} // namespace steward
