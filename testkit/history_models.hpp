#pragma once

#include <steward/testkit/history.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

// What single objects do when one operation follows the other: the measure for
// histories in which they overlap.

namespace steward::testkit {

/// What there is to know about the object of one key. `apply` changes the state
/// as the operation does and says nothing, or says why the operation cannot
/// have ended as it did; an operation in doubt changes it as if it took effect.
template <class Model>
concept sequential_model
  = requires(const Model& m, typename Model::state& s, const operation& op) {
  { m.initial() } -> std::same_as<typename Model::state>;
  { m.apply(s, op) } -> std::same_as<std::string>;
  { s == s } -> std::convertible_to<bool>;
  { s < s } -> std::convertible_to<bool>;
};

// -- a record per name --------------------------------------------------------

/// A register that is created once. Operations, with their results:
///
///   get_or_create NAME TOKEN   created ID [CREATOR] | existed ID [CREATOR]
///   find NAME                  none | found ID [CREATOR] [open|closed]
///   close NAME
///
/// TOKEN names a request: the same on each retry of it, and no other's. CREATOR
/// is the token in the row. `created` means that it is one's own.
struct get_or_create_model {
  struct state {
    bool exists = false;
    bool open = true;
    std::string id; // empty: nobody has said it yet
    std::string creator;

    friend bool operator==(const state&, const state&) = default;
    friend bool operator<(const state& a, const state& b) {
      return std::tie(a.exists, a.open, a.id, a.creator)
             < std::tie(b.exists, b.open, b.id, b.creator);
    }
  };

  /// What an operation that is ok says of the row.
  struct answer {
    enum class kind : unsigned char { created, existed, found, none };

    kind what = kind::none;
    std::string_view id;
    std::string_view creator;
    std::optional<bool> open;
  };

  /// Nothing if the result is none of the above. Lives as long as `op`.
  static std::optional<answer> answer_of(const operation& op);
  static std::optional<answer> answer_of(operation&&) = delete;

  state initial() const {
    return {};
  }

  std::string apply(state& s, const operation& op) const;

  bool reads(const operation& op) const;

  /// What reads may be left out.
  std::string group(const operation& op) const;
};

// -- leases per key -----------------------------------------------------------

/// How much there is to lend of one key.
struct lease_limits {
  std::size_t per_key_max = 1;
  std::size_t holders_max = 1; ///< leases of one resource at once
};

/// Resources that are lent. Operations, with their results:
///
///   acquire KEY            RESOURCE LEASE
///   release KEY LEASE
///   close KEY RESOURCE
///
/// LEASE is a name that no other lease has. A close is that of the opener: the
/// resource is not in use then, and never after.
struct lease_model {
  struct state {
    std::map<std::string, std::set<std::string>, std::less<>> held;
    std::set<std::string, std::less<>> closed;

    friend bool operator==(const state&, const state&) = default;
    friend bool operator<(const state& a, const state& b) {
      return std::tie(a.held, a.closed) < std::tie(b.held, b.closed);
    }
  };

  struct grant {
    std::string_view resource;
    std::string_view lease;
  };

  /// Nothing if the result of an acquire is not as above. Lives as long as
  /// `op`.
  static std::optional<grant> grant_of(const operation& op);
  static std::optional<grant> grant_of(operation&&) = delete;

  state initial() const {
    return {};
  }

  std::string apply(state& s, const operation& op) const;

  /// A lease may be left out with its release, and so may a close.
  std::string group(const operation& op) const;

  lease_limits most;
};

// -- reasons ------------------------------------------------------------------

// The words of models and of the faster checks, which must not differ.
namespace reason {

std::string not_understood(const operation& op);
std::string two_ids(std::string_view one, std::string_view other);
std::string created_by_another(std::string_view creator);
std::string other_creator(std::string_view row, std::string_view real);
std::string existed_but_own();
std::string existed_too_early();
std::string none_too_late();
std::string closed_before(std::string_view resource);
std::string closed_twice(std::string_view resource);
std::string closed_in_use(std::string_view resource, std::string_view lease);
std::string too_many_holders(std::string_view resource, std::size_t most);
std::string too_many_resources(std::size_t most);
std::string not_held(std::string_view lease);

} // namespace reason

} // namespace steward::testkit
