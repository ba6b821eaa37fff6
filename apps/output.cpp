#include <steward/apps/output.hpp>
#include <steward/apps/secrets.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace steward {
namespace {

namespace fs = std::filesystem;

std::string error_text(int code) {
  return std::generic_category().message(code);
}

[[noreturn]] void fail(const std::string& where, int code) {
  throw output_failure{where + ": " + error_text(code)};
}

// Where the content goes: a link stays, its target is replaced.
fs::path target_of(const std::string& path) {
  std::error_code ignored;
  auto target = fs::canonical(path, ignored);
  return target.empty() ? fs::path{path} : target;
}

fs::path folder_of(const fs::path& path) {
  auto folder = path.parent_path();
  return folder.empty() ? fs::path{"."} : folder;
}

bool is_special(const fs::path& path) {
  std::error_code ignored;
  auto status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status);
}

// The rights that the file has, or that a new one gets.
mode_t rights_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0)
    return info.st_mode & 0777U;
  auto mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

} // namespace

void take_standard_descriptors() {
  for (auto fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      // The wrong way round, so that using it is an error as before. The
      // lowest free descriptor is this one.
      (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto n = ::write(fd, text.data(), text.size());
    if (n >= 0)
      text.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

void write_stdout(std::string_view text) {
  if (auto code = write_all(STDOUT_FILENO, text); code != 0)
    fail("standard output", code);
}

void complain(std::string_view text, std::string_view program) {
  auto line = std::string{program} + ": ";
  for (auto c : without_passwords(text))
    line += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  (void)write_all(STDERR_FILENO, line + '\n');
}

std::string why_not_writable(const std::string& path) {
  auto target = target_of(path);
  std::error_code ignored;
  if (fs::is_directory(target, ignored))
    return "is a directory";
  auto place = is_special(target) ? target : folder_of(target);
  auto rights = is_special(target) ? W_OK : W_OK | X_OK;
  return ::access(place.c_str(), rights) == 0 ? std::string{}
                                              : error_text(errno);
}

file_draft::file_draft(std::string path) : path_(std::move(path)) {
  auto target = target_of(path_);
  if (is_special(target)) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  } else {
    target_ = target.string();
    draft_ = target_ + ".XXXXXX";
    fd_ = ::mkostemp(draft_.data(), O_CLOEXEC);
  }
  if (fd_ < 0) {
    draft_.clear(); // there is none
    fail(errno);
  }
}

file_draft::~file_draft() {
  close();
}

void file_draft::close() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
  if (!draft_.empty())
    ::unlink(std::exchange(draft_, {}).c_str());
}

void file_draft::fail(int code) {
  close();
  steward::fail(path_, code);
}

void file_draft::write(std::string_view text) {
  if (auto code = write_all(fd_, text); code != 0)
    fail(code);
}

void file_draft::commit() {
  if (draft_.empty())
    return close();
  if (::fchmod(fd_, rights_of(target_)) != 0 || ::fsync(fd_) != 0
      || ::rename(draft_.c_str(), target_.c_str()) != 0)
    fail(errno);
  draft_.clear(); // it is the file now
  close();
}

void write_file(const std::string& path, std::string_view text) {
  file_draft draft{path};
  draft.write(text);
  draft.commit();
}

void write_report(const std::string& json, bool quiet,
                  function_ref<std::string()> to_json,
                  function_ref<std::string()> to_table) {
  if (json == "-") {
    write_stdout(to_json());
    if (!quiet)
      (void)write_all(STDERR_FILENO, to_table());
    return;
  }
  // The file first: a closed standard output must not cost it.
  if (!json.empty())
    write_file(json, to_json());
  if (!quiet)
    write_stdout(to_table());
}

} // namespace steward
