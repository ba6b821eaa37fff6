#pragma once

#include <steward/storage/forwarding_store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace steward::testkit {

/// What goes wrong in a store, and when: each is asked once per write, and
/// answers with a code to fail with, or nothing. Null: nothing goes wrong.
struct store_faults {
  using site = std::function<std::optional<store_errc>()>;

  site before_commit = {}; ///< nothing is written, and that is certain
  site after_commit = {};  ///< all is written, and the answer is lost (`io`)
};

/// Lets another store fail. Works over any: SQLite in a file or in memory.
class faulty_store final : public forwarding_store {
public:
  faulty_store(std::unique_ptr<record_store> inner, store_faults faults)
    : forwarding_store(std::move(inner)), faults_(std::move(faults)) {
  }

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override {
    fail_at(faults_.before_commit, "before");
    auto result = inner().write(batch, wait_max);
    fail_at(faults_.after_commit, "after");
    return result;
  }

private:
  static void fail_at(const store_faults::site& where, const char* when) {
    if (!where)
      return;
    if (auto code = where())
      throw store_failure{*code, std::string{"a planted failure "} + when
                                   + " the commit"};
  }

  store_faults faults_;
};

/// One more handle to a store, as two programs have to one database.
class shared_store final : public forwarding_store {
public:
  using forwarding_store::forwarding_store;
};

} // namespace steward::testkit
