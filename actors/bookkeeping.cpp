#include <steward/actors/bookkeeping.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/one_line.hpp>
#include <steward/core/planted.hpp>
#include <steward/messages/records.hpp>

#include <string>
#include <utility>

namespace steward {

namespace {

spdlog::logger& logger() {
  static auto& result = logger_of("supervisor");
  return result;
}

std::string record_name(const key_entry& key, std::uint64_t id) {
  return fmt::format("{}/{}/{}/{}", key.pool->options.name, key.pool->owner, id,
                     key.place.key());
}

} // namespace

void book_opened(const key_entry& key, const slot& place) {
  auto& pool = *key.pool;
  pool.counters.opened();
  if (!pool.persistence)
    return;
  record draft;
  draft.name = record_name(key, place.id());
  draft.pool = pool.options.name;
  draft.key = key.place.key();
  draft.attributes = place.params();
  draft.owner = pool.owner;
  draft.creator = pool.token_of(place.id());
  draft.opened_at = pool.time->now();
  cafx::send_anon(pool.persistence,
                  note_record{create_record{std::move(draft)}});
}

void book_open_failed(const key_entry& key, const slot& place,
                      const std::string& error) {
  key.pool->counters.open_failed();
  logger().info("open_failed pool={} key={} id={} error=\"{}\"",
                key.pool->options.name, one_line(key.place.key()), place.id(),
                one_line(error));
}

void book_closed(const key_entry& key, std::uint64_t id, close_reason why) {
  auto& pool = *key.pool;
  pool.counters.closed(why);
  if (pool.persistence)
    cafx::send_anon(
      pool.persistence,
      note_record{close_record{record_name(key, id), why, pool.time->now()}});
  logger().debug("closed pool={} key={} id={} reason={}", pool.options.name,
                 one_line(key.place.key()), id, to_string(why));
}

std::string whereabouts(const key_entry& key) {
  return fmt::format("key \"{}\" of pool \"{}\"", key.place.key(),
                     key.pool->options.name);
}

void close_resource_of(const key_entry& key, slot& place, close_reason why,
                       bool keep) {
  auto& opener = *key.pool->opener;
  opener.close(place.resource(), why);
  if (STEWARD_PLANTED(double_close) && why == close_reason::idle)
    opener.close(place.resource(), why);
  if (!keep)
    opener.destroy(place.resource());
}

} // namespace steward
