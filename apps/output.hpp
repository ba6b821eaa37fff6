#pragma once

#include <steward/core/function_ref.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace steward {

/// Output that cannot be written. `what()` is one line: where and what.
class output_failure : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Makes sure that descriptors 0, 1 and 2 are taken, so that no file that is
/// opened later is mistaken for one of them. Using one that was closed fails.
void take_standard_descriptors();

/// Writes all of `text`; 0, or the `errno` of what went wrong.
[[nodiscard]] int write_all(int fd, std::string_view text);

/// Writes to standard output. Throws `output_failure`.
void write_stdout(std::string_view text);

/// Writes `<program>: <text>` as one line to standard error, where that can be.
void complain(std::string_view text, std::string_view program = "steward");

/// Says why `path` cannot be replaced by `write_file`, as far as that can be
/// known before; empty if it seems fine.
std::string why_not_writable(const std::string& path);

/// A file that is written piece by piece and takes the place of the one at
/// `path` in one step: whoever looks sees the old content or all of the new one.
/// If `commit` is never called, the old one stays. Devices and pipes are written
/// to at once. All functions throw `output_failure`.
class file_draft {
public:
  explicit file_draft(std::string path);

  file_draft(const file_draft&) = delete;
  file_draft& operator=(const file_draft&) = delete;
  ~file_draft();

  void write(std::string_view text);

  /// Returns after the content is durable and in its place.
  void commit();

private:
  void close();
  [[noreturn]] void fail(int code);

  std::string path_;   // as the user knows it
  std::string target_; // what it leads to; empty for a device
  std::string draft_;
  int fd_ = -1;
};

/// Replaces the file at `path` by `text` as a `file_draft` does.
void write_file(const std::string& path, std::string_view text);

/// Puts a report where it was asked for: as JSON to the file `json`, or to
/// standard output if that is `-`, or nowhere if it is empty; and as a table,
/// unless `quiet`, to standard output, or to standard error where JSON has
/// that. Throws `output_failure`.
void write_report(const std::string& json, bool quiet,
                  function_ref<std::string()> to_json,
                  function_ref<std::string()> to_table);

} // namespace steward
