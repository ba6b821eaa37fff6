#include <steward/testkit/trace.hpp>

#include <steward/core/one_line.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/budget.hpp>
#include <steward/messages/errors.hpp>
#include <steward/messages/open.hpp>
#include <steward/messages/records.hpp>
#include <steward/messages/tick.hpp>
#include <steward/testkit/internal/thrown.hpp>
#include <steward/testkit/random_stream.hpp>

#include <cxxabi.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace steward::testkit {

namespace {

using tellers = std::unordered_map<std::type_index, trace::teller>;

template <class T, class F>
void add(tellers& to, F f) {
  to.emplace(typeid(T),
             [f](const void* x) { return f(*static_cast<const T*>(x)); });
}

std::string quoted(const std::string& name, const std::string& text) {
  return " " + name + "=\"" + text + "\"";
}

// What steward's own messages say.
const tellers& own_tellers() {
  static const tellers result = [] {
    tellers t;
    add<acquire>(t, [](const acquire& m) {
      return "acquire" + quoted("key", m.key) + quoted("params", m.params);
    });
    add<granted>(t, [](const granted& m) {
      return "granted" + quoted("key", m.lease.key) + " ticket="
             + std::to_string(m.lease.ticket) + (m.fresh ? " fresh" : "");
    });
    add<release>(t, [](const release& m) {
      return "release" + quoted("key", m.lease.key) + " ticket="
             + std::to_string(m.lease.ticket) + (m.healthy ? "" : " unhealthy");
    });
    add<granted_hold>(t, [](const granted_hold& m) {
      return m.what != nullptr && *m.what
               ? "granted_hold id=" + std::to_string(m.what->place()->id())
               : std::string{"granted_hold (taken)"};
    });
    add<released>(t, [](const released& m) {
      return m.what != nullptr && *m.what
               ? "released id=" + std::to_string(m.what->place()->id())
               : std::string{"released (taken)"};
    });
    add<opened>(t, [](const opened& m) {
      return "opened id=" + std::to_string(m.place->id())
             + (m.resource != nullptr ? "" : quoted("error", m.error));
    });
    add<closed>(t, [](const closed& m) {
      return "closed id=" + std::to_string(m.place->id())
             + " reason=" + std::string{to_string(m.why)};
    });
    add<give_up>(t, [](const give_up& m) {
      return "give_up id=" + std::to_string(m.id);
    });
    add<cleanup_tick>(t, [](const cleanup_tick& m) {
      return "cleanup_tick seq=" + std::to_string(m.seq);
    });
    add<get_or_create>(t, [](const get_or_create& m) {
      return "get_or_create" + quoted("name", m.draft.name);
    });
    return t;
  }();
  return result;
}

std::string demangled(const char* name) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> text{
    abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free};
  return status == 0 ? text.get() : name;
}

} // namespace

trace::trace() = default;

void trace::describe(std::type_index type, teller how) {
  tellers_.insert_or_assign(type, std::move(how));
}

void trace::call(std::uint64_t id, std::string name) {
  names_.insert_or_assign(id, testkit::shown(name));
}

const std::string* trace::called(std::uint64_t id) const {
  auto i = names_.find(id);
  return i != names_.end() ? &i->second : nullptr;
}

std::string trace::name_of(std::uint64_t id, const char* name) const {
  const auto* own = called(id);
  return own != nullptr ? *own : name + ("#" + std::to_string(id));
}

const trace::teller* trace::teller_of(const cafx::content& what,
                                      std::size_t i) const {
  auto* type = what.type(i).second;
  if (type == nullptr) // one of CAF's own
    return nullptr;
  for (const auto* all : {&tellers_, &own_tellers()})
    if (auto found = all->find(*type); found != all->end())
      return &found->second;
  return nullptr;
}

std::string trace::text_of(const cafx::content& what, std::size_t i) const {
  if (const auto* tell = teller_of(what, i))
    return (*tell)(what.get(i));
  if (what.match_element<caf::error>(i)) // has no type that CAF tells
    return "error \"" + steward::describe(what.get_as<caf::error>(i)) + "\"";
  auto text = what.stringify(i);
  auto* type = what.type(i).second;
  if (type != nullptr && text.find("unprintable") != std::string::npos)
    return short_type_name(*type);
  return text;
}

// What a description throws is no fault of whoever is described.
std::string trace::text_or_why_not(const cafx::content& what,
                                   std::size_t i) const {
  auto* type = what.type(i).second;
  auto name = type == nullptr ? "a message" : short_type_name(*type);
  try {
    return text_of(what, i);
  } catch (...) {
    return name + ", whose description throws "
           + text_of_exception(std::current_exception());
  }
}

std::string trace::text_of(const cafx::content& what) const {
  if (what.empty())
    return "an empty message";
  std::string result;
  for (std::size_t i = 0; i < what.size(); ++i)
    result += (i == 0 ? "" : ", ") + text_or_why_not(what, i);
  // What has a type of its own says what it is.
  auto says_itself = what.type(0).second != nullptr
                     || what.match_element<caf::error>(0);
  return what.size() == 1 && says_itself ? result : "(" + result + ")";
}

std::string trace::shown(const cafx::content& what) const {
  return testkit::shown(text_of(what));
}

std::string shown(std::string_view text, std::size_t max) {
  auto length = text.size();
  if (length > max) {
    length = max;
    // Not in the middle of a character.
    while (length > 0 && (static_cast<unsigned char>(text[length]) >> 6) == 2)
      --length;
  }
  auto result = one_line(text.substr(0, length));
  if (length < text.size())
    result += "... (" + std::to_string(text.size()) + " bytes)";
  return result;
}

std::uint64_t type_digest(const cafx::content& what) {
  std::uint64_t result = what.size();
  for (std::size_t i = 0; i < what.size(); ++i) {
    auto [number, type] = what.type(i);
    result = result * 31
             + (type == nullptr ? number : random_stream::fold(type->name()));
  }
  return result;
}

namespace {

bool in_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Where the arguments end that begin at `first`.
std::size_t end_of_arguments(std::string_view text, std::size_t first) {
  int depth = 0;
  for (auto i = first; i < text.size(); ++i) {
    depth += text[i] == '<' ? 1 : text[i] == '>' ? -1 : 0;
    if (depth == 0)
      return i + 1;
  }
  return text.size();
}

// `a::b<c::d, (anonymous namespace)::e>` becomes `b<d, e>`.
std::string without_namespaces(std::string_view text) {
  constexpr std::string_view nameless = "(anonymous namespace)";
  std::string result;
  std::size_t name = 0; // where the last one begins in `result`
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with(nameless)) {
      i += nameless.size() - 1;
      name = result.size();
    } else if (text.substr(i).starts_with("::")) {
      result.resize(name);
      ++i;
    } else {
      if (!in_a_name(text[i]) || result.empty() || !in_a_name(result.back()))
        name = result.size() + (in_a_name(text[i]) ? 0 : 1);
      result += text[i];
    }
  }
  return result;
}

// Nobody writes what the standard library adds by itself.
std::string without_defaults(std::string text) {
  for (std::string_view added : {", char_traits<", ", allocator<", ", less<",
                                 ", hash<", ", equal_to<", ", default_delete<"})
    for (std::size_t i = 0; (i = text.find(added, i)) != std::string::npos;)
      text.erase(i, end_of_arguments(text, i + added.size() - 1) - i);
  for (std::size_t i = 0; (i = text.find(" >", i)) != std::string::npos;)
    text.erase(i, 1);
  constexpr std::string_view plain = "basic_string<char>";
  for (std::size_t i = 0; (i = text.find(plain, i)) != std::string::npos;)
    text.replace(i, plain.size(), "string");
  return text;
}

} // namespace

std::string short_type_name(const std::type_info& type) {
  return without_defaults(without_namespaces(demangled(type.name())));
}

} // namespace steward::testkit
