#include <steward/runtime/record_admin.hpp>

#include <steward/runtime/processes.hpp>

#include <chrono>
#include <map>
#include <span>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr duration wait_max = 5s;
constexpr std::size_t purge_rows = 1'000; // of a transaction

// Those who answer for open records, and whether they still can.
class guardians {
public:
  explicit guardians(const std::vector<node>& all) {
    for (auto& x : all)
      known_.emplace(
        x.id, warden{x.owner, may_adopt_from(x, 0, liveness_of(x.process))});
  }

  // What is wrong with who answers for `x`; nothing if nobody has to.
  std::string complaint(const record& x) const {
    if (!x.open || x.incarnation == 0)
      return {};
    auto by = known_.find(x.incarnation);
    if (by == known_.end())
      return "the open record '" + x.name + "' has a node that was never there";
    if (!by->second.is_gone)
      return {};
    return "the open record '" + x.name + "' is an orphan: '" + by->second.owner
           + "' died, and nobody took it back";
  }

private:
  struct warden {
    std::string owner;
    bool is_gone;
  };

  std::map<std::int64_t, warden> known_;
};

// One walk through everything.
class verification {
public:
  verification(record_store& store,
               function_ref<void(const std::string&)> found)
    : store_(store), found_(found) {
  }

  verified_records run(function_ref<void(std::size_t)> at) {
    attempt([&] {
      for (auto& line : store_.verify(wait_max))
        tell(line);
    });
    attempt([&] { walk(at); });
    return counted_;
  }

private:
  // Damage that ends a step is what we look for, and no reason to end.
  template <class Step>
  void attempt(Step step) {
    try {
      step();
    } catch (const store_failure& x) {
      if (x.code() != store_errc::damaged)
        throw;
      tell(x.what());
    }
  }

  void tell(const std::string& line) {
    ++counted_.wrong;
    found_(line);
  }

  void walk(function_ref<void(std::size_t)> at) {
    guardians known{store_.nodes(wait_max)};
    for (record_query next;;) {
      auto page = store_.read_page(next, wait_max);
      counted_.rows += page.size();
      counted_.unreadable += page.unreadable.size();
      for (auto& line : page.unreadable)
        tell(line);
      std::vector<std::string> suspects;
      for (auto& row : page.rows)
        if (!known.complaint(row).empty())
          suspects.push_back(std::move(row.name));
      if (!suspects.empty())
        judge(suspects);
      at(counted_.rows);
      if (!page.more)
        return;
      next.after = page.last;
    }
  }

  // Programs go on meanwhile: only what still stands after its node was looked
  // for is wrong, since a node stays as long as open records carry it.
  void judge(const std::vector<std::string>& suspects) {
    guardians known{store_.nodes(wait_max)};
    for (std::span<const std::string> left = suspects; !left.empty();) {
      auto rows = store_.find(left, wait_max);
      left = left.subspan(rows.size());
      for (auto& row : rows)
        if (auto line = row ? known.complaint(*row) : std::string{};
            !line.empty())
          tell(line);
    }
  }

  record_store& store_;
  function_ref<void(const std::string&)> found_;
  verified_records counted_;
};

} // namespace

record_admin::record_admin(const std::string& url, store_use use)
  : store_(open_records_for(use, url, wait_max)) {
}

record_page record_admin::page(const record_query& what) {
  return store_->read_page(what, wait_max);
}

std::optional<record> record_admin::find(const std::string& name) {
  return store_->find(std::span{&name, 1}, wait_max).at(0);
}

verified_records
record_admin::verify(function_ref<void(const std::string&)> found,
                     function_ref<void(std::size_t)> at) {
  return verification{*store_, found}.run(at);
}

purged_records record_admin::purge(time_point before,
                                   function_ref<bool(std::size_t)> go_on) {
  purged_records all;
  for (auto some = purge_rows; some == purge_rows && go_on(all.gone);) {
    auto step = purge_some(before);
    some = step.gone;
    all.gone += step.gone;
    all.locked = step.locked;
  }
  return all;
}

// Somebody else's lock is waited for in short goes, so that we hear if somebody
// has had enough meanwhile.
purged_records record_admin::purge_some(time_point before) {
  using clock = std::chrono::steady_clock;
  for (auto until = clock::now() + wait_max;;) {
    try {
      return store_->purge(before, purge_rows, 100ms);
    } catch (const store_failure& x) {
      if (x.code() != store_errc::busy || clock::now() >= until)
        throw;
    }
    if (told_())
      throw ended{};
  }
}

void record_admin::end_when(std::function<bool()> told) {
  told_ = std::move(told);
  store_->on_wait([this] {
    if (told_())
      throw ended{};
  });
}

std::string record_admin::where() const {
  return store_->where();
}

} // namespace steward
