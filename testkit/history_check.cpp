#include <steward/testkit/history_check.hpp>

#include <steward/testkit/trace.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

namespace steward::testkit {

namespace {

using answer = get_or_create_model::answer;

// -- a record per name --------------------------------------------------------

struct sighting {
  const operation* by;
  answer says;
};

// What the operations on one name say. A row never changes, so its creation is
// all that has to be placed: there is no need to search.
class name_check {
public:
  explicit name_check(std::string key) : key_(std::move(key)) {
  }

  /// Whether somebody saw more than a fast check can judge.
  bool needs_search() const {
    return std::any_of(seen_.begin(), seen_.end(),
                       [](auto& x) { return x.says.open.has_value(); });
  }

  /// What cannot be judged at all, if anything.
  std::optional<finding> take(std::span<const operation> all) {
    for (const auto& x : all) {
      auto creates = x.what == "get_or_create";
      if (creates && x.arg.empty())
        return wrong("cannot be judged: a request without a token", {&x});
      if (creates && x.end == ending::in_doubt)
        doubts_.push_back(&x);
      if (x.what == "close" || x.end != ending::ok)
        continue;
      auto says = creates || x.what == "find"
                    ? get_or_create_model::answer_of(x)
                    : std::nullopt;
      if (!says)
        return wrong(reason::not_understood(x), {&x});
      if (says->what != answer::kind::none)
        seen_.push_back({&x, *says});
      else if (none_ == nullptr || none_->invoked < x.invoked)
        none_ = &x;
    }
    return std::nullopt;
  }

  std::optional<finding> judge() const {
    if (seen_.empty())
      return std::nullopt;
    if (auto x = judge_ids())
      return x;
    const sighting* source = nullptr; // who says which token created it
    if (auto x = judge_creator(source))
      return x;
    return judge_times(source);
  }

  const std::vector<sighting>& seen() const {
    return seen_;
  }

  finding wrong(std::string why,
                std::initializer_list<const operation*> who) const {
    finding result{judgement::wrong, key_, std::move(why), {}};
    std::set<const operation*> told;
    for (auto* x : who)
      if (told.insert(x).second)
        result.evidence.push_back(*x);
    return result;
  }

private:
  static std::string_view creator_said_by(const sighting& x) {
    return x.says.what == answer::kind::created ? std::string_view{x.by->arg}
                                                : x.says.creator;
  }

  std::optional<finding> judge_ids() const {
    for (const auto& x : seen_)
      if (x.says.id != seen_.front().says.id)
        return wrong(reason::two_ids(seen_.front().says.id, x.says.id),
                     {seen_.front().by, x.by});
    return std::nullopt;
  }

  std::optional<finding> judge_creator(const sighting*& source) const {
    for (const auto& x : seen_) // who created it knows best
      if (x.says.what == answer::kind::created && source == nullptr)
        source = &x;
    for (const auto& x : seen_)
      if (!x.says.creator.empty() && source == nullptr)
        source = &x;
    if (source == nullptr)
      return std::nullopt;
    auto creator = creator_said_by(*source);
    for (const auto& x : seen_) {
      if (x.says.what == answer::kind::created && x.by->arg != creator)
        return wrong(reason::created_by_another(creator), {source->by, x.by});
      if (!x.says.creator.empty() && x.says.creator != creator)
        return wrong(reason::other_creator(x.says.creator, creator),
                     {source->by, x.by});
      if (x.says.what == answer::kind::existed && x.by->arg == creator)
        return wrong(reason::existed_but_own(), {source->by, x.by});
    }
    return std::nullopt;
  }

  bool may_have_created(const operation& x, const sighting* source) const {
    if (source != nullptr)
      return x.arg == creator_said_by(*source);
    return std::none_of(seen_.begin(), seen_.end(), [&](const sighting& y) {
      return y.says.what == answer::kind::existed && y.by->arg == x.arg;
    });
  }

  std::optional<finding> judge_times(const sighting* source) const {
    auto first = std::min_element(seen_.begin(), seen_.end(),
                                  [](const sighting& a, const sighting& b) {
                                    return a.by->completed < b.by->completed;
                                  })
                   ->by;
    const operation* creator = nullptr; // the first who can have been it
    auto consider = [&](const operation& x) {
      if (may_have_created(x, source)
          && (creator == nullptr || x.invoked < creator->invoked))
        creator = &x;
    };
    for (const auto& x : seen_)
      if (x.says.what == answer::kind::created)
        consider(*x.by);
    for (auto* x : doubts_)
      consider(*x);
    if (creator == nullptr)
      return wrong(reason::existed_too_early(), {first});
    if (creator->invoked > first->completed)
      return wrong(reason::existed_too_early(), {first, creator});
    if (none_ != nullptr && none_->invoked > first->completed)
      return wrong(reason::none_too_late(), {creator, first, none_});
    return std::nullopt;
  }

  std::string key_;
  std::vector<sighting> seen_;
  std::vector<const operation*> doubts_;
  const operation* none_ = nullptr; // the last that saw nothing
};

// -- leases -------------------------------------------------------------------

// What no key can know by itself: whose lease, whose resource.
void check_lease_names(std::span<const operation> all, verdict& to) {
  std::map<std::string_view, const operation*> leases;
  std::map<std::string_view, const operation*> resources;
  auto wrong = [&](const operation& a, const operation& b, std::string why) {
    to.findings.push_back({judgement::wrong, b.key, std::move(why), {a, b}});
  };
  auto see = [&](std::string_view resource, const operation& x) {
    auto [first, fresh] = resources.emplace(resource, &x);
    if (!fresh && first->second->key != x.key)
      wrong(*first->second, x,
            "resource " + std::string{resource} + " is of two keys");
  };
  for (const auto& x : all) {
    if (x.end != ending::ok)
      continue;
    if (x.what == "close")
      see(x.arg, x);
    auto got = x.what == "acquire" ? lease_model::grant_of(x) : std::nullopt;
    if (!got)
      continue;
    see(got->resource, x);
    if (auto [first, fresh] = leases.emplace(got->lease, &x); !fresh)
      wrong(*first->second, x,
            "lease " + std::string{got->lease} + " is granted twice");
  }
}

// -- text ---------------------------------------------------------------------

constexpr std::size_t findings_shown_max = 3;
constexpr std::size_t operations_shown_max = 40;
constexpr std::size_t cell_max = 80; // bytes

using row = std::array<std::string, 5>;

row row_of(const operation& x, stamp origin) {
  auto at = [origin](stamp t) {
    return t == stamp_max ? std::string{"-"} : std::to_string(t - origin);
  };
  auto call = x.what;
  if (!x.arg.empty())
    call += " " + x.arg;
  auto result = x.result;
  if (x.end != ending::ok)
    result = std::string{to_string(x.end)}
             + (result.empty() ? std::string{} : ": " + result);
  return {at(x.invoked), at(x.completed), shown(x.client, cell_max),
          shown(call, cell_max), shown(result, cell_max)};
}

std::string table_of(std::vector<operation> what) {
  std::stable_sort(what.begin(), what.end(),
                   [](auto& a, auto& b) { return a.invoked < b.invoked; });
  std::string note;
  if (what.size() > operations_shown_max) {
    auto left_out = what.size() - operations_shown_max;
    note = "  (and " + std::to_string(left_out) + " before)\n";
    what.erase(what.begin(), what.begin() + std::ptrdiff_t(left_out));
  }
  stamp origin = 0;
  if (!what.empty() && what.front().invoked > 1'000'000) { // a clock's
    origin = what.front().invoked;
    note += "  (times since " + std::to_string(origin) + ")\n";
  }
  std::vector<row> rows{{"invoked", "completed", "client", "call", "result"}};
  for (const auto& x : what)
    rows.push_back(row_of(x, origin));
  std::array<std::size_t, 5> widths{};
  for (const auto& x : rows)
    for (std::size_t i = 0; i < x.size(); ++i)
      widths[i] = std::max(widths[i], x[i].size());
  std::string result = note;
  for (const auto& x : rows) {
    std::string line;
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::string gap(widths[i] - x[i].size(), ' ');
      line += "  " + (i < 2 ? gap + x[i] : x[i] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

} // namespace

std::string_view to_string(judgement x) {
  switch (x) {
    case judgement::right: return "right";
    case judgement::wrong: return "wrong";
    case judgement::undecided: break;
  }
  return "undecided";
}

std::string verdict::text() const {
  auto result = std::to_string(operations) + " operations on "
                + std::to_string(keys) + " keys: ";
  if (right())
    return result + "right\n";
  result += std::to_string(findings.size()) + " findings\n";
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (i == findings_shown_max)
      return result + "...\n";
    const auto& x = findings[i];
    result += std::string{to_string(x.what)} + ": key \"" + shown(x.key)
              + "\": " + shown(x.why) + "\n";
    if (!x.evidence.empty())
      result += table_of(x.evidence);
  }
  return result;
}

detail::operations_by_key detail::sort_out(std::span<const operation> all,
                                           verdict& to) {
  operations_by_key result;
  for (const auto& x : all) {
    if (x.end == ending::failed)
      continue;
    ++to.operations;
    if (x.end == ending::ok && x.completed < x.invoked)
      to.findings.push_back({judgement::wrong,
                             x.key,
                             "cannot be judged: it ended before it began",
                             {x}});
    result[x.key].push_back(x);
  }
  to.keys = result.size();
  return result;
}

verdict check_get_or_create(std::span<const operation> all, check_options how) {
  verdict result;
  std::map<std::string, operation> names_of_ids;
  for (const auto& [key, part] : detail::sort_out(all, result)) {
    name_check name{key};
    if (auto x = name.take(part)) {
      result.findings.push_back(std::move(*x));
      continue;
    }
    if (how.search_only || name.needs_search())
      detail::judge_by_search(get_or_create_model{}, key, part, how, result);
    else if (auto x = name.judge())
      result.findings.push_back(std::move(*x));
    for (const auto& x : name.seen()) {
      auto i = names_of_ids.emplace(x.says.id, *x.by).first;
      if (i->second.key == key)
        continue;
      auto why = "has the id " + i->first + " of \"" + i->second.key + "\"";
      result.findings.push_back(
        {judgement::wrong, key, std::move(why), {i->second, *x.by}});
      break;
    }
  }
  return result;
}

verdict check_leases(std::span<const operation> all, lease_limits most,
                     check_options how) {
  verdict result;
  check_lease_names(all, result);
  for (const auto& [key, part] : detail::sort_out(all, result)) {
    if (how.search_only) {
      detail::judge_by_search(lease_model{most}, key, part, how, result);
      continue;
    }
    for (auto& x : detail::judge_leases(key, part, most))
      result.findings.push_back(std::move(x));
  }
  return result;
}

} // namespace steward::testkit
