#include <steward/testkit/history_models.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace steward::testkit {

namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    if (end > 0)
      result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

} // namespace

// -- a record per name --------------------------------------------------------

std::optional<get_or_create_model::answer>
get_or_create_model::answer_of(const operation& op) {
  auto words = words_of(op.result);
  if (words.empty())
    return std::nullopt;
  answer result;
  if (op.what == "get_or_create") {
    if (words.size() < 2 || words.size() > 3)
      return std::nullopt;
    if (words[0] == "created")
      result.what = answer::kind::created;
    else if (words[0] == "existed")
      result.what = answer::kind::existed;
    else
      return std::nullopt;
    result.id = words[1];
    result.creator = words.size() > 2 ? words[2] : std::string_view{};
    return result;
  }
  if (words[0] == "none" && words.size() == 1)
    return result;
  if (words[0] != "found" || words.size() < 2)
    return std::nullopt;
  result.what = answer::kind::found;
  result.id = words[1];
  if (words.back() == "open" || words.back() == "closed") {
    result.open = words.back() == "open";
    words.pop_back();
  }
  if (words.size() > 3 || words.size() < 2)
    return std::nullopt;
  result.creator = words.size() > 2 ? words[2] : std::string_view{};
  return result;
}

std::string get_or_create_model::apply(state& s, const operation& op) const {
  auto sure = op.end == ending::ok;
  if (op.what == "close") {
    if (s.exists)
      s.open = false;
    return {};
  }
  if (op.what == "get_or_create" && !sure) {
    if (!s.exists)
      s = {true, true, {}, op.arg};
    return {};
  }
  if (op.what == "find" && !sure)
    return {};
  auto says = op.what == "get_or_create" || op.what == "find" ? answer_of(op)
                                                              : std::nullopt;
  if (!says)
    return reason::not_understood(op);
  if (says->what == answer::kind::none)
    return s.exists ? reason::none_too_late() : std::string{};
  if (says->what == answer::kind::created && !s.exists)
    s = {true, true, std::string{says->id}, op.arg};
  if (!s.exists)
    return reason::existed_too_early();
  if (says->what == answer::kind::created && s.creator != op.arg)
    return reason::created_by_another(s.creator);
  if (says->what == answer::kind::existed && s.creator == op.arg)
    return reason::existed_but_own();
  if (!says->creator.empty() && says->creator != s.creator)
    return reason::other_creator(says->creator, s.creator);
  if (says->open && *says->open != s.open)
    return s.open ? "closed before any close" : "open after a close";
  if (s.id.empty())
    s.id = says->id;
  if (says->id != s.id)
    return reason::two_ids(s.id, says->id);
  return {};
}

bool get_or_create_model::reads(const operation& op) const {
  return op.what == "find"
         || (op.what == "get_or_create" && op.end == ending::ok
             && op.result.starts_with("existed"));
}

std::string get_or_create_model::group(const operation& op) const {
  return reads(op) ? op.client + " " + std::to_string(op.invoked)
                   : std::string{};
}

// -- leases per key -----------------------------------------------------------

std::optional<lease_model::grant> lease_model::grant_of(const operation& op) {
  auto words = words_of(op.result);
  if (words.size() != 2)
    return std::nullopt;
  return grant{words[0], words[1]};
}

std::string lease_model::apply(state& s, const operation& op) const {
  auto sure = op.end == ending::ok;
  if (op.what == "close") {
    if (!sure) // can only be in the way of others
      return {};
    auto users = s.held.find(op.arg);
    if (users != s.held.end())
      return reason::closed_in_use(op.arg, *users->second.begin());
    return s.closed.insert(op.arg).second ? std::string{}
                                          : reason::closed_twice(op.arg);
  }
  if (op.what == "release") {
    for (auto i = s.held.begin(); i != s.held.end(); ++i) {
      if (i->second.erase(op.arg) == 0)
        continue;
      if (i->second.empty())
        s.held.erase(i);
      return {};
    }
    return sure ? reason::not_held(op.arg) : std::string{};
  }
  if (op.what == "acquire" && !sure) // nobody knows the lease: the same
    return {};
  auto got = op.what == "acquire" ? grant_of(op) : std::nullopt;
  if (!got)
    return reason::not_understood(op);
  if (s.closed.contains(got->resource))
    return reason::closed_before(got->resource);
  auto users = s.held.find(got->resource);
  if (users == s.held.end()) {
    if (s.held.size() >= most.per_key_max)
      return reason::too_many_resources(most.per_key_max);
    users = s.held.try_emplace(std::string{got->resource}).first;
  }
  if (users->second.size() >= most.holders_max)
    return reason::too_many_holders(got->resource, most.holders_max);
  users->second.emplace(got->lease);
  return {};
}

std::string lease_model::group(const operation& op) const {
  if (op.what == "release")
    return "lease " + op.arg;
  if (op.what == "close")
    return "close " + op.arg + " " + std::to_string(op.invoked);
  auto got = op.end == ending::ok ? grant_of(op) : std::nullopt;
  return got ? "lease " + std::string{got->lease} : std::string{};
}

// -- reasons ------------------------------------------------------------------

namespace reason {

std::string not_understood(const operation& op) {
  return "cannot be judged: " + in_quotes(op.what) + " with the result "
         + in_quotes(op.result);
}

std::string two_ids(std::string_view one, std::string_view other) {
  return "has two ids, " + std::string{one} + " and " + std::string{other};
}

std::string created_by_another(std::string_view creator) {
  return "created twice: it was " + std::string{creator} + " who created it";
}

std::string other_creator(std::string_view row, std::string_view real) {
  return "the row is said to be of " + std::string{row} + ", but it was "
         + std::string{real} + " who created it";
}

std::string existed_but_own() {
  return "existed, although the request created it itself";
}

std::string existed_too_early() {
  return "there before anybody can have created it";
}

std::string none_too_late() {
  return "not there, although it must have been created before";
}

std::string closed_before(std::string_view resource) {
  return "resource " + std::string{resource} + " is lent after its close";
}

std::string closed_twice(std::string_view resource) {
  return "resource " + std::string{resource} + " is closed twice";
}

std::string closed_in_use(std::string_view resource, std::string_view lease) {
  return "resource " + std::string{resource} + " is closed while lease "
         + std::string{lease} + " has it";
}

std::string too_many_holders(std::string_view resource, std::size_t most) {
  return "resource " + std::string{resource}
         + " has more holders than holders_max, which is "
         + std::to_string(most);
}

std::string too_many_resources(std::size_t most) {
  return "more resources are lent than per_key_max, which is "
         + std::to_string(most);
}

std::string not_held(std::string_view lease) {
  return "lease " + std::string{lease} + " is given back, but nobody has it";
}

} // namespace reason

} // namespace steward::testkit
