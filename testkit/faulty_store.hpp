#pragma once

#include <steward/storage/record_store.hpp>

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
class faulty_store final : public record_store {
public:
  faulty_store(std::unique_ptr<record_store> inner, store_faults faults)
    : inner_(std::move(inner)), faults_(std::move(faults)) {
  }

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override {
    fail_at(faults_.before_commit, "before");
    auto result = inner_->write(batch, wait_max);
    fail_at(faults_.after_commit, "after");
    return result;
  }

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override {
    return inner_->find(names, wait_max);
  }

  std::vector<record> list(const std::string& owner,
                           duration wait_max) override {
    return inner_->list(owner, wait_max);
  }

  std::string where() const override {
    return inner_->where();
  }

private:
  static void fail_at(const store_faults::site& where, const char* when) {
    if (!where)
      return;
    if (auto code = where())
      throw store_failure{*code, std::string{"a planted failure "} + when
                                   + " the commit"};
  }

  std::unique_ptr<record_store> inner_;
  store_faults faults_;
};

/// One more handle to a store, as two programs have to one database.
class shared_store final : public record_store {
public:
  explicit shared_store(std::shared_ptr<record_store> all)
    : all_(std::move(all)) {
  }

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override {
    return all_->write(batch, wait_max);
  }

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override {
    return all_->find(names, wait_max);
  }

  std::vector<record> list(const std::string& owner,
                           duration wait_max) override {
    return all_->list(owner, wait_max);
  }

  std::string where() const override {
    return all_->where();
  }

private:
  std::shared_ptr<record_store> all_;
};

} // namespace steward::testkit
