#pragma once

#include <steward/apps/bench/key_sources.hpp>
#include <steward/apps/bench/machine.hpp>
#include <steward/apps/bench/pacer.hpp>
#include <steward/apps/bench/stage.hpp>
#include <steward/apps/bench/subject.hpp>
#include <steward/apps/bench/thread_crew.hpp>
#include <steward/messages/caf.hpp>

#include <cstdint>
#include <latch>
#include <memory>
#include <utility>
#include <vector>

namespace steward::bench {

/// Tells a client to go on with its work.
struct go_on {};

} // namespace steward::bench

STEWARD_MESSAGE(steward::bench::go_on)

namespace steward::bench {

/// One client that is an actor. It has one operation under way at a time, and
/// lets others have the worker after a while, as an actor should.
template <actor_subject S, class Source>
class actor_client {
public:
  actor_client(S& what, Source source, pacer pace, std::uint64_t quota,
               const stage& when, client_log& log, std::latch& done)
    : what_(what), source_(std::move(source)), pace_(pace), left_(quota),
      when_(when), log_(log), done_(done) {
  }

  /// What the actor does that is spawned for `own`.
  static caf::behavior body(caf::event_based_actor* self,
                            const std::shared_ptr<actor_client>& own) {
    cafx::drop_unknown(self);
    own->self_ = self;
    return {[own](const go_on&) { own->turn(); }};
  }

  /// Works until something does not come at once.
  void turn() {
    constexpr int operations_of_turn = 64;
    for (int i = 0; i < operations_of_turn; ++i) {
      seen_ = when_.now();
      if (seen_ == phase::over || left_ == 0)
        return end();
      if (seen_ == phase::hold || !is_due())
        break;
      if (!begin())
        return; // `answered` goes on
    }
    cafx::send(self_, self_, go_on{});
  }

private:
  bool is_due() {
    return seen_ != phase::time || !pace_.has_pace()
           || clock_ns() >= pace_.due();
  }

  // Whether the operation has ended.
  bool begin() {
    if (!again_) {
      began_in_ = seen_;
      choice_ = source_();
      if (seen_ == phase::time)
        start_ = pace_.has_pace() ? pace_.due() : clock_ns();
    }
    inside_ = true;
    ended_ = false;
    what_.borrow(
      self_, choice_.key.view(), choice_.params,
      [this](auto lease) {
        auto worth = worth_of(source_);
        { auto gives_back = std::move(lease); }
        granted(worth);
      },
      [this] { refused(); });
    inside_ = false;
    return ended_ && !again_;
  }

  void granted(std::uint64_t worth) {
    --left_;
    again_ = false;
    if (began_in_ == phase::time) {
      log_.times.add(clock_ns() - start_);
      pace_.next();
    }
    log_.ended(began_in_, worth);
    ended_ = true;
    if (!inside_)
      turn();
  }

  void refused() {
    ++log_.refused;
    again_ = true;
    ended_ = true;
    cafx::send(self_, self_, go_on{});
  }

  void end() {
    pace_.charge(log_.times);
    self_->quit();
    done_.count_down();
  }

  caf::event_based_actor* self_ = nullptr;
  S& what_;
  Source source_;
  pacer pace_;
  std::uint64_t left_;
  const stage& when_;
  client_log& log_;
  std::latch& done_;
  phase seen_ = phase::hold;
  phase began_in_ = phase::hold; // the operation that is under way
  choice choice_{key_text{0}};
  std::uint64_t start_ = 0;
  bool inside_ = false;
  bool ended_ = false;
  bool again_ = false;
};

/// The clients of a run as actors of the subject's system.
template <actor_subject S, class Source>
class actor_crew {
public:
  actor_crew(S& what, const run_options& run, std::vector<Source> sources,
             stage& when, std::vector<client_log>& logs)
    : done_(static_cast<std::ptrdiff_t>(sources.size())) {
    using client = actor_client<S, Source>;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      auto own = std::make_shared<client>(what, std::move(sources[i]),
                                          pacer{run.pace, i, sources.size()},
                                          quota_of(run, i), when, logs[i],
                                          done_);
      start_.push_back(what.system().spawn(client::body, own));
    }
    for (const auto& one : start_)
      cafx::send_anon(one, go_on{});
  }

  actor_crew(const actor_crew&) = delete;
  actor_crew& operator=(const actor_crew&) = delete;

  ~actor_crew() {
    join();
  }

  void join() {
    done_.wait();
    start_.clear();
  }

private:
  std::latch done_;
  std::vector<caf::actor> start_;
};

} // namespace steward::bench
