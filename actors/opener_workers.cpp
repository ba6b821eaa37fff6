#include <steward/actors/opener_workers.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>

namespace steward {

struct opener_workers::shared_state {
  std::mutex guard;
  std::condition_variable changed;
  std::deque<job> queue;
  std::size_t running = 0; // threads that have not ended
  bool stopping = false;
  // Set when a stuck worker is let go: actors may be gone when it returns, so
  // nothing may be sent any more.
  bool given_up = false;
};

opener_workers::opener_workers(std::size_t count)
  : shared_(std::make_shared<shared_state>()) {
  shared_->running = count;
  for (std::size_t i = 0; i < count; ++i)
    threads_.emplace_back(work, shared_);
}

opener_workers::~opener_workers() {
  stop(std::chrono::nanoseconds{0});
}

void opener_workers::run(job what) {
  {
    std::lock_guard lock{shared_->guard};
    if (shared_->stopping)
      return;
    shared_->queue.push_back(std::move(what));
  }
  shared_->changed.notify_one();
}

std::size_t opener_workers::stop(std::chrono::nanoseconds patience) {
  std::size_t stuck = 0;
  std::deque<job> dropped;
  {
    std::unique_lock lock{shared_->guard};
    shared_->stopping = true;
    auto closes
      = std::stable_partition(shared_->queue.begin(), shared_->queue.end(),
                              [](const job& x) { return !x.must_run; });
    std::move(shared_->queue.begin(), closes, std::back_inserter(dropped));
    shared_->queue.erase(shared_->queue.begin(), closes);
    if (!shared_->queue.empty()) { // the others may be stuck
      ++shared_->running;
      threads_.emplace_back(work, shared_);
    }
    shared_->changed.notify_all();
    shared_->changed.wait_for(lock, patience,
                              [this] { return shared_->running == 0; });
    stuck = shared_->running;
    shared_->given_up = true;
  }
  for (auto& t : threads_) {
    if (stuck == 0)
      t.join();
    else
      t.detach();
  }
  threads_.clear();
  return stuck;
}

void opener_workers::work(std::shared_ptr<shared_state> shared) {
  std::unique_lock lock{shared->guard};
  for (;;) {
    shared->changed.wait(lock, [&] {
      return shared->stopping || !shared->queue.empty();
    });
    if (shared->queue.empty())
      break;
    auto next = std::move(shared->queue.front());
    shared->queue.pop_front();
    lock.unlock();
    auto report = next.work();
    lock.lock();
    // Under the lock: once `stop` has given up nothing may be sent any more.
    if (!shared->given_up)
      report();
    lock.unlock();
    // A resource that nobody took is closed here, which may block.
    report = nullptr;
    next.work = nullptr;
    lock.lock();
  }
  --shared->running;
  lock.unlock();
  shared->changed.notify_all();
}

} // namespace steward
