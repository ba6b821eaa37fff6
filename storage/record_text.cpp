#include <steward/storage/internal/record_text.hpp>

#include <steward/core/iso_time.hpp>

namespace steward {

namespace {

constexpr std::size_t name_bytes_max = 1024;

} // namespace

std::array<std::byte, 16> hex_or_damaged(std::string_view text,
                                         const std::string& name,
                                         const char* what) {
  auto bytes = parse_hex(text);
  if (!bytes)
    damaged(name, std::string{"a "} + what + " that is none");
  return *bytes;
}

time_point time_or_damaged(std::string_view text, const std::string& name) {
  auto parsed = parse_iso_text(text);
  if (!parsed)
    damaged(name, "a time that is none");
  return *parsed;
}

close_reason reason_or_damaged(std::string_view text, const std::string& name) {
  auto reason = close_reason_from(text);
  if (!reason)
    damaged(name, "an unknown close reason");
  return *reason;
}

void damaged(const std::string& name, const std::string& what) {
  // The others of its batch are as good as ever.
  throw store_failure{store_errc::damaged,
                      "the record '" + name + "' has " + what,
                      reaction::bisect};
}

void require_writable(std::span<const record_write> batch) {
  for (auto& x : batch) {
    if (auto size = name_of(x).size(); size == 0 || size > name_bytes_max)
      throw store_failure{store_errc::bad_row,
                          "a record name has 1 to "
                            + std::to_string(name_bytes_max) + " bytes, not "
                            + std::to_string(size)};
    if (auto size = size_of(x); size > record_bytes_max)
      throw store_failure{store_errc::bad_row,
                          "the record '" + name_of(x) + "' has "
                            + std::to_string(size) + " bytes; allowed are "
                            + std::to_string(record_bytes_max)};
  }
}

record created_row(const record& draft, std::int64_t id) {
  auto row = draft;
  row.id = id;
  row.open = true;
  row.reason = {};
  row.writer = draft.creator;
  row.print = fingerprint_of(draft.attributes);
  row.version = 1;
  row.opened_at = cut_to_milliseconds(draft.opened_at);
  row.closed_at = {};
  return row;
}

} // namespace steward
