#pragma once

#include <steward/storage/record_store.hpp>

#include <memory>
#include <utility>

namespace steward {

/// A store that hands everything on to another: to derive from, where one call
/// is to be different.
class forwarding_store : public record_store {
public:
  explicit forwarding_store(std::shared_ptr<record_store> inner)
    : inner_(std::move(inner)) {
  }

  std::vector<record_answer> write(std::span<const record_write> batch,
                                   duration wait_max) override {
    return inner_->write(batch, wait_max);
  }

  std::vector<std::optional<record>> find(std::span<const std::string> names,
                                          duration wait_max) override {
    return inner_->find(names, wait_max);
  }

  record_page read_page(const record_query& what, duration wait_max) override {
    return inner_->read_page(what, wait_max);
  }

  purged_records purge(time_point before, std::size_t rows_max,
                       duration wait_max) override {
    return inner_->purge(before, rows_max, wait_max);
  }

  std::vector<std::string> verify(duration wait_max) override {
    return inner_->verify(wait_max);
  }

  std::int64_t join(const node& x, duration ttl, duration wait_max) override {
    return inner_->join(x, ttl, wait_max);
  }

  bool beat(std::int64_t id, duration ttl, duration wait_max) override {
    return inner_->beat(id, ttl, wait_max);
  }

  void leave(std::int64_t id, duration wait_max) override {
    inner_->leave(id, wait_max);
  }

  std::vector<node> nodes(duration wait_max) override {
    return inner_->nodes(wait_max);
  }

  std::vector<std::int64_t> strays(duration wait_max) override {
    return inner_->strays(wait_max);
  }

  record_page adopt(const adoption& what, duration wait_max) override {
    return inner_->adopt(what, wait_max);
  }

  std::string where() const override {
    return inner_->where();
  }

  std::size_t writers() const override {
    return inner_->writers();
  }

  void on_wait(std::function<void()> fun) override {
    inner_->on_wait(std::move(fun));
  }

protected:
  record_store& inner() {
    return *inner_;
  }

private:
  std::shared_ptr<record_store> inner_;
};

} // namespace steward
