#include <steward/runtime/config.hpp>

#include <steward/core/duration_text.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

namespace {

// -- what a value may look like -----------------------------------------------

bool read(const caf::config_value& v, std::size_t& to) {
  if (auto* n = caf::get_if<std::int64_t>(&v); n != nullptr && *n >= 0) {
    to = static_cast<std::size_t>(*n);
    return true;
  }
  auto* text = caf::get_if<std::string>(&v);
  if (text == nullptr || *text != "unlimited")
    return false;
  to = unlimited;
  return true;
}

bool read(const caf::config_value& v, duration& to) {
  if (auto* d = caf::get_if<caf::timespan>(&v)) {
    to = *d;
    return true;
  }
  auto* text = caf::get_if<std::string>(&v);
  if (text == nullptr)
    return false;
  if (*text == "off") {
    to = off;
    return true;
  }
  auto parsed = parse_duration(*text);
  if (parsed)
    to = *parsed;
  return parsed.has_value();
}

bool read(const caf::config_value& v, full_policy& to) {
  auto* text = caf::get_if<std::string>(&v);
  if (text == nullptr)
    return false;
  for (auto policy : {full_policy::evict_idle, full_policy::reject}) {
    if (*text == to_string(policy)) {
      to = policy;
      return true;
    }
  }
  return false;
}

bool read(const caf::config_value& v, bool& to) {
  auto* b = caf::get_if<bool>(&v);
  if (b != nullptr)
    to = *b;
  return b != nullptr;
}

constexpr std::string_view count_form = "a whole number, or \"unlimited\"";
constexpr std::string_view duration_form
  = "a duration such as 90s or \"1h\", or \"off\"";

// -- the options --------------------------------------------------------------

struct entry {
  std::string_view name;
  std::string_view description;
  std::string_view form;
  bool (*apply)(const caf::config_value&, pool_options&);
};

template <auto Member>
bool apply(const caf::config_value& v, pool_options& to) {
  return read(v, to.*Member);
}

constexpr std::array entries = {
  entry{"per-key-max", "most resources of one key", count_form,
        &apply<&pool_options::per_key_max>},
  entry{"total-max", "most resources of all keys", count_form,
        &apply<&pool_options::total_max>},
  entry{"holders-max", "how many leases share one resource", count_form,
        &apply<&pool_options::holders_max>},
  entry{"idle-timeout", "close what nobody used for so long", duration_form,
        &apply<&pool_options::idle_timeout>},
  entry{"max-lifetime", "close what is so old and not in use", duration_form,
        &apply<&pool_options::max_lifetime>},
  entry{"tick", "the grid on which cleanup happens", duration_form,
        &apply<&pool_options::tick>},
  entry{"linger", "how long an empty key keeps its supervisor", duration_form,
        &apply<&pool_options::linger>},
  entry{"awake-max", "how many supervisors stay awake for nothing", count_form,
        &apply<&pool_options::awake_max>},
  entry{"open-timeout", "how long opening may take", duration_form,
        &apply<&pool_options::open_timeout>},
  entry{"when-full", "evict_idle or reject", "\"evict_idle\" or \"reject\"",
        &apply<&pool_options::when_full>},
  entry{"waiters-max", "how many requests of one key wait for a holder",
        count_form, &apply<&pool_options::waiters_max>},
  entry{"recorded", "whether each resource gets a record", "true or false",
        &apply<&pool_options::recorded>},
};

caf::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

const entry* find_entry(std::string_view name) {
  for (const auto& x : entries)
    if (x.name == name)
      return &x;
  return nullptr;
}

std::string names() {
  std::string result;
  for (const auto& x : entries) {
    result += result.empty() ? "" : ", ";
    result += x.name;
  }
  return result;
}

void overlay(const caf::settings& from, const std::string& path,
             pool_options& to, std::vector<std::string>& errors) {
  for (const auto& [name, value] : from) {
    if (path == "steward" && name == "pools")
      continue;
    const auto* known = find_entry(name);
    if (known == nullptr)
      errors.push_back(path + "." + name + " is no option; there are "
                       + names());
    else if (!known->apply(value, to))
      errors.push_back(path + "." + name + " is " + caf::to_string(value)
                       + "; allowed: " + std::string{known->form});
  }
}

// What is in the braces behind `name`; null if there is nothing.
const caf::settings* section(const caf::settings& in, const std::string& path,
                             const std::string& name,
                             std::vector<std::string>& errors) {
  auto i = in.find(name);
  if (i == in.end())
    return nullptr;
  const auto* result = caf::get_if<caf::settings>(&i->second);
  if (result == nullptr)
    errors.push_back(path + name + " is " + caf::to_string(i->second)
                     + "; allowed: { options }");
  return result;
}

} // namespace

void configure(caf::actor_system_config& cfg) {
  cafx::tune(cfg);
}

config::config() {
  configure(*this);
  for (const auto& x : entries)
    cafx::add_option(custom_options_, "steward", view(x.name),
                     view(x.description));
}

pool_options overlaid(pool_options options,
                      const caf::actor_system_config& cfg) {
  std::vector<std::string> errors;
  if (const auto* all = section(caf::content(cfg), "", "steward", errors)) {
    overlay(*all, "steward", options, errors);
    const auto* pools = section(*all, "steward.", "pools", errors);
    const auto* own = pools == nullptr ? nullptr
                                       : section(*pools, "steward.pools.",
                                                 options.name, errors);
    if (own != nullptr)
      overlay(*own, "steward.pools." + options.name, options, errors);
  }
  if (errors.empty())
    return options;
  std::string text;
  for (const auto& line : errors)
    text += (text.empty() ? "" : "\n") + line;
  throw invalid_options(text);
}

} // namespace steward
