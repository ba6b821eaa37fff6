#pragma once

#include <steward/core/hold.hpp>
#include <steward/core/supervision.hpp>
#include <steward/tests/stepper/truth.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace stepper {

using steward::slot;

/// What all supervisors of a program share.
struct acting_pool {
  explicit acting_pool(steward::pool_options o)
    : options(std::move(o)),
      budget(options.total_max), terms{&time, options.holders_max, false} {
  }

  steward::pool_options options;
  still_time time;
  steward::permits budget;
  steward::lending_terms terms;
  std::atomic<std::uint64_t> opened_seq{0};
  ghost<std::size_t> live; ///< opening, open and closing, of all keys
};

/// Decides as the supervisor actor does, by the real `supervision`, and does
/// what that says. Opens and closes are under way until a message ends them.
class acting_supervisor {
public:
  acting_supervisor(run& r, acting_pool& pool) : run_(r), pool_(pool) {
  }

  /// From now on it is the supervisor of `place`. First of all.
  void begin(steward::shelf& place) {
    core_.emplace(place, pool_.options, pool_.budget, pool_.opened_seq,
                  steward::cleanup_grid{noon, pool_.options.tick}, noon);
    live_.change() = core_->live();
  }

  virtual ~acting_supervisor() = default;

  /// It is none any more.
  void end() {
    core_.reset();
  }

  void on_acquire(steward::request_id id, std::string_view params) {
    core_->acquire(id, params, steward::never, noon, out_);
    carry_out();
  }

  void on_released(slot& s, bool healthy) {
    steward::hold what{&s};
    if (what.revoked()) // it drops itself
      return;
    core_->released(*what.release(), healthy, noon, out_);
    carry_out();
  }

  /// An open came to its end.
  void on_opened(slot& s) {
    things_.push_back(std::make_unique<thing>(pool_.options.holders_max));
    name_slot(run_, s, "slot " + std::to_string(things_.size()));
    core_->opened(s, things_.back().get(), noon, out_);
    carry_out();
  }

  /// A close came to its end.
  void on_closed(slot& s, bool revoked) {
    of(s).close();
    --live_.change();
    --pool_.live.change();
    core_->closed(s, revoked, noon, out_);
    carry_out();
  }

  /// A close came to its end that others had begun while nobody supervised.
  void on_closed_elsewhere(slot& s) {
    --live_.change();
    core_->closed(s, false, noon, out_);
    carry_out();
  }

  /// Time has come for whatever can come due.
  void on_tick(steward::time_point now) {
    core_->tick(now, out_);
    carry_out();
  }

  void on_drain() {
    core_->drain(noon, out_);
    carry_out();
  }

  void on_evict() {
    core_->evict(noon, out_);
    carry_out();
  }

  /// The end of patience.
  void on_force() {
    core_->force(
      [this](slot& s) {
        of(s).revoke();
        ++kept_.change();
        return std::shared_ptr<void>{&s, [this](void*) { --kept_.change(); }};
      },
      noon, out_);
    carry_out();
  }

  /// How many resources are kept for who had them when they were revoked.
  std::size_t revoked_left() const {
    return kept_.get();
  }

  steward::supervision& core() {
    return *core_;
  }

  steward::effects& out() {
    return out_;
  }

  void carry_out() {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      auto next = out_[i]; // by value: acting may add to `out_`
      std::visit([this](const auto& x) { act(x); }, next);
    }
    out_.clear();
    must(core_->live() == live_.get(), "it knows what it has");
  }

  static thing& of(const slot& s) {
    auto* result = static_cast<thing*>(s.resource());
    must(result != nullptr, "I3: no use after close");
    return *result;
  }

protected:
  /// Tells who asked: held for it, or null.
  virtual void tell(steward::request_id to, slot* what) = 0;

  /// `on_opened` shall be called for it, some time.
  virtual void start_open(slot& s) = 0;

  /// `on_closed` shall be called for it, some time.
  virtual void start_close(slot& s, bool revoked) = 0;

  virtual void ask_permit() {
    must(false, "without total_max nobody speaks of permits");
  }

  virtual void return_permit() {
    ask_permit();
  }

  virtual void report_opened(slot&) {
  }

  virtual void report_idle(std::uint64_t) {
  }

  virtual void report_closed(std::uint64_t) {
  }

  virtual void passivate() = 0;

private:
  void act(const steward::effect::answer& x) {
    tell(x.to, x.place);
  }

  void act(const steward::effect::reject& x) {
    reached(steward::to_string(x.why));
    tell(x.to, nullptr);
  }

  void act(const steward::effect::open_resource& x) {
    must(++live_.change() <= pool_.options.per_key_max, "I1");
    must(++pool_.live.change() <= pool_.options.total_max, "I2");
    start_open(*x.place);
  }

  void act(const steward::effect::close_resource& x) {
    reached(steward::to_string(x.why));
    start_close(*x.place, x.revoked);
  }

  void act(const steward::effect::ask_permit&) {
    ask_permit();
  }

  void act(const steward::effect::return_permit&) {
    return_permit();
  }

  void act(const steward::effect::report_opened& x) {
    report_opened(*x.place);
  }

  void act(const steward::effect::report_idle& x) {
    report_idle(x.id);
  }

  void act(const steward::effect::report_closed& x) {
    report_closed(x.id);
  }

  void act(const steward::effect::passivate&) {
    passivate();
  }

  run& run_;
  acting_pool& pool_;
  std::optional<steward::supervision> core_;
  steward::effects out_;
  std::vector<std::unique_ptr<thing>> things_;
  ghost<std::size_t> live_;
  ghost<std::size_t> kept_;
};

} // namespace stepper
