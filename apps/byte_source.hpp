#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace steward {

/// Input that cannot be used. `what()` is one line: where and what.
class unusable_input : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The bytes of a file or of standard input (`-`), unpacked on the way if they
/// begin as gzip data does, whatever the name says. One thread.
class byte_source {
public:
  /// Opens `path`. While it waits for bytes that are not there yet (a pipe, a
  /// terminal) it looks at `stop` ten times a second. Throws `unusable_input`.
  byte_source(const std::string& path, const std::atomic<bool>* stop);

  byte_source(const byte_source&) = delete;
  byte_source& operator=(const byte_source&) = delete;
  ~byte_source();

  /// Fills the front of `out` and returns how many bytes; 0 at the end or once
  /// stopped. Throws `unusable_input` if reading fails or gzip data is damaged
  /// or ends too early.
  std::size_t read(std::span<char> out);

  /// Whether `stop` ended the input.
  bool stopped() const {
    return stopped_;
  }

  bool compressed() const {
    return unpacker_ != nullptr;
  }

  /// How many bytes of the file are read, packed ones if it is packed.
  std::uint64_t position() const {
    return position_;
  }

  /// How many bytes the file has; 0 if that is not known.
  std::uint64_t size() const {
    return size_;
  }

  /// How messages name this input.
  const std::string& where() const {
    return where_;
  }

private:
  struct unpacker;

  [[noreturn]] void fail(const std::string& what) const;
  bool wait_for_bytes();
  std::size_t read_raw(std::span<char> out);
  bool fill();
  std::size_t unpack(std::span<char> out);
  bool next_member();

  std::string where_;
  int fd_ = -1;
  bool regular_ = false;
  bool stopped_ = false;
  const std::atomic<bool>* stop_;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  std::vector<char> raw_; // read, but not handed on
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::unique_ptr<unpacker> unpacker_;
};

} // namespace steward
