#pragma once

#include <steward/core/close_reason.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace steward {

/// What an opener is told about the resource that it shall open.
struct open_request {
  std::string_view key;
  std::string_view params;
  std::uint64_t id; ///< numbers the resources of the pool, from 1
};

/// A user's opener with its type erased. Many threads call it, for one resource
/// one at a time; but `check` by each of its holders where it is shared, and
/// `close` beside them after a drain out of patience.
class any_opener {
public:
  struct outcome {
    void* resource = nullptr; ///< null if it failed
    std::string error;        ///< why; one line
  };

  virtual ~any_opener() = default;

  /// Opens a resource.
  virtual outcome open(const open_request& what) noexcept = 0;

  /// Whether a resource that comes back can be lent again.
  virtual bool check(void* resource) noexcept = 0;

  /// Closes a resource; its memory stays.
  virtual void close(void* resource, close_reason why) noexcept = 0;

  /// Frees the memory of a closed resource.
  virtual void destroy(void* resource) noexcept = 0;

  /// Whether `open` or `close` may block: then workers run them. If not, whoever
  /// asks or gives back may: no lock may be held then that they take.
  virtual bool blocks() const noexcept = 0;

  /// Whether `check` does anything.
  virtual bool checks() const noexcept = 0;
};

} // namespace steward
