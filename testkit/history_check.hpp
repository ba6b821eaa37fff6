#pragma once

#include <steward/testkit/history.hpp>
#include <steward/testkit/history_models.hpp>
#include <steward/testkit/history_search.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Whether what clients saw can have happened. Each key is judged by itself: if
// all objects are right, all of them together are.

namespace steward::testkit {

/// How a history is judged.
struct check_options {
  /// Of one key. What takes more is undecided, which is not right.
  std::size_t steps_max = 1'000'000;

  /// Search even where a faster check is exact, too.
  bool search_only = false;
};

/// What is wrong with one key, or undecided.
struct finding {
  judgement what = judgement::wrong;
  std::string key;
  std::string why;
  std::vector<operation> evidence; ///< few operations; wrong by themselves
};

/// What is to be thought of a whole history.
struct verdict {
  std::vector<finding> findings; ///< by key; empty if all is right
  std::size_t keys = 0;          ///< how many were judged
  std::size_t operations = 0;    ///< without those that failed

  bool right() const noexcept {
    return findings.empty();
  }

  /// The findings as tables of who did what when; the first few of them.
  std::string text() const;
};

/// Whether all that wanted a record of a name got the same: one id, created
/// once, no two names with one id. Operations as in `get_or_create_model`.
/// Exact, and fast but for finds that say open or closed.
verdict check_get_or_create(std::span<const operation> all,
                            check_options how = {});

/// Whether no more was lent at once than `most` permits, nothing after its
/// close, and only what was lent came back. Operations as in `lease_model`.
/// Exact and fast.
verdict check_leases(std::span<const operation> all, lease_limits most,
                     check_options how = {});

namespace detail {

using operations_by_key = std::map<std::string, std::vector<operation>>;

// Sorts out what had no effect; finds what ended before it began.
operations_by_key sort_out(std::span<const operation> all, verdict& to);

// Nothing if all is right.
std::vector<finding> judge_leases(const std::string& key,
                                  std::span<const operation> all,
                                  lease_limits most);

template <sequential_model Model>
void judge_by_search(const Model& model, const std::string& key,
                     const std::vector<operation>& all,
                     const check_options& how, verdict& to) {
  auto found = search_history(model, all, how.steps_max);
  if (found.what == judgement::right)
    return;
  finding x{found.what, key, std::move(found.why), {}};
  if (found.what == judgement::wrong) {
    x.evidence = shorten_history(model, all, how.steps_max);
    auto shorter = search_history(model, x.evidence, how.steps_max);
    if (shorter.what == judgement::wrong)
      x.why = std::move(shorter.why);
  }
  to.findings.push_back(std::move(x));
}

} // namespace detail

/// The same for any model, by search.
template <sequential_model Model>
verdict check_history(const Model& model, std::span<const operation> all,
                      check_options how = {}) {
  verdict result;
  for (const auto& [key, part] : detail::sort_out(all, result))
    detail::judge_by_search(model, key, part, how, result);
  return result;
}

} // namespace steward::testkit
