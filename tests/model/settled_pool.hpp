#pragma once

// A pool that comes to rest after each command, so that all there is to be seen
// can be told beforehand.

#include <steward/tests/model/pool_model.hpp>
#include <steward/tests/model/real_pool.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace modelled {

class settled_pool final : witness {
public:
  explicit settled_pool(const setup& how,
                        const testkit::schedule::options& order = {})
    : tick_(how.pool.tick), script_(make_script()),
      pool_(how, order, script_, *this) {
  }

  /// Does it, comes to rest, and says what there is to be seen. `before` knows
  /// how long a symbolic time is.
  observation perform(const any_command& x, const pool_model& before) {
    seen_ = {};
    one_key_ = is_of_one_key(x);
    std::visit([&](const auto& y) { act(y, before); }, x);
    pool_.sim().settle();
    seen_.stats = pool_.stats();
    seen_.sort();
    return std::exchange(seen_, {});
  }

  /// Ends everything. Throws `failure` if anything is left. // I11
  void finish() {
    while (pool_.jobs().size() > 0) {
      pool_.jobs().end(0);
      pool_.sim().settle();
    }
    if (!pool_.drained())
      pool_.drain(0s);
    // A message that the clock sent itself for its next tick cannot be taken
    // back.
    pool_.sim().run_for(tick_);
    pool_.sim().expect_quiescent();
  }

  std::size_t asleep() const {
    return pool_.drained() ? 0 : pool_.asleep();
  }

  /// For tests of the tests: to be spoiled.
  opener_script& script() noexcept {
    return *script_;
  }

private:
  std::shared_ptr<opener_script> make_script() {
    auto result = std::make_shared<opener_script>();
    result->opening = [this](const open_request& x) {
      seen_.lines.push_back(opening_text(x.id, x.key, x.params));
    };
    result->fails = [this](const open_request&) {
      if (failing_ == 0)
        return false;
      --failing_;
      return true;
    };
    result->closing = [this](const thing& x, close_reason why) {
      seen_.closed.push_back({pool_.sim().now(), x.id, why});
    };
    result->healthy = [this](const thing& x) { return !pool_.is_broken(x.id); };
    return result;
  }

  void act(const command::acquire& x, const pool_model&) {
    pool_.acquire(x);
  }

  void act(const command::give_back& x, const pool_model&) {
    if (x.which >= pool_.leases_of(x.who).size())
      throw failure("a lease is missing", "nothing to give back");
    pool_.give_back(x);
  }

  void act(const command::give_back_wrongly& x, const pool_model&) {
    pool_.give_back_wrongly(x);
  }

  void act(const command::die& x, const pool_model&) {
    pool_.die(x);
  }

  void act(const command::evict& x, const pool_model&) {
    pool_.evict(x);
  }

  void act(const command::pass& x, const pool_model&) {
    pool_.sim().run_for(x.how_long);
  }

  void act(const command::pass_until_due& x, const pool_model& before) {
    pool_.sim().run_for(before.length_of(x));
  }

  void act(command::fail_next_open, const pool_model&) {
    ++failing_;
  }

  void act(const command::end_open& x, const pool_model&) {
    if (x.which >= pool_.jobs().size())
      throw failure("an open is missing", "no such open is under way");
    failing_ = x.well ? 0 : 1;
    pool_.jobs().end(x.which);
  }

  void act(const command::drain& x, const pool_model&) {
    auto report = pool_.drain(x.patience);
    seen_.lines.push_back("revoked " + std::to_string(report.revoked));
    if (report.abandoned + report.stuck + report.unwritten > 0)
      throw failure("I11", "a drain left something behind");
  }

  void act(command::go_on, const pool_model&) {
    // All is done already.
  }

  void act(const command::sleep&, const pool_model&) {
    // What then is left out depends on when the clock last woke.
  }

  // -- what happens -----------------------------------------------------------

  void on_asked(unsigned, const command::acquire&) override {
    // The model counts, too.
  }

  void on_granted(unsigned, const held& what) override {
    seen_.answer(what.request, granted_text(what.id, what.fresh));
  }

  void on_refused(unsigned, unsigned request, const caf::error& why) override {
    auto code = code_of(why);
    auto figures = rejection_of(why);
    seen_.answer(request, !code     ? describe(why)
                          : figures ? refused_text(*code, *figures, one_key_)
                                    : refused_at_the_door(*code));
  }

  void on_back(unsigned, const held&) override {
    // Seen in what it leads to.
  }

  void on_evicting(const caf::expected<evicting>& what) override {
    seen_.evicting(what ? "evicting " + std::to_string(what->resources)
                        : describe(what.error()));
  }

  observation seen_;
  bool one_key_ = true; // what is done is done to one
  unsigned failing_ = 0;
  duration tick_;
  std::shared_ptr<opener_script> script_;
  real_pool pool_;
};

} // namespace modelled
