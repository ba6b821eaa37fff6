#include <steward/testkit/simulated.hpp>

#include <steward/storage/sqlite_store.hpp>

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

namespace steward::testkit {

namespace {

// What an opener said of the job that runs now.
struct job_terms {
  duration takes{0};
  std::vector<std::function<void()>> at_end;
};

// Null outside of a simulated worker.
thread_local job_terms* current_job = nullptr;

// The end of a job, which comes in any case: a worker that is let go finishes
// when nobody listens any more.
class job_end {
public:
  job_end(std::function<void()> report,
          std::vector<std::function<void()>> at_end)
    : report_(std::move(report)), at_end_(std::move(at_end)) {
  }

  job_end(const job_end&) = delete;
  job_end& operator=(const job_end&) = delete;

  ~job_end() {
    end();
  }

  void tell() {
    end();
    std::exchange(report_, nullptr)();
  }

private:
  void end() {
    for (auto& f : std::exchange(at_end_, {}))
      f();
  }

  std::function<void()> report_;
  std::vector<std::function<void()>> at_end_;
};

struct work_now {};

struct job_over {
  std::shared_ptr<job_end> end;
};

} // namespace

} // namespace steward::testkit

STEWARD_MESSAGE(steward::testkit::work_now)
STEWARD_MESSAGE(steward::testkit::job_over)

namespace steward::testkit {

namespace {

// The jobs that wait, and the workers that wait for jobs.
struct shop {
  std::deque<job> queue;
  std::vector<caf::actor> idle;
  std::size_t busy = 0;
  bool stopping = false;
  std::function<duration()> slower;

  void wake_one() {
    if (queue.empty() || idle.empty())
      return;
    cafx::send_anon(idle.back(), work_now{});
    idle.pop_back();
    ++busy;
  }
};

class worker_state {
public:
  using self_pointer = caf::stateful_actor<worker_state>*;

  explicit worker_state(self_pointer self) : self_(self) {
  }

  static constexpr const char* name = "opener_worker";

  caf::behavior make_behavior(std::shared_ptr<shop> where) {
    shop_ = std::move(where);
    return {
      [this](work_now) { work(); },
      [this](job_over& m) {
        auto end = std::move(m.end);
        end->tell();
        next();
      },
    };
  }

private:
  // The user's code runs here and now; that it took time shows in when its end
  // is reported.
  void work() {
    if (shop_->queue.empty()) // dropped meanwhile
      return next();
    auto mine = std::move(shop_->queue.front());
    shop_->queue.pop_front();
    job_terms terms;
    if (shop_->slower)
      terms.takes = shop_->slower();
    current_job = &terms;
    auto report = mine.work();
    current_job = nullptr;
    job_over over{
      std::make_shared<job_end>(std::move(report), std::move(terms.at_end))};
    if (terms.takes > duration::zero())
      cafx::send_later(self_, terms.takes, std::move(over));
    else
      cafx::send(self_, self_, std::move(over));
  }

  void next() {
    if (!shop_->queue.empty())
      return cafx::send(self_, self_, work_now{});
    --shop_->busy;
    shop_->idle.push_back(self_);
  }

  self_pointer self_;
  std::shared_ptr<shop> shop_;
};

caf::behavior worker(caf::stateful_actor<worker_state>* self,
                     std::shared_ptr<shop> where) {
  return cafx::state(self).make_behavior(std::move(where));
}

class simulated_workers final : public job_runner {
public:
  simulated_workers(sim& where, std::size_t count,
                    std::function<duration()> slower)
    : sim_(where), shop_(std::make_shared<shop>()) {
    shop_->slower = std::move(slower);
    for (std::size_t i = 0; i < count; ++i)
      workers_.push_back(where.system().spawn<caf::lazy_init>(worker, shop_));
    shop_->idle.assign(workers_.rbegin(), workers_.rend());
  }

  ~simulated_workers() override {
    end();
  }

  void run(job what) override {
    if (shop_->stopping)
      return;
    shop_->queue.push_back(std::move(what));
    shop_->wake_one();
  }

  std::size_t stop(std::chrono::nanoseconds patience) override {
    shop_->stopping = true;
    std::erase_if(shop_->queue, [](const job& x) { return !x.must_run; });
    sim_.run_until([this] { return shop_->busy == 0; }, patience);
    auto stuck = shop_->busy;
    // As the machine does: closes are run, if need be beside those stuck.
    for (auto& x : std::exchange(shop_->queue, {}))
      x.work()();
    end();
    return stuck;
  }

private:
  void end() {
    for (auto& x : workers_)
      sim_.kill(x);
    workers_.clear();
    shop_->idle.clear();
  }

  sim& sim_;
  std::shared_ptr<shop> shop_;
  std::vector<caf::actor> workers_;
};

// Instead of blocking, the simulation runs.
class simulated_waiting final : public waiting {
public:
  explicit simulated_waiting(sim& where) : sim_(where) {
  }

  bool wait(const attempt& come, std::chrono::nanoseconds patience) override {
    return sim_.run_until([&] { return come(std::chrono::nanoseconds{0}); },
                          patience);
  }

private:
  sim& sim_;
};

} // namespace

surroundings simulated(sim& where, simulated_options options) {
  surroundings result;
  result.time = where.time();
  result.make_runner
    = [&where, slower = std::move(options.slower)](std::size_t workers) {
        return std::make_shared<simulated_workers>(where, workers, slower);
      };
  result.waits = std::make_shared<simulated_waiting>(where);
  result.open_store = std::move(options.open_store);
  if (!result.open_store)
    result.open_store = [](const std::string&, duration) {
      return sqlite_store::in_memory();
    };
  auto random = std::make_shared<random_stream>(options.seed, "runtime");
  result.random = [random] { return (*random)(); };
  result.records_thread = run_on::shared_threads;
  return result;
}

void take_time(duration d) {
  if (current_job != nullptr)
    current_job->takes += d;
  else
    std::this_thread::sleep_for(d);
}

void when_time_is_over(std::function<void()> f) {
  if (current_job != nullptr)
    current_job->at_end.push_back(std::move(f));
  else
    f();
}

} // namespace steward::testkit
