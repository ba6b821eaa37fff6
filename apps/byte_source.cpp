#include <steward/apps/byte_source.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

namespace steward {
namespace {

constexpr std::size_t raw_size = 128 * 1024;
constexpr int poll_ms = 100;

std::string error_text(int code) {
  return std::generic_category().message(code);
}

bool is_gzip(std::span<const char> bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

} // namespace

struct byte_source::unpacker {
  unpacker() {
    // 15 bits of window, and 16 to say: a gzip header and nothing else.
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
      throw std::bad_alloc{};
  }

  ~unpacker() {
    inflateEnd(&stream);
  }

  unpacker(const unpacker&) = delete;
  unpacker& operator=(const unpacker&) = delete;

  z_stream stream{};
  bool done = false; // behind the last member
};

byte_source::byte_source(const std::string& path, const std::atomic<bool>* stop)
  : where_(path == "-" ? "standard input" : path), stop_(stop), raw_(raw_size) {
  fd_ = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd_ < 0)
    fail(error_text(errno));
  try {
    struct stat info {};
    if (::fstat(fd_, &info) != 0)
      fail(error_text(errno));
    if (S_ISDIR(info.st_mode))
      fail("is a directory");
    regular_ = S_ISREG(info.st_mode);
    if (regular_)
      size_ = static_cast<std::uint64_t>(info.st_size);
    while (end_ < 2 && fill()) {
      // Two bytes tell gzip data from text; a pipe may bring them one by one.
    }
    if (is_gzip(std::span{raw_}.first(end_)))
      unpacker_ = std::make_unique<unpacker>();
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

byte_source::~byte_source() {
  ::close(fd_);
}

std::size_t byte_source::read(std::span<char> out) {
  if (out.empty())
    return 0;
  if (unpacker_ != nullptr)
    return unpack(out);
  if (begin_ == end_)
    return read_raw(out);
  auto n = std::min(out.size(), end_ - begin_);
  std::memcpy(out.data(), raw_.data() + begin_, n);
  begin_ += n;
  return n;
}

void byte_source::fail(const std::string& what) const {
  throw unusable_input{where_ + ": " + what};
}

// False once stopped. A read of a pipe could block for ever, and a signal that
// arrives just before it would not wake it; a poll with a limit always ends.
bool byte_source::wait_for_bytes() {
  for (;;) {
    if (stop_ != nullptr && stop_->load()) {
      stopped_ = true;
      return false;
    }
    if (regular_)
      return true;
    pollfd entry{fd_, POLLIN, 0};
    if (auto n = ::poll(&entry, 1, poll_ms); n > 0)
      return true;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
      fail(error_text(errno));
  }
}

std::size_t byte_source::read_raw(std::span<char> out) {
  while (wait_for_bytes()) {
    auto n = ::read(fd_, out.data(), out.size());
    if (n >= 0) {
      position_ += static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
    if (errno != EINTR && errno != EAGAIN)
      fail(error_text(errno));
  }
  return 0;
}

// Gets more raw bytes behind those that are there; false at the end.
bool byte_source::fill() {
  if (begin_ == end_)
    begin_ = end_ = 0;
  auto n = read_raw(std::span{raw_}.subspan(end_));
  end_ += n;
  return n > 0;
}

std::size_t byte_source::unpack(std::span<char> out) {
  auto& zip = unpacker_->stream;
  auto wanted
    = static_cast<unsigned>(std::min<std::size_t>(out.size(), INT_MAX));
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = wanted;
  while (zip.avail_out == wanted && !unpacker_->done) {
    if (begin_ == end_ && !fill()) {
      if (stopped_)
        return 0;
      fail("gzip data ends too early (is the file cut off?)");
    }
    zip.next_in = reinterpret_cast<Bytef*>(raw_.data() + begin_);
    zip.avail_in = static_cast<unsigned>(end_ - begin_);
    auto code = inflate(&zip, Z_NO_FLUSH);
    begin_ = end_ - zip.avail_in;
    if (code == Z_STREAM_END)
      unpacker_->done = !next_member();
    else if (code == Z_MEM_ERROR)
      throw std::bad_alloc{};
    else if (code != Z_OK && code != Z_BUF_ERROR)
      fail("gzip data is damaged before byte "
           + std::to_string(position_ - (end_ - begin_)));
  }
  return wanted - zip.avail_out;
}

// A gzip file may have several members (`cat a.gz b.gz`). What follows the last
// and is none is padding, which gzip leaves out too.
bool byte_source::next_member() {
  while (end_ - begin_ < 2) {
    if (begin_ > 0) {
      std::memmove(raw_.data(), raw_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (!fill())
      return false;
  }
  return is_gzip(std::span{raw_}.subspan(begin_, end_ - begin_))
         && inflateReset(&unpacker_->stream) == Z_OK;
}

} // namespace steward
