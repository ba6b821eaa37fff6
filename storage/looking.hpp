#pragma once

#include <steward/core/record.hpp>

#include <cstddef>
#include <span>
#include <variant>

namespace steward {

/// Whether a store looks for rows before it inserts them. Where names are
/// mostly there that is cheaper; where they are mostly new it is a read too
/// much. Who cannot write can look all the same, and answer with what is there.
class looking {
public:
  /// Whether the next batch shall look.
  bool first() const {
    return first_;
  }

  /// Learns from a batch that was written, or was found to be there.
  void wrote(std::span<const record_write> batch,
             std::span<const record_answer> answers) {
    std::size_t wanted = 0;
    std::size_t there = 0;
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (std::holds_alternative<create_record>(batch[i])) {
        ++wanted;
        there += answers[i].verdict != record_verdict::created;
      }
    if (wanted > 0)
      first_ = there * 2 > wanted;
  }

  /// A batch could not be written.
  void failed() {
    first_ = true;
  }

private:
  bool first_ = true;
};

} // namespace steward
