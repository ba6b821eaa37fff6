#include <steward/core/record.hpp>

#include <steward/core/planted.hpp>

#include <utility>

namespace steward {

namespace {

// Ids, times, tokens and what the wire puts around them.
constexpr std::size_t row_overhead = 128;

std::size_t size_of(const record& x) {
  return x.name.size() + x.pool.size() + x.key.size() + x.attributes.size()
         + x.journal.size() + x.owner.size() + row_overhead;
}

} // namespace

std::size_t size_of(const record_write& x) {
  if (auto create = std::get_if<create_record>(&x))
    return size_of(create->draft);
  auto result = name_of(x).size() + row_overhead;
  if (auto update = std::get_if<update_record>(&x))
    for (auto* text : {&update->attributes, &update->journal})
      result += *text ? (*text)->size() : 0;
  return result;
}

record_answer answer_to(const create_record& wanted, record row) {
  record_answer answer;
  if (row.creator == wanted.draft.creator && !STEWARD_PLANTED(token_ignored))
    answer.verdict = record_verdict::created;
  else if (wanted.strict
           && row.print != fingerprint_of(wanted.draft.attributes))
    answer.verdict = record_verdict::conflict;
  else
    answer.verdict = record_verdict::existed;
  answer.row = std::move(row);
  return answer;
}

record_answer answer_to(const update_record& wanted, record row) {
  record_answer answer;
  auto ours = row.version == wanted.version + 1 && row.writer == wanted.token;
  answer.verdict = ours ? record_verdict::existed : record_verdict::conflict;
  answer.row = std::move(row);
  return answer;
}

record_answer unavailable(record_trouble why, std::string cause) {
  record_answer answer;
  answer.trouble = why;
  answer.cause = std::move(cause);
  return answer;
}

} // namespace steward
