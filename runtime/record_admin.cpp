#include <steward/runtime/record_admin.hpp>

#include <steward/runtime/processes.hpp>

#include <map>
#include <span>

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr duration wait_max = 5s;
constexpr std::size_t purge_rows = 1'000; // of a transaction

} // namespace

record_admin::record_admin(const std::string& url)
  : store_(open_existing_records(url, wait_max)) {
}

std::vector<record> record_admin::page(const record_query& what) {
  return store_->page(what, wait_max);
}

std::optional<record> record_admin::find(const std::string& name) {
  return store_->find(std::span{&name, 1}, wait_max).at(0);
}

std::vector<std::string> record_admin::verify() {
  auto wrong = store_->verify(wait_max);
  std::map<std::int64_t, std::string> gone;
  for (auto& x : store_->nodes(wait_max))
    if (may_adopt_from(x, 0, liveness_of(x.process)))
      gone.emplace(x.id, x.owner);
  if (gone.empty())
    return wrong;
  for (record_query next{.open = true};;) {
    auto rows = page(next);
    for (auto& row : rows)
      if (auto owner = gone.find(row.incarnation); owner != gone.end())
        wrong.push_back("the open record '" + row.name + "' is an orphan: '"
                        + owner->second + "' died, and nobody took it back");
    if (rows.size() < next.rows_max)
      return wrong;
    next.after = rows.back().id;
  }
}

std::size_t record_admin::purge(time_point before) {
  std::size_t all = 0;
  for (auto some = purge_rows; some == purge_rows; all += some)
    some = store_->purge(before, purge_rows, wait_max);
  return all;
}

std::string record_admin::where() const {
  return store_->where();
}

} // namespace steward
