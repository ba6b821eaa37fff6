#include <steward/testkit/history_records.hpp>

#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace steward::testkit {

namespace {

class judge {
public:
  explicit judge(record_check_options how) : how_(how) {
  }

  // 1
  void take(const stored_row& row) {
    if (!rows_.emplace(row.name, row).second)
      accuse(1, row.name, "has two rows");
    if (auto [other, first] = by_id_.emplace(row.id, row.name); !first)
      accuse(1, row.name, "shares the id " + row.id + " with " + other->second);
  }

  void take(const operation& op) {
    if (how_.answer_max > 0 && op.completed != stamp_max
        && op.completed - op.invoked > how_.answer_max)
      accuse(6, op.key,
             op.client + " was answered after "
               + std::to_string((op.completed - op.invoked) / 1'000'000)
               + " ms");
    if (op.end != ending::failed)
      asked_.insert(op.arg);
    else
      refused_.insert(op.arg);
    if (op.end == ending::ok)
      take_answer(op);
  }

  // 5
  void end() {
    for (const auto& [name, row] : rows_) {
      if (refused_.contains(row.creator))
        accuse(5, name, "stands, and its creator was told that it does not");
      else if (!asked_.contains(row.creator))
        accuse(5, name, "stands, and nobody asked for it");
    }
  }

  std::vector<broken_rule> result() {
    return std::move(broken_);
  }

private:
  // 2, 3, 4
  void take_answer(const operation& op) {
    auto said = get_or_create_model::answer_of(op);
    if (!said)
      return accuse(2, op.key, "was answered by \"" + op.result + "\"");
    auto row = rows_.find(op.key);
    if (row == rows_.end())
      return accuse(3, op.key, op.client + " heard of it, and it is not there");
    if (row->second.id != said->id)
      accuse(2, op.key,
             op.client + " heard of the id " + std::string{said->id}
               + ", and it has " + row->second.id);
    auto created = said->what == get_or_create_model::answer::kind::created;
    if (created != (row->second.creator == op.arg))
      accuse(4, op.key,
             op.client
               + (created ? " did not create it, and heard so"
                          : " created it, and heard that it existed"));
  }

  void accuse(int rule, const std::string& name, std::string why) {
    broken_.push_back({rule, name, std::move(why)});
  }

  record_check_options how_;
  std::unordered_map<std::string, stored_row> rows_;
  std::map<std::string, std::string> by_id_;
  std::set<std::string, std::less<>> asked_;
  std::set<std::string, std::less<>> refused_;
  std::vector<broken_rule> broken_;
};

} // namespace

std::vector<broken_rule> check_records(std::span<const operation> all,
                                       std::span<const stored_row> rows,
                                       record_check_options how) {
  judge x{how};
  for (const auto& row : rows)
    x.take(row);
  for (const auto& op : all)
    x.take(op);
  x.end();
  return x.result();
}

} // namespace steward::testkit
