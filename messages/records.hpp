#pragma once

#include <steward/core/record.hpp>
#include <steward/core/record_query.hpp>
#include <steward/messages/caf.hpp>

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace steward {

/// To persistence: "there must be a record of this name; which is it?" Answered
/// by `record_answer` after the row is durable, or as `unavailable` at the
/// deadline; at once if too many wait.
struct get_or_create {
  record draft;
  time_point deadline = never;
  bool strict = false; ///< other attributes than ours are a conflict
};

/// To persistence: any other write, answered in the same way.
struct write_record {
  record_write write;
  time_point deadline = never;
};

/// To persistence: "there is something at your desk." Not answered: those are
/// who left it.
struct writes_left {};

/// To the router of records: "an actor waits for persistence, which may hang."
struct watch_desks {};

/// The router to itself: "does anybody wait too long?"
struct look_at_desks {};

/// To persistence: "write this when you can." Not answered; tried again until
/// it is durable or persistence stops.
struct note_record {
  record_write write;
};

/// Persistence did what `flush_records` or `stop_records` asked for.
struct records_flushed {
  std::size_t pending = 0; ///< writes that are not durable, nor failed for good
  std::string cause;       ///< one line; empty unless `pending > 0`
};

/// To persistence: "tell me when all that you were given before this is durable
/// or has failed for good." Answered by `records_flushed`, at the latest at the
/// deadline.
struct flush_records {
  time_point deadline = never;
};

/// The same from a plain thread, answered through a promise.
struct flush_records_blocking {
  time_point deadline = never;
  std::shared_ptr<std::promise<records_flushed>> reply;
};

/// To persistence: "write what you have until the deadline, then end." Answered
/// by `records_flushed` after the database is closed.
struct stop_records {
  time_point deadline = never;
};

/// The same from a plain thread, answered through a promise.
struct stop_records_blocking {
  time_point deadline = never;
  std::shared_ptr<std::promise<records_flushed>> reply;
};

/// What a reader found under names.
struct records_found {
  std::vector<std::optional<record>> rows; ///< one for each name
  std::string cause; ///< one line; empty unless nothing could be read
};

/// What a reader found of a page.
struct page_found {
  record_page page;
  std::string cause; ///< one line; empty unless nothing could be read
};

/// To a reader: "what is there under these names?" Answered by `records_found`.
struct find_records {
  std::vector<std::string> names;
};

/// To a reader: "which are these?" Answered by `page_found`.
struct page_records {
  record_query what;
};

/// The same from a plain thread, answered through a promise.
struct find_records_blocking {
  std::vector<std::string> names;
  std::shared_ptr<std::promise<records_found>> reply;
};

struct page_records_blocking {
  record_query what;
  std::shared_ptr<std::promise<page_found>> reply;
};

/// To a reader: be gone.
struct stop_reader {};

/// Persistence to itself: "all have come; write." The same for a reader.
struct flush_now {};

/// Persistence to itself: "it is `at`: time to try again, or for somebody's
/// deadline." Earlier generations are over.
struct retry_now {
  std::size_t generation = 0;
  time_point at{};
};

} // namespace steward

STEWARD_MESSAGE(steward::record_answer)
STEWARD_MESSAGE(steward::get_or_create)
STEWARD_MESSAGE(steward::write_record)
STEWARD_MESSAGE(steward::writes_left)
STEWARD_MESSAGE(steward::watch_desks)
STEWARD_MESSAGE(steward::look_at_desks)
STEWARD_MESSAGE(steward::records_found)
STEWARD_MESSAGE(steward::page_found)
STEWARD_MESSAGE(steward::find_records)
STEWARD_MESSAGE(steward::page_records)
STEWARD_MESSAGE(steward::find_records_blocking)
STEWARD_MESSAGE(steward::page_records_blocking)
STEWARD_MESSAGE(steward::stop_reader)
STEWARD_MESSAGE(steward::note_record)
STEWARD_MESSAGE(steward::flush_records)
STEWARD_MESSAGE(steward::flush_records_blocking)
STEWARD_MESSAGE(steward::stop_records)
STEWARD_MESSAGE(steward::stop_records_blocking)
STEWARD_MESSAGE(steward::records_flushed)
STEWARD_MESSAGE(steward::flush_now)
STEWARD_MESSAGE(steward::retry_now)
